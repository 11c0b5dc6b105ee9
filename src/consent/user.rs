//! Which user this process runs as, and who called it through sudo.
//!
//! Never guesses: an id that cannot be determined is `None`.

use std::path::PathBuf;

use crate::settings::Env;

/// Returns the effective user id. It is needed only if a file of the gate belongs to somebody other than root.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn effective_id() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    // The kernel makes the effective user the owner, or root if the process may not be inspected.
    std::fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

/// Returns the effective user id. It is needed only if a file of the gate belongs to somebody other than root.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(crate) fn effective_id() -> Option<u32> {
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;
    // A pipe belongs to the effective user that created it, and leaves nothing behind.
    let (reader, _) = std::io::pipe().ok()?;
    let file = std::fs::File::from(OwnedFd::from(reader));
    file.metadata().ok().map(|metadata| metadata.uid())
}

/// Returns the id of the user who called this process through sudo, if it runs as root.
#[cfg(unix)]
pub(crate) fn sudo_caller(env: &Env) -> Option<u32> {
    let caller: u32 = env.text("SUDO_UID")?.parse().ok()?;
    (caller != 0 && effective_id() == Some(0)).then_some(caller)
}

/// Returns the id of the user who called this process through sudo, if it runs as root.
#[cfg(not(unix))]
pub(crate) fn sudo_caller(_: &Env) -> Option<u32> {
    None
}

/// Returns the home directory of the user who called this process through sudo, if it runs as root.
#[cfg(unix)]
pub(crate) fn sudo_home(env: &Env) -> Option<PathBuf> {
    let caller = sudo_caller(env)?;
    let told = env.get("SUDO_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    told.or_else(|| std::fs::read("/etc/passwd").ok().and_then(|text| home_of(&text, caller)))
}

/// Returns the home directory of the user who called this process through sudo, if it runs as root.
#[cfg(not(unix))]
pub(crate) fn sudo_home(_: &Env) -> Option<PathBuf> {
    None
}

/// Finds the home directory of an account in the text of `/etc/passwd`, whose other fields may be in any encoding.
#[cfg(unix)]
fn home_of(accounts: &[u8], id: u32) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let id = id.to_string();
    accounts.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<_> = line.split(|byte| *byte == b':').collect();
        let home = fields.get(5).filter(|_| fields.get(2) == Some(&id.as_bytes()))?;
        Some(PathBuf::from(OsStr::from_bytes(home))).filter(|path| path.is_absolute())
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::home_of;

    #[test]
    fn finds_a_home_by_id() {
        let accounts =
            b"root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000:Z\xfcrich:/home/ann:/bin/sh\n";
        assert_eq!(home_of(accounts, 1000).unwrap().to_str(), Some("/home/ann"));
        assert_eq!(home_of(accounts, 7), None);
    }
}
