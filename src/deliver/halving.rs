//! How often a refused batch may be cut in two.

/// The budget for cutting refused batches, in the order in which answers come.
///
/// An endpoint that refuses one event accepts the others once they travel without it, so a search for that event
/// meets an acceptance after at most as many cuts as halving the batch to single events takes. One that refuses
/// everything never accepts, and would get two requests for each event: after that many cuts and
/// [`SLACK`](Self::SLACK) more, what is refused is not cut again. From then on each further batch gets a single cut,
/// until something is accepted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Halving {
    /// Cuts that are left before something has to be accepted.
    left: u32,
    /// What `left` returns to when something is accepted.
    full: u32,
    /// Whether the last search has ended without anything accepted.
    refuses_all: bool,
}

/// Which part of a refused batch another one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It was not cut.
    Whole,
    /// The half that is sent first.
    First,
    /// The half that is sent after the first, or the first when it was sent again.
    Last,
}

/// What may be done with a batch that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is sent in halves.
    Halve,
    /// It is sent again after the other half: if that is accepted, there is something to search for.
    Defer,
    /// It is given up.
    GiveUp,
}

impl Halving {
    /// Several wrong events side by side are met without an acceptance between them.
    const SLACK: u32 = 4;

    /// Notes that events were accepted.
    pub(crate) fn accepted(&mut self) {
        self.left = self.full;
        self.refuses_all = false;
    }

    /// Decides what may be done with a refused batch of this many events.
    pub(crate) fn refused(&mut self, events: usize, part: Part) -> Cut {
        if events < 2 {
            return Cut::GiveUp;
        }
        if part == Part::Whole {
            let depth = usize::BITS - (events - 1).leading_zeros();
            self.full = depth.saturating_add(Self::SLACK);
            self.left = if self.refuses_all { 1 } else { self.full };
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Cut::Halve
            }
            None if part == Part::First => Cut::Defer,
            None => {
                self.refuses_all = true;
                Cut::GiveUp
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::prelude::*;

    use super::{Cut, Halving, Part};

    /// What became of one batch.
    struct Sent {
        requests: u32,
        accepted: Vec<usize>,
    }

    /// Sends a batch of numbered events and its parts, first part first.
    fn send(halving: &mut Halving, events: usize, accepts: impl Fn(Range<usize>) -> bool) -> Sent {
        let mut sent = Sent { requests: 0, accepted: Vec::new() };
        let mut due = vec![(0..events, Part::Whole)];
        while let Some((range, part)) = due.pop() {
            sent.requests += 1;
            if accepts(range.clone()) {
                halving.accepted();
                sent.accepted.extend(range);
                continue;
            }
            match halving.refused(range.len(), part) {
                Cut::Halve => {
                    let middle = range.start + range.len() / 2;
                    due.extend([(middle..range.end, Part::Last), (range.start..middle, Part::First)]);
                }
                Cut::Defer => due.insert(due.len().saturating_sub(1), (range, Part::Last)),
                Cut::GiveUp => {}
            }
        }
        sent.accepted.sort_unstable();
        sent
    }

    #[test]
    fn a_refusal_of_everything_ends_the_search() {
        let mut halving = Halving::default();
        let first = send(&mut halving, 5000, |_| false);
        assert!(first.requests < 60, "{}", first.requests);
        for _ in 0..3 {
            assert_eq!(send(&mut halving, 100, |_| false).requests, 4);
        }
        assert_eq!(send(&mut halving, 1, |_| false).requests, 1);
        assert_eq!(send(&mut halving, 100, |_| true).requests, 1);
        assert!(send(&mut halving, 100, |_| false).requests > 4, "what is accepted restores the trust");
    }

    #[test]
    fn one_wrong_event_is_found_wherever_it_is() {
        for has_lost_trust in [false, true] {
            for wrong in 0..1000 {
                let mut halving = Halving::default();
                if has_lost_trust {
                    send(&mut halving, 100, |_| false);
                }
                let sent = send(&mut halving, 1000, |part| !part.contains(&wrong));
                let others: Vec<usize> = (0..1000).filter(|event| *event != wrong).collect();
                assert_eq!(sent.accepted, others, "{wrong}");
                assert!(sent.requests <= 22, "{wrong}: {}", sent.requests);
            }
        }
    }

    #[test]
    fn a_limit_of_size_is_met_by_every_part() {
        for limit in [1, 2, 3, 7, 100, 999] {
            let sent = send(&mut Halving::default(), 1000, |part| part.len() <= limit);
            assert_eq!(sent.accepted, (0..1000).collect::<Vec<_>>(), "{limit}");
        }
    }

    proptest! {
        #[test]
        fn a_few_wrong_events_take_no_others_with_them(
            events in 1_usize..3000,
            wrong in proptest::collection::btree_set(0_usize..3000, 0..5),
        ) {
            let sent = send(&mut Halving::default(), events, |mut part| !part.any(|event| wrong.contains(&event)));
            let right: Vec<usize> = (0..events).filter(|event| !wrong.contains(event)).collect();
            prop_assert_eq!(sent.accepted, right);
        }
    }
}
