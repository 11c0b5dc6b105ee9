//! Writes JSON strings.

/// Appends `text` as a JSON string.
#[inline]
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    // Looks at every byte without a way out in between, which the compiler turns into wide comparisons.
    let is_plain = |byte: u8| !matches!(byte, 0..b' ' | b'"' | b'\\');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to a vector cannot fail, and every `str` has a JSON form.
        let _ = serde_json::to_writer(out, text);
    }
}
