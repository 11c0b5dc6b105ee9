//! Pseudonyms that nobody outside can guess, and that end with their epoch.
//!
//! Never shows the secret, never reads a clock, never stores anything.

use std::time::Duration;

use hmac_sha256::HMAC;

use crate::timestamp::Timestamp;

/// A local secret that turns identifiers into pseudonyms, for fields with `keyed = "usr"`.
///
/// The pseudonym is HMAC-SHA256 under the secret of the number of the epoch, the prefix and the text.
/// The secret stays on this machine, so that neither the receiver nor anybody else can find an
/// identifier by trying; two fields with different prefixes cannot be linked; and when an epoch ends, 30
/// days unless set otherwise, the same identifier has a new pseudonym. Epochs are counted from 1970 in
/// UTC. Who holds the secret can still link old pseudonyms: replace it to end that, too.
///
/// Without a key in the client, fields with `keyed` are dropped and counted, and an event whose distinct
/// id is keyed is not sent.
#[derive(Clone)]
pub struct PseudonymKey {
    secret: [u8; 32],
    length: Duration,
}

impl PseudonymKey {
    /// Creates a key from 32 secret bytes, which the application keeps, with epochs of 30 days.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, length: Duration::from_secs(30 * 24 * 60 * 60) }
    }

    /// Sets how long an epoch lasts; less than a second counts as a second.
    #[must_use]
    pub fn rotate_every(mut self, length: Duration) -> Self {
        self.length = length.max(Duration::from_secs(1));
        self
    }

    /// Returns the key for the epoch of an instant.
    pub(crate) fn epoch(&self, at: Timestamp) -> Epoch {
        let length = i64::try_from(self.length.as_millis()).unwrap_or(i64::MAX);
        Epoch { secret: self.secret, number: at.unix_millis().div_euclid(length) }
    }
}

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PseudonymKey").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A key within one epoch.
#[derive(Clone)]
pub(crate) struct Epoch {
    secret: [u8; 32],
    number: i64,
}

impl Epoch {
    /// Returns the pseudonym of a text; the prefix says what kind of thing it is.
    pub(crate) fn pseudonym(&self, prefix: &str, text: &str) -> [u8; 32] {
        let mut mac = HMAC::new(self.secret);
        mac.update(self.number.to_be_bytes());
        // The length keeps "ab" + "c" and "a" + "bc" apart.
        mac.update(prefix.len().to_be_bytes());
        mac.update(prefix);
        mac.update(text);
        mac.finalize()
    }
}

impl std::fmt::Debug for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epoch").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_unix_millis(days * DAY)
    }

    #[test]
    fn the_same_within_an_epoch_and_another_after_it() {
        let key = PseudonymKey::new([7; 32]).rotate_every(Duration::from_secs(7 * 24 * 60 * 60));
        let name = |days, prefix, text| key.epoch(at(days)).pseudonym(prefix, text);
        assert_eq!(name(7, "usr", "ada"), name(13, "usr", "ada"));
        assert_ne!(name(13, "usr", "ada"), name(14, "usr", "ada"));
        assert_ne!(name(7, "usr", "ada"), name(7, "usr", "bob"));
        assert_ne!(name(7, "usr", "ada"), name(7, "grp", "ada"));
        assert_ne!(name(7, "usr", "ada"), name(7, "usra", "da"));
        assert_ne!(name(-1, "usr", "ada"), name(1, "usr", "ada"));
    }

    #[test]
    fn another_secret_gives_other_pseudonyms_and_none_is_shown() {
        let (one, two) = (PseudonymKey::new([1; 32]), PseudonymKey::new([2; 32]));
        assert_ne!(one.epoch(at(1)).pseudonym("usr", "ada"), two.epoch(at(1)).pseudonym("usr", "ada"));
        assert_eq!(format!("{one:?}"), "PseudonymKey { length: 2592000s, .. }");
        assert!(!format!("{:?}", one.epoch(at(1))).contains("secret"));
    }
}
