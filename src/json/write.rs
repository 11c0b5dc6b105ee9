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

/// Returns whether no byte needs escaping. Checks eight at a time; the last eight may overlap those before them.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else { return text.iter().all(|byte| is_plain_byte(*byte)) };
    let (eights, _) = text.as_chunks::<8>();
    let marks = eights.iter().fold(escapes(*last), |marks, eight| marks | escapes(*eight));
    marks == 0
}

#[inline]
fn is_plain_byte(byte: u8) -> bool {
    !matches!(byte, 0..b' ' | b'"' | b'\\')
}

/// Returns 0 if none of the bytes needs escaping. A set top bit marks a byte below `n`, as in `(x - n) & !x`. A
/// byte that equals another becomes 0, and so is below 1, after an exclusive or.
#[inline]
fn escapes(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let below = |word: u64, n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word;
    let word = u64::from_ne_bytes(bytes);
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    (below(word, b' ') | below(quote, 1) | below(backslash, 1)) & TOPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_that_needs_escaping_is_found_at_each_position() {
        for length in 0..40 {
            assert!(is_plain(&vec![b'x'; length]), "{length}");
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    assert_eq!(is_plain(&text), is_plain_byte(byte), "{byte} at {place} of {length}");
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
