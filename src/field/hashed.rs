//! Hashes of identifiers, in the forms that other clients use.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::Hash;

use crate::field::value::{Encode, Field, Identifier, ValueWriter, Written};
use crate::json::write_string;
use crate::schema::{FieldType, TextPolicy};

/// The number of characters of 32 bytes in unpadded base64.
const ENCODED: usize = 43;

/// A hashed identifier, such as `usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4`.
///
/// It is a prefix and the SHA-256, in unpadded base64url, of the text as Go's `encoding/json` writes it, quotes
/// included. Empty text stays empty. The attribute `hashed = "usr"` sends the same value; use this type if an id is
/// hashed once and sent often, or comes from a collection.
///
/// A hash without a secret is a pseudonym and not anonymous: anyone who knows or guesses the text can compute it.
///
/// ```
/// let id = candor::Hashed::new("usr", "usr_123");
/// assert_eq!(id.to_string(), "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hashed {
    prefix: &'static str,
    hash: Option<[u8; 32]>,
}

impl Hashed {
    /// Hashes text. The prefix, in letters and digits, names the kind of thing that the text identifies.
    pub fn new(prefix: &'static str, text: &str) -> Self {
        Self { prefix, hash: (!text.is_empty()).then(|| go_json_sha256(text)) }
    }
}

impl std::fmt::Display for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(hash) = &self.hash else { return Ok(()) };
        let mut text = [0; ENCODED];
        write!(f, "{}_{}", self.prefix, base64url(hash, &mut text))
    }
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hashed({self})")
    }
}

impl Encode for Hashed {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        match &self.hash {
            Some(hash) => write_hash(self.prefix, hash, writer.out),
            None => writer.out.extend_from_slice(b"\"\""),
        }
        Written::Value
    }
}

impl Field for Hashed {
    const KIND: FieldType = FieldType::Text(TextPolicy::Hashed { prefix: None });
}

impl Identifier for Hashed {}

/// Appends `"prefix_hash"`.
pub(crate) fn write_hash(prefix: &str, hash: &[u8; 32], out: &mut Vec<u8>) {
    write_string(out, prefix);
    out.pop(); // the closing quote
    out.push(b'_');
    out.extend_from_slice(base64url(hash, &mut [0; ENCODED]).as_bytes());
    out.push(b'"');
}

/// Appends the first hexadecimal digits of SHA-256 of the text, in quotes.
pub(crate) fn write_hex(text: &str, digits: usize, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let nibbles = Hash::hash(text.as_bytes()).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(nibbles.take(digits).filter_map(|nibble| HEX.get(usize::from(nibble))));
    out.push(b'"');
}

fn base64url<'t>(hash: &[u8; 32], text: &'t mut [u8; ENCODED]) -> &'t str {
    // 32 bytes always fit, and base64 is ASCII.
    let length = URL_SAFE_NO_PAD.encode_slice(hash, text).unwrap_or(0);
    text.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("")
}

/// Returns SHA-256 of the text as a JSON string with Go's escapes: `<`, `>`, `&`, U+2028 and U+2029 are escaped, and
/// backspace and form feed have no short form.
pub(crate) fn go_json_sha256(text: &str) -> [u8; 32] {
    let mut hash = Hash::new();
    hash.update(b"\"");
    let mut rest = text;
    while let Some(at) = rest.find(is_escaped_by_go) {
        let (plain, tail) = rest.split_at(at);
        hash.update(plain);
        let mut characters = tail.chars();
        if let Some(character) = characters.next() {
            go_escape(character, &mut hash);
        }
        rest = characters.as_str();
    }
    hash.update(rest);
    hash.update(b"\"");
    hash.finalize()
}

fn is_escaped_by_go(character: char) -> bool {
    character < ' ' || matches!(character, '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

fn go_escape(character: char, hash: &mut Hash) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match character {
        '"' => hash.update(b"\\\""),
        '\\' => hash.update(b"\\\\"),
        '\n' => hash.update(b"\\n"),
        '\r' => hash.update(b"\\r"),
        '\t' => hash.update(b"\\t"),
        _ => {
            let code = u32::from(character);
            let digit = |shift: u32| HEX.get((code >> shift & 15) as usize).copied().unwrap_or(b'0');
            hash.update([b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> String {
        Hashed::new("x", text).to_string().split_off(2)
    }

    #[test]
    fn hashes_equal_those_of_the_go_client() {
        assert_eq!(
            Hashed::new("usr", "usr_123").to_string(),
            "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4"
        );
        assert_eq!(
            Hashed::new("rul", "rul_123").to_string(),
            "rul_LNS4E5we6G3DpSsY2DnEu8coV7azNnjuUztaQ5SW0jo"
        );
        assert_eq!(bare("something"), "kh6XMrBb8gxpzREC4mAOSNs862lIy8tjE9fNDBWrjRE");
        assert_eq!(bare("a<b>&c"), "6IjvKcQmR6ka7py1yJEkI5ui74mGHxm3QdkMD7wv8YI");
        assert_eq!(bare("é"), "8ohgF-nHq6z4BLVNZHh9zithHJVEuiHzr_3RJqblAIY");
        assert_eq!(Hashed::new("usr", "").to_string(), "");
    }

    #[test]
    fn special_characters_are_escaped_as_in_go() {
        let text = "\"\\\n\r\t\u{8}\u{c}\u{0}\u{1f}\u{7f}<>&\u{2028}\u{2029}é日\u{1F600}end";
        let go = "\"\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\u{7f}\\u003c\\u003e\\u0026\\u2028\\u2029é日\u{1F600}end\"";
        assert_eq!(go_json_sha256(text), Hash::hash(go.as_bytes()));
    }

    #[test]
    fn hexadecimal_digits_begin_the_hash_of_the_plain_text() {
        let mut out = Vec::new();
        write_hex("TEST-LICENSE-KEY", 32, &mut out);
        assert_eq!(out, b"\"8d3e78791c4b1734e1c510a56f559f3d\"");
    }
}
