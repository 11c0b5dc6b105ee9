//! What is to be done with the files of a bucket, decided from their names and the time alone.

use super::name::{Entry, FileName};

/// How many attempts are started with a file before it is set aside: a file that ends the process that reads it
/// must not do so for ever.
pub(crate) const POISON: u8 = 8;

/// How many files that could not be read are kept for whoever wants to look at them.
const MAX_BAD: usize = 3;

/// How old a file must be that was never finished before it is removed, in milliseconds: one hour.
const UNFINISHED: u64 = 60 * 60 * 1000;

/// The bounds of one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caps {
    pub(crate) files: u64,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// In milliseconds.
    pub(crate) age: u64,
}

/// What lies in a bucket, as one look at the directory has shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Oldest first.
    pub(crate) events: Vec<FileName>,
    pub(crate) temporary: Vec<(u64, String)>,
    pub(crate) open: Vec<String>,
    pub(crate) bad: Vec<(u64, String)>,
}

impl Listing {
    /// Sorts names into what they stand for.
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

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// To be sent, oldest first.
    pub(crate) send: Vec<FileName>,
    /// Older than the cap: to be removed and counted.
    pub(crate) expired: Vec<FileName>,
    /// Over the other caps: to be removed and counted.
    pub(crate) evicted: Vec<FileName>,
    /// Tried so often that they are to be set aside and counted.
    pub(crate) poison: Vec<FileName>,
    /// Never finished, or set aside long ago: to be removed without a count.
    pub(crate) sweep: Vec<String>,
}

/// Decides what is to be done with the files of a bucket at a time, in milliseconds since 1970.
pub(crate) fn plan(listing: &Listing, caps: &Caps, now: u64) -> Plan {
    let is_old = |created: u64| now.saturating_sub(created) > caps.age;
    // Where all files look too old at once, it is the clock that is wrong.
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

/// Returns how many of the oldest files have to go: none within the caps, else as many as leave 90 % of each.
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

/// Files, events and bytes of a bucket.
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
    fn what_is_within_the_bounds_is_sent_oldest_first() {
        let events = files([5_000, 9, 10, 100]);
        let plan = plan(&listing(&events), &CAPS, 5_000);
        assert_eq!(plan.send.iter().map(|name| name.created).collect::<Vec<_>>(), [9, 10, 100, 5_000]);
        assert_eq!(Plan { send: Vec::new(), ..plan }, Plan::default());
    }

    #[test]
    fn what_is_too_old_goes_and_what_is_of_the_future_is_due_now() {
        let events = files([1_000, 2_000, 9_000, 99_000_000]);
        let plan = plan(&listing(&events), &CAPS, 9_001);
        assert_eq!(plan.expired, events[..2]);
        assert_eq!(plan.send, events[2..]);
    }

    #[test]
    fn a_clock_that_calls_everything_old_is_not_believed() {
        let events = files([1, 2, 3]);
        let plan = plan(&listing(&events), &CAPS, 1_000_000_000);
        assert_eq!(plan.send, events);
        assert!(plan.expired.is_empty());
    }

    #[test]
    fn over_a_cap_the_oldest_go_down_to_nine_tenths() {
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
    fn a_file_that_was_started_with_eight_times_is_set_aside() {
        let events = files([1, 2]);
        let poison = [events[0].with_tries(8), events[1].with_tries(7)];
        let plan = plan(&listing(&poison), &CAPS, 3);
        assert_eq!((plan.poison, plan.send), (vec![poison[0]], vec![poison[1]]));
    }

    #[test]
    fn housekeeping_touches_no_finished_file_and_no_stranger() {
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
    fn what_was_set_aside_leaves_with_its_age() {
        let bad = name::bad(FileName::new(1, 1, 1));
        let plan = plan(&Listing::of([bad.clone()]), &CAPS, 8_000);
        assert_eq!(plan.sweep, [bad]);
    }
}
