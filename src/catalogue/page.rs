//! Whether a committed page still agrees with the code.

use std::fmt;

use hmac_sha256::Hash;

use crate::catalogue::json::Json;
use crate::catalogue::json_schema::{self, Detail};
use crate::catalogue::registry::Catalogue;
use crate::schema::FieldSchema;

const MARK: &str = "<!-- Made by candor, do not edit: notice version ";
const FINGERPRINT: &str = ", fingerprint ";

/// How a page differs from the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// The catalogue itself is incomplete.
    Incomplete(Vec<String>),
    /// There is no page.
    Missing,
    /// What is sent has changed, but the version of the notice has not.
    SameVersion { version: u32 },
    /// The page has a later version of the notice than the code.
    OlderVersion { page: u32, code: u32 },
    /// The page differs from the page that the code generates; `line` is the first difference.
    Differs { line: usize, page: String, code: String },
}

impl Drift {
    /// Returns whether the page can be written again without a new version of the notice.
    pub(crate) fn is_renewable(&self) -> bool {
        matches!(self, Self::Missing | Self::Differs { .. })
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(problems) => write!(f, "the catalogue is incomplete: {}", problems.join("; ")),
            Self::Missing => f.write_str("the page does not exist"),
            Self::SameVersion { version } => write!(
                f,
                "what is sent has changed, but the notice still has version {version}, to which people have agreed; \
                 raise it with `.notice_version({})` in the catalogue",
                version + 1
            ),
            Self::OlderVersion { page, code } => {
                write!(
                    f,
                    "the page has version {page} of the notice, but the code has version {code}; raise it with \
                     `.notice_version({page})` in the catalogue"
                )
            }
            Self::Differs { line, page, code } => {
                write!(f, "the page differs from the code at line {line}\n  page: {page}\n  code: {code}")
            }
        }
    }
}

/// Returns the line that holds the notice version and the fingerprint of a page.
pub(super) fn mark(catalogue: &Catalogue) -> String {
    format!("{MARK}{}{FINGERPRINT}{} -->", catalogue.notice_version, fingerprint(catalogue))
}

/// Returns 16 hexadecimal digits that change when what is sent, why, or to whom changes.
pub(super) fn fingerprint(catalogue: &Catalogue) -> String {
    let mut hash = Hash::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    for schema in catalogue.events {
        part(&json_schema::event(catalogue, schema, Detail::Bare).compact());
        part(schema.purpose.name());
    }
    let common = |field: &FieldSchema| (field.name.to_owned(), json_schema::field(field, Detail::Bare));
    part(&Json::Object(catalogue.common.iter().map(common).collect()).compact());
    part(catalogue.endpoint.unwrap_or_default());
    catalogue.recipients.iter().for_each(|(name, _)| part(name));
    part(catalogue.identified.unwrap_or_default());
    catalogue.beside.unwrap_or_default().iter().for_each(|(name, _)| part(name));
    let bytes = hash.finalize();
    format!("{:016x}", bytes.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)))
}

/// Compares a page with the code.
pub(super) fn check(catalogue: &Catalogue, page: Option<&str>) -> Result<(), Drift> {
    let problems = problems(catalogue);
    if !problems.is_empty() {
        return Err(Drift::Incomplete(problems));
    }
    let Some(page) = page else { return Err(Drift::Missing) };
    // A checkout may have converted the line endings.
    let page = page.replace("\r\n", "\n");
    if let Some((version, known)) = read_mark(&page) {
        let code = catalogue.notice_version;
        if version > code {
            return Err(Drift::OlderVersion { page: version, code });
        }
        if version == code && known != fingerprint(catalogue) {
            return Err(Drift::SameVersion { version });
        }
    }
    let made = catalogue.markdown();
    if page.trim_end() == made.trim_end() { Ok(()) } else { Err(first_difference(&page, &made)) }
}

fn first_difference(page: &str, code: &str) -> Drift {
    let (mut page, mut code) = (page.lines(), code.lines());
    for line in 1.. {
        let (old, new) = (page.next(), code.next());
        if old != new || old.is_none() {
            let text = |line: Option<&str>| line.unwrap_or("(nothing)").to_owned();
            return Drift::Differs { line, page: text(old), code: text(new) };
        }
    }
    Drift::Missing
}

fn read_mark(page: &str) -> Option<(u32, &str)> {
    let line = page.lines().find_map(|line| line.strip_prefix(MARK))?;
    let (version, rest) = line.split_once(FINGERPRINT)?;
    Some((version.parse().ok()?, rest.strip_suffix(" -->")?))
}

/// Returns what is missing or ambiguous in the catalogue.
fn problems(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, schema) in catalogue.events.iter().enumerate() {
        if schema.description.is_empty() {
            problems.push(format!("the event `{}` has no doc comment", schema.name));
        }
        if catalogue.events.iter().take(index).any(|other| other.name == schema.name) {
            problems.push(format!("two events are named `{}`", schema.name));
        }
    }
    problems
}
