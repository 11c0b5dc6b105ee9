//! Event ids: UUIDs of version 7, ascending within a batch.

use uuid::{Builder, Uuid};

use crate::timestamp::Timestamp;

/// The ids of one batch. The 74 free bits of each are a random start plus the event's position, which RFC 9562
/// (6.2) calls a monotonic random counter: it takes one system call per batch instead of one per event.
#[derive(Debug)]
pub(crate) struct Ids {
    next: u128,
}

impl Ids {
    /// Starts from the random bits of a version 4 id.
    pub(crate) fn seeded(seed: Uuid) -> Self {
        // The version and variant bits of the seed are fixed; folding the halves spreads the random ones.
        let bits = seed.as_u128();
        Self { next: bits ^ bits.rotate_left(61) }
    }

    /// Returns the next id, for an event captured at this time.
    pub(crate) fn next(&mut self, at: Timestamp) -> Uuid {
        self.next = self.next.wrapping_add(1);
        let bytes = self.next.to_be_bytes();
        let mut free = [0; 10];
        free.copy_from_slice(&bytes[6..]);
        let millis = u64::try_from(at.unix_millis()).unwrap_or(0);
        // The builder keeps 12 and 62 of the 80 bits, including the low ones that count up.
        Builder::from_unix_timestamp_millis(millis, &free).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;
    use crate::timestamp::Timestamp;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    #[test]
    fn ids_are_unique_sorted_and_of_version_7() {
        let mut ids = Ids::seeded(Uuid::from_u128(0x1234_5678_9abc_def0_1122_3344_5566_7788));
        let at = Timestamp::from_unix_millis(1_755_771_329_998);
        let made: Vec<Uuid> = (0..100_000).map(|_| ids.next(at)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), made.len());
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn different_seeds_give_different_ids() {
        let at = Timestamp::from_unix_millis(0);
        let of = |seed| Ids::seeded(Uuid::from_u128(seed)).next(at);
        assert_ne!(of(1), of(2));
        assert_ne!(of(1 << 90), of(2 << 90));
    }
}
