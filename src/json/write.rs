//! Writes JSON strings.

/// Appends `text` as a JSON string.
#[inline]
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to a vector cannot fail, and every `str` has a JSON form.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Returns whether no byte needs escaping.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    match marks(text, escapes) {
        Some(marks) => marks == 0,
        None => text.iter().all(|byte| is_plain_byte(*byte)),
    }
}

/// Returns whether a JSON string contains an escape sequence.
#[inline]
pub(crate) fn has_escapes(json: &[u8]) -> bool {
    match marks(json, backslashes) {
        Some(marks) => marks != 0,
        None => json.contains(&b'\\'),
    }
}

/// Returns the marks of all bytes together, or `None` if there are fewer than eight. Looks at eight bytes at a time;
/// the last eight may overlap those before them.
#[inline]
fn marks(text: &[u8], of_eight: impl Fn(u64) -> u64) -> Option<u64> {
    let last = u64::from_ne_bytes(*text.last_chunk::<8>()?);
    let (eights, _) = text.as_chunks::<8>();
    let all = eights.iter().fold(of_eight(last), |all, eight| all | of_eight(u64::from_ne_bytes(*eight)));
    Some(all & TOPS)
}

#[inline]
fn is_plain_byte(byte: u8) -> bool {
    !matches!(byte, 0..b' ' | b'"' | b'\\')
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const TOPS: u64 = ONES << 7;

/// Sets the top bit of a byte that needs escaping. Of an ASCII byte, `x - n` has its top bit set if `x` is below `n`.
/// A byte that equals another becomes 0, and so is below 1, after an exclusive or, which does not change which bytes
/// are ASCII. A borrow can set the top bits of further bytes, but only above one that is set rightly.
#[inline]
fn escapes(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * u64::from(b' '));
    let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
    (control | quote) & !word | backslashes(word)
}

/// Sets the top bit of a byte that is a backslash.
#[inline]
fn backslashes(word: u64) -> u64 {
    (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES) & !word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_that_needs_escaping_is_found_at_each_position() {
        for length in 0..40 {
            assert!(is_plain(&vec![b'x'; length]) && !has_escapes(&vec![b'x'; length]), "{length}");
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    assert_eq!(is_plain(&text), is_plain_byte(byte), "{byte} at {place} of {length}");
                    assert_eq!(has_escapes(&text), byte == b'\\', "{byte} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_string_reads_back_as_it_was() {
        for text in [
            "",
            "a",
            "\"",
            "twelve bytes",
            "umlauts äöü and ½",
            "a\\b",
            "line\nbreak",
            "\u{1f600}\u{7f}\u{80}",
        ] {
            let mut out = b"before".to_vec();
            write_string(&mut out, text);
            let json = out.strip_prefix(b"before").unwrap();
            assert_eq!(serde_json::from_slice::<String>(json).unwrap(), text);
        }
    }
}
