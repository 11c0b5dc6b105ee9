//! The characters allowed in a user agent.

/// Replaces each character that is not allowed in a user agent's token with `-`.
pub(crate) fn token(text: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-._+".contains(letter);
    text.chars().map(|letter| if allowed(letter) { letter } else { '-' }).collect()
}
