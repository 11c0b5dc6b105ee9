//! The names of attributes: which ones need a value, and which one a misspelt name was meant to be.

use syn::meta::ParseNestedMeta;
use syn::{Error, Result, Token};

/// The attributes of a field, each with the value that it needs, if any.
pub(crate) const FIELD: &[(&str, &str)] = &[
    ("distinct_id", ""),
    ("property", ""),
    ("group", "a group type, as in `group = \"company\"`"),
    ("timestamp", ""),
    ("uuid", ""),
    ("skip", ""),
    ("hashed", "a prefix, as in `hashed = \"usr\"`"),
    ("hashed_hex", "a number of digits, as in `hashed_hex = 16`"),
    ("keyed", "a prefix, as in `keyed = \"usr\"`"),
    ("pattern", "a pattern, as in `pattern = \"[a-z]+\"`"),
    ("max", "a number of characters, as in `max = 32`"),
    ("other", "the word for other text, as in `other = \"other\"`"),
    ("raw", "the reason, which the catalogue shows, as in `raw = \"the public name of a project\"`"),
    ("label", "a type that derives `Label`, as in `label = Outcome`"),
    ("items", "a number of items, as in `items = 16`"),
    ("buckets", "bounds, as in `buckets = [1, 10, 100]`"),
    ("as_number", ""),
    ("rename", "a name, as in `rename = \"$current_url\"`"),
    ("example", "a value, as in `example = 3`"),
    ("since", "a version, as in `since = \"1.2\"`"),
];

/// The attributes of an event, each with the value that it needs, if any.
pub(crate) const EVENT: &[(&str, &str)] = &[
    ("name", "a name, as in `name = \"order placed\"`"),
    ("distinct_id", "an id, as in `distinct_id = context` or `distinct_id = \"nightly job\"`"),
    ("purpose", "a purpose, as in `purpose = \"error\"`"),
    ("why", "a text, as in `why = \"To find slow searches.\"`"),
    ("link", "an address, as in `link = \"https://example.com/telemetry\"`"),
    ("since", "a version, as in `since = \"1.2\"`"),
    ("rename_all", "a case, as in `rename_all = \"camelCase\"`"),
    ("no_groups", ""),
    ("crate", "a path, as in `crate = \"candor\"`"),
];

/// Checks that an attribute has the value that it needs.
pub(crate) fn has_value(meta: &ParseNestedMeta<'_>, known: &[(&str, &str)]) -> Result<()> {
    match known.iter().find(|(name, _)| meta.path.is_ident(name)) {
        Some((name, value)) if !value.is_empty() && !meta.input.peek(Token![=]) => {
            Err(meta.error(format!("`{name}` needs {value}")))
        }
        _ => Ok(()),
    }
}

/// Returns the error for an attribute that does not exist. It names the attribute that was probably meant, and then all
/// of them: `accepted` is a sentence about these, without its capital.
pub(crate) fn unknown(meta: &ParseNestedMeta<'_>, known: &[(&str, &str)], accepted: &str) -> Error {
    let given = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
    let near = |name: &str| {
        let is_start = given.len() > 2 && (name.starts_with(&given) || given.starts_with(name));
        let distance = distance(&given, name);
        (is_start || distance <= name.len() / 3).then_some(distance)
    };
    let nearest = known.iter().filter_map(|(name, _)| near(name).map(|distance| (distance, *name))).min();
    meta.error(match (nearest, accepted.split_at_checked(1)) {
        (Some((_, name)), Some((first, rest))) => {
            format!("unknown attribute: did you mean `{name}`? {}{rest}", first.to_uppercase())
        }
        _ => format!("unknown attribute: {accepted}"),
    })
}

/// Returns how many characters must be added, removed or replaced to turn one name into another.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut next = vec![index + 1];
        for (right, above) in other.chars().zip(row.windows(2)) {
            let (corner, above) = (above[0], above[1]);
            let before = next.last().copied().unwrap_or_default();
            next.push((corner + usize::from(left != right)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
