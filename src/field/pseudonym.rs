//! Keyed pseudonyms, which change with every epoch. The secret is never shown.

use std::time::Duration;

use hmac_sha256::HMAC;

use crate::timestamp::Timestamp;

/// A local secret that turns identifiers into pseudonyms, for fields with `keyed = "usr"`.
///
/// The pseudonym is HMAC-SHA256, with the secret as its key, of the number of the epoch, the prefix and the text.
/// The secret stays on this machine, so neither the receiver nor anybody else can find an identifier by trying.
/// Fields with different prefixes cannot be linked. When an epoch ends, the same identifier gets a new pseudonym.
/// An epoch lasts 30 days by default; epochs are counted from 1970 in UTC. Whoever has the secret can still link
/// old pseudonyms: replace the secret to prevent that, too.
///
/// If the client has no key, fields with `keyed` are dropped and counted, and an event whose distinct id is keyed
/// is not sent.
#[derive(Clone)]
pub struct PseudonymKey {
    secret: [u8; 32],
    length: Duration,
}

impl PseudonymKey {
    /// Creates a key with epochs of 30 days from 32 secret bytes, which the application must store.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, length: Duration::from_secs(30 * 24 * 60 * 60) }
    }

    /// Sets the duration of an epoch. Default: 30 days; minimum: 1 second.
    #[must_use]
    pub fn rotate_every(mut self, length: Duration) -> Self {
        self.length = length.max(Duration::from_secs(1));
        self
    }

    /// Returns the key for the epoch that contains a timestamp.
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
    /// Returns the pseudonym of text; the prefix names the kind of thing that the text identifies.
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
    fn a_pseudonym_is_stable_within_an_epoch_and_changes_after_it() {
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
    fn another_secret_gives_other_pseudonyms_and_is_never_shown() {
        let (one, two) = (PseudonymKey::new([1; 32]), PseudonymKey::new([2; 32]));
        assert_ne!(one.epoch(at(1)).pseudonym("usr", "ada"), two.epoch(at(1)).pseudonym("usr", "ada"));
        assert_eq!(format!("{one:?}"), "PseudonymKey { length: 2592000s, .. }");
        assert!(!format!("{:?}", one.epoch(at(1))).contains("secret"));
    }
}
