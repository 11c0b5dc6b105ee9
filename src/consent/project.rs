//! Writes the project's answer to its committed file.
//!
//! Never changes a file that the gate could not read.

use std::path::Path;

use super::finding::{Finding, Vote};
use super::inputs::{FileState, ReadFailure};
use super::layers::Switch;
use super::sources::{Directory, read_file};
use super::store::replace_file;
use crate::document::set_bool;
use crate::document::{Format, Found, Node, read};
use crate::error::{Error, ErrorKind, Result};

/// Sets the switch in a project's JSON file, such as `telemetry.enabled`, and keeps everything else in it: the
/// other keys, their order, the layout, and the file's permissions.
///
/// Missing objects on the path to the key are added, and so is the file itself. The new content is written beside
/// the file and renamed into place, so a crash leaves either the old file or the new one.
///
/// ```
/// # fn main() -> candor::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("candor-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir).map_err(|e| candor::Error::new(candor::ErrorKind::Storage, "dir").caused_by(e))?;
/// let file = dir.join(".cdk-insights.json");
/// candor::consent::write_project_answer(&file, "telemetry.enabled", true)?;
/// # let _ = std::fs::remove_dir_all(&dir);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns [`ErrorKind::Storage`] if the file is not well-formed JSON, has the extension of another format, has a key
/// twice, holds anything but true or false at the key, is larger than 64 KiB, is a symbolic link, or cannot be
/// written. The same error is returned for a grant that the gate would not accept: in a directory that everybody can
/// write to, or beside another key that denies. The file is then left unchanged.
pub fn write_project_answer(path: &Path, key: &str, enabled: bool) -> Result<()> {
    let found = std::path::absolute(path);
    let path = found.as_deref().unwrap_or(path);
    let refused = |reason: &str| {
        Error::new(ErrorKind::Storage, format!("{} {reason}; the file was left unchanged", path.display()))
    };
    if Format::of(path, Format::Json) != Format::Json {
        return Err(refused("is not a JSON file, by its extension"));
    }
    let before = match read_file(path) {
        FileState::Read(file) => String::from_utf8(file.bytes).map_err(|_| refused("is not UTF-8"))?,
        FileState::Missing | FileState::NotDeclared | FileState::NotRead => "{}\n".to_owned(),
        FileState::Failed(ReadFailure::Link) => return Err(refused("is a symbolic link")),
        FileState::Failed(ReadFailure::TooLarge) => return Err(refused("is larger than 64 KiB")),
        FileState::Failed(_) => return Err(refused("cannot be read")),
    };
    let doubt = path.parent().and_then(|dir| Directory::of(dir).ok()).and_then(Directory::doubt_of_project);
    if let Some(doubt) = doubt.filter(|_| enabled) {
        return Err(refused(&format!("would not be trusted with a grant, because {doubt}")));
    }
    let after = set_bool(&before, key, enabled).map_err(refused)?;
    if let Some(reason) = still_denies(&after, key).filter(|_| enabled) {
        return Err(refused(&reason));
    }
    replace_file(path, after.as_bytes())
}

/// Returns why the gate would still read a denial where a grant is to be written: the switch is in the file a
/// second time, perhaps misspelt.
fn still_denies(text: &str, key: &str) -> Option<String> {
    let tree = match read(Format::Json, text.as_bytes()) {
        Ok(tree) => tree,
        Err(reason) => return Some(reason.to_owned()),
    };
    if tree.at(key) != Found::Value(&Node::Bool(true)) {
        return Some(format!("has another value for {key} in another place"));
    }
    let switch = Switch { tree: &tree, key, other: "", disables: false };
    let report = switch.unless_misspelt(Finding::grant(key, "set to true"));
    (report.vote == Vote::Deny).then(|| format!("has a key {key} that {}", report.reason))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::write_project_answer;

    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("candor-project-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_missing_file_is_created_and_an_existing_one_keeps_its_other_content() {
        let dir = Dir::new("made");
        let file = dir.0.join("project.json");
        write_project_answer(&file, "telemetry.enabled", false).unwrap();
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "{\n  \"telemetry\": {\n    \"enabled\": false\n  }\n}\n"
        );
        write_project_answer(&file, "telemetry.enabled", true).unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains("\"enabled\": true"));
        assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_mode_is_kept_and_a_link_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = Dir::new("mode");
        let file = dir.0.join("project.json");
        fs::write(&file, "{\"a\":1}").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        write_project_answer(&file, "telemetry.enabled", true).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o664);
        let link = dir.0.join("link.json");
        symlink(&file, &link).unwrap();
        let before = fs::read(&file).unwrap();
        assert!(write_project_answer(&link, "telemetry.enabled", false).is_err());
        assert_eq!(fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_dotted_name_is_set_in_its_place() {
        let dir = Dir::new("dotted");
        let file = dir.0.join("project.json");
        for (before, after) in [
            ("{\"telemetry.enabled\": true}", "{\"telemetry.enabled\": false}"),
            (
                "{\"a\": {\"b.c\": 1}, \"telemetry.enabled\" : true }",
                "{\"a\": {\"b.c\": 1}, \"telemetry.enabled\" : false }",
            ),
        ] {
            fs::write(&file, before).unwrap();
            write_project_answer(&file, "telemetry.enabled", false).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), after);
        }
    }

    #[test]
    fn a_grant_is_not_written_beside_a_denial_but_a_denial_is_written_beside_anything() {
        let dir = Dir::new("beside");
        let file = dir.0.join("project.json");
        for text in [
            "{\"telemetry\": {\"enable\": false}}",
            "{\"telemetry\": {\"disabled\": true}}",
            "{\"telemetry\": {\"enabled\": false}, \"Telemetry.enabled\": true}",
        ] {
            fs::write(&file, text).unwrap();
            let error = write_project_answer(&file, "telemetry.enabled", true).unwrap_err().to_string();
            assert!(
                error.contains("telemetry.enabled") && error.contains("says no") || error.contains("a no"),
                "{error}"
            );
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            write_project_answer(&file, "telemetry.enabled", false).unwrap();
            assert!(fs::read_to_string(&file).unwrap().contains("\"enabled\": false"));
        }
    }

    #[test]
    fn a_file_that_the_gate_reads_in_another_format_is_not_written() {
        let dir = Dir::new("format");
        for name in ["project.toml", "project.YML", "project.yaml"] {
            let file = dir.0.join(name);
            let error = write_project_answer(&file, "telemetry.enabled", true).unwrap_err().to_string();
            assert!(error.contains("is not a JSON file") && !file.exists(), "{error}");
        }
        write_project_answer(&dir.0.join(".projectrc"), "telemetry.enabled", true).unwrap();
    }

    #[test]
    fn a_broken_file_is_left_unchanged() {
        let dir = Dir::new("broken");
        let file = dir.0.join("project.json");
        for text in ["{\"telemetry\": {", "{\"telemetry\":{\"enabled\":\"yes\"}}", "", "\u{0}"] {
            fs::write(&file, text).unwrap();
            let error = write_project_answer(&file, "telemetry.enabled", true).unwrap_err().to_string();
            assert!(error.contains("project.json") && error.contains("left unchanged"), "{error}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }
}
