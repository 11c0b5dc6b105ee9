//! Decides what to do with the files of a bucket, from their names and the time alone.

use super::name::{Entry, FileName};

/// After how many attempts a file is set aside. Only attempts count during which the process ended or the worker
/// panicked, so a file that causes this cannot do so forever.
pub(crate) const POISON: u8 = 8;

/// How many files that were set aside are kept for inspection.
const MAX_BAD: usize = 3;

/// The age at which an unfinished file is removed, in milliseconds: one hour.
const UNFINISHED: u64 = 60 * 60 * 1000;

/// The limits of one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caps {
    pub(crate) files: u64,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// In milliseconds.
    pub(crate) age: u64,
}

/// The entries of a bucket's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Oldest first.
    pub(crate) events: Vec<FileName>,
    pub(crate) temporary: Vec<(u64, String)>,
    pub(crate) open: Vec<String>,
    pub(crate) bad: Vec<(u64, String)>,
}

impl Listing {
    /// Classifies the names in a directory.
    pub(crate) fn of(names: impl IntoIterator<Item = String>) -> Self {
        let mut listing = Self::default();
        for name in names {
            match Entry::of(&name) {
                Entry::Events(name) => listing.events.push(name),
                Entry::Temporary(at) => listing.temporary.push((at, name)),
                Entry::Open => listing.open.push(name),
                Entry::Bad(at) => listing.bad.push((at, name)),
                Entry::Other => {}
            }
        }
        listing.events.sort_unstable();
        listing.bad.sort_unstable();
        listing
    }
}

/// What to do with the files of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Files to send, oldest first.
    pub(crate) send: Vec<FileName>,
    /// Files over the maximum age, to be removed and counted as lost.
    pub(crate) expired: Vec<FileName>,
    /// Files over the other caps, to be removed and counted as lost.
    pub(crate) evicted: Vec<FileName>,
    /// Files with too many attempts, to be set aside and counted as lost.
    pub(crate) poison: Vec<FileName>,
    /// Unfinished files, and files that were set aside, to be removed without being counted.
    pub(crate) sweep: Vec<String>,
}

/// Decides what to do with the files of a bucket; `now` is in milliseconds since 1970.
pub(crate) fn plan(listing: &Listing, caps: &Caps, now: u64) -> Plan {
    let is_old = |created: u64| now.saturating_sub(created) > caps.age;
    // If all files look too old at once, the clock is probably wrong.
    let is_clock_wrong = listing.events.iter().all(|name| is_old(name.created));
    let mut plan = Plan { sweep: sweep(listing, caps, now), ..Plan::default() };
    for name in &listing.events {
        let list = if name.tries >= POISON {
            &mut plan.poison
        } else if is_old(name.created) && !is_clock_wrong {
            &mut plan.expired
        } else {
            &mut plan.send
        };
        list.push(*name);
    }
    let kept = plan.send.split_off(excess(&plan.send, caps));
    plan.evicted = std::mem::replace(&mut plan.send, kept);
    plan
}

/// Returns how many of the oldest files must be removed: none within the caps, otherwise down to 90 % of each cap.
pub(crate) fn excess(names: &[FileName], caps: &Caps) -> usize {
    let mut total = Total::of(names);
    if total.is_within(caps, 100) {
        return 0;
    }
    let over = |name: &&FileName| {
        let is_over = !total.is_within(caps, 90);
        if is_over {
            total.remove(**name);
        }
        is_over
    };
    names.iter().take_while(over).count()
}

fn sweep(listing: &Listing, caps: &Caps, now: u64) -> Vec<String> {
    let unfinished = listing.temporary.iter().filter(|(at, _)| now.saturating_sub(*at) > UNFINISHED);
    let surplus = listing.bad.len().saturating_sub(MAX_BAD);
    let is_gone =
        |(index, (at, _)): &(usize, &(u64, String))| *index < surplus || now.saturating_sub(*at) > caps.age;
    let bad = listing.bad.iter().enumerate().filter(is_gone).map(|(_, bad)| bad);
    unfinished.chain(bad).map(|(_, name)| name.clone()).collect()
}

/// The number of files, events and bytes in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) files: u64,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

impl Total {
    pub(crate) fn of(names: &[FileName]) -> Self {
        names.iter().fold(Self::default(), |total, name| Self {
            files: total.files + 1,
            events: total.events + u64::from(name.events),
            bytes: total.bytes.saturating_add(name.bytes),
        })
    }

    fn remove(&mut self, name: FileName) {
        self.files -= 1;
        self.events -= u64::from(name.events);
        self.bytes = self.bytes.saturating_sub(name.bytes);
    }

    fn is_within(&self, caps: &Caps, percent: u64) -> bool {
        let fits = |value: u64, cap: u64| u128::from(value) * 100 <= u128::from(cap) * u128::from(percent);
        fits(self.files, caps.files) && fits(self.events, caps.events) && fits(self.bytes, caps.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::name;
    use super::*;

    const CAPS: Caps = Caps { files: 10, events: 100, bytes: 1_000, age: 7_000 };

    fn files(created: impl IntoIterator<Item = u64>) -> Vec<FileName> {
        created.into_iter().map(|at| FileName::new(at, 1, 10)).collect()
    }

    fn listing(events: &[FileName]) -> Listing {
        Listing::of(events.iter().map(ToString::to_string))
    }

    #[test]
    fn files_within_the_limits_are_sent_oldest_first() {
        let events = files([5_000, 9, 10, 100]);
        let plan = plan(&listing(&events), &CAPS, 5_000);
        assert_eq!(plan.send.iter().map(|name| name.created).collect::<Vec<_>>(), [9, 10, 100, 5_000]);
        assert_eq!(Plan { send: Vec::new(), ..plan }, Plan::default());
    }

    #[test]
    fn old_files_are_removed_and_future_ones_are_sent_now() {
        let events = files([1_000, 2_000, 9_000, 99_000_000]);
        let plan = plan(&listing(&events), &CAPS, 9_001);
        assert_eq!(plan.expired, events[..2]);
        assert_eq!(plan.send, events[2..]);
    }

    #[test]
    fn nothing_expires_if_everything_looks_old() {
        let events = files([1, 2, 3]);
        let plan = plan(&listing(&events), &CAPS, 1_000_000_000);
        assert_eq!(plan.send, events);
        assert!(plan.expired.is_empty());
    }

    #[test]
    fn files_over_a_cap_are_removed_down_to_nine_tenths() {
        let by = |caps: Caps, count: u64| plan(&listing(&files(0..count)), &caps, 0).evicted.len();
        assert_eq!((by(CAPS, 10), by(CAPS, 11), by(CAPS, 20)), (0, 2, 11));
        let events = Caps { files: 100, events: 10, ..CAPS };
        assert_eq!((by(events, 10), by(events, 11)), (0, 2));
        let bytes = Caps { files: 100, bytes: 100, ..CAPS };
        assert_eq!((by(bytes, 10), by(bytes, 11)), (0, 2));
        let none = Caps { files: 0, ..CAPS };
        assert_eq!(by(none, 3), 3);
        let evicted = plan(&listing(&files(0..11)), &CAPS, 0).evicted;
        assert_eq!(evicted.iter().map(|name| name.created).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_file_is_set_aside_after_eight_attempts() {
        let events = files([1, 2]);
        let poison = [events[0].with_tries(8), events[1].with_tries(7)];
        let plan = plan(&listing(&poison), &CAPS, 3);
        assert_eq!((plan.poison, plan.send), (vec![poison[0]], vec![poison[1]]));
    }

    #[test]
    fn sweeping_leaves_finished_and_foreign_files_alone() {
        let hour = 60 * 60 * 1000;
        let finished = files([1, hour]);
        let mut names: Vec<String> = finished.iter().map(ToString::to_string).collect();
        let (old, young) = (name::temporary(1), name::temporary(2 * hour));
        let bad: Vec<String> =
            files([hour + 1, hour + 2, hour + 3, hour + 4]).iter().map(|f| name::bad(*f)).collect();
        names.extend([old.clone(), young, ".lock".to_owned(), "notes.txt".to_owned(), name::open(1)]);
        names.extend(bad.clone());
        let caps = Caps { age: 100 * hour, ..CAPS };
        let plan = plan(&Listing::of(names), &caps, 2 * hour);
        assert_eq!(plan.sweep, [old, bad[0].clone()]);
        assert_eq!(plan.send, finished);
    }

    #[test]
    fn files_that_were_set_aside_are_removed_when_old() {
        let bad = name::bad(FileName::new(1, 1, 1));
        let plan = plan(&Listing::of([bad.clone()]), &CAPS, 8_000);
        assert_eq!(plan.sweep, [bad]);
    }
}
