//! The name of a property of `event!`, encoded at compile time.

use serde::Serialize;

use crate::event::Encoder;

/// The name of a property that is known at compile time.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    name: &'static str,
    /// A comma, the name as JSON, and a colon; empty if the name needs escaping.
    lead: &'static str,
}

impl Key {
    /// Creates a key from its name and `,"name":`.
    pub const fn new(name: &'static str, lead: &'static str) -> Self {
        Self { name, lead: if is_plain(name) { lead } else { "" } }
    }

    /// Creates a key from an identifier and `,"identifier":`. A raw identifier, such as `r#type`, is sent as `type`.
    pub const fn of_identifier(identifier: &'static str, lead: &'static str) -> Self {
        let name = bare(identifier);
        if name.len() == identifier.len() { Self::new(name, lead) } else { Self::new(name, "") }
    }

    /// Returns the bare name.
    #[inline]
    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// Adds a property of this name.
    #[inline]
    pub(super) fn write<V: Serialize>(self, event: &mut Encoder<'_>, value: &V) {
        if self.lead.is_empty() {
            event.property(self.name, value);
        } else {
            event.known_property(self.name, self.lead, value);
        }
    }
}

/// Returns an identifier without the `r#` of a raw one.
pub const fn bare(identifier: &'static str) -> &'static str {
    match identifier.as_bytes() {
        [b'r', b'#', ..] => identifier.split_at(2).1,
        _ => identifier,
    }
}

/// Returns whether a name is the same in JSON.
const fn is_plain(name: &str) -> bool {
    let mut rest = name.as_bytes();
    while let [first, others @ ..] = rest {
        if matches!(first, 0..b' ' | b'"' | b'\\') {
            return false;
        }
        rest = others;
    }
    true
}

#[cfg(test)]
impl From<Key> for std::borrow::Cow<'static, str> {
    fn from(key: Key) -> Self {
        key.name.into()
    }
}
