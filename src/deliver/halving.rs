//! Limits how often refused batches are cut in two.

/// The budget for cutting refused batches, in the order in which responses arrive.
///
/// An endpoint that refuses one event accepts the others once they are sent without it, so the search for that event
/// finds an acceptance after at most as many cuts as it takes to halve the batch down to single events. An endpoint
/// that refuses everything never accepts, and would get two requests for each event. So after that many cuts and
/// [`SLACK`](Self::SLACK) more, refused batches are no longer cut. From then on each further batch is cut only once,
/// until something is accepted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Halving {
    /// The number of cuts left before something has to be accepted.
    left: u32,
    /// The value to which `left` is reset when something is accepted.
    full: u32,
    /// Whether the last search ended without an acceptance.
    refuses_all: bool,
}

/// Which part of a refused batch a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Not a part: it was not cut.
    Whole,
    /// The half that is sent first.
    First,
    /// The half that is sent second, or a first half that is sent again.
    Last,
}

/// What to do with a refused batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Send it in halves.
    Halve,
    /// Send it again after the other half: if that one is accepted, the search can continue.
    Defer,
    /// Give it up.
    GiveUp,
}

impl Halving {
    /// Further cuts, since several invalid events may be adjacent, with no acceptance between them.
    const SLACK: u32 = 4;

    /// Records that events were accepted.
    pub(crate) fn accepted(&mut self) {
        self.left = self.full;
        self.refuses_all = false;
    }

    /// Decides what to do with a refused batch of this many events.
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

    /// Sends a batch of numbered events, and then its parts in order.
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
    fn the_search_ends_if_everything_is_refused() {
        let mut halving = Halving::default();
        let first = send(&mut halving, 5000, |_| false);
        assert!(first.requests < 60, "{}", first.requests);
        for _ in 0..3 {
            assert_eq!(send(&mut halving, 100, |_| false).requests, 4);
        }
        assert_eq!(send(&mut halving, 1, |_| false).requests, 1);
        assert_eq!(send(&mut halving, 100, |_| true).requests, 1);
        assert!(send(&mut halving, 100, |_| false).requests > 4, "an acceptance restores the budget");
    }

    #[test]
    fn one_invalid_event_is_found_at_any_position() {
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
    fn batches_are_halved_until_they_fit_the_endpoint() {
        for limit in [1, 2, 3, 7, 100, 999] {
            let sent = send(&mut Halving::default(), 1000, |part| part.len() <= limit);
            assert_eq!(sent.accepted, (0..1000).collect::<Vec<_>>(), "{limit}");
        }
    }

    proptest! {
        #[test]
        fn a_few_invalid_events_cost_no_others(
            events in 1_usize..3000,
            wrong in proptest::collection::btree_set(0_usize..3000, 0..5),
        ) {
            let sent = send(&mut Halving::default(), events, |mut part| !part.any(|event| wrong.contains(&event)));
            let right: Vec<usize> = (0..events).filter(|event| !wrong.contains(event)).collect();
            prop_assert_eq!(sent.accepted, right);
        }
    }
}
