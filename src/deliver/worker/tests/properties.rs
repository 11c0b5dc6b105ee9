//! Property tests of the worker, for any sizes, flushes and responses: no event is lost, none arrives twice unless the
//! outcome was unknown, the order and the limits hold, and invalid events cost no others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::super::*;
use super::bench::Bench;
use crate::settings::Retry;
use crate::transport::{Request, Response, SendError, Transport};
use crate::wire::{Attempt, Envelope, EnvelopeLimits, EventResult, PostHogBatch, Verdict, WireEvent};

/// What the endpoint does with a request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Busy,
    TooLarge,
    NotSent,
    /// Accepts the events, but the response is lost.
    Unknown,
    /// Returns a result for each event: even numbers are accepted, odd ones are to be retried.
    Each,
}

/// An endpoint without a network that keeps the events it accepts.
#[derive(Default)]
struct Endpoint {
    faults: Mutex<Vec<Option<Fault>>>,
    taken: Mutex<Vec<(u64, Value)>>,
    /// Events that were accepted the first time without the client learning of it.
    unknown: Mutex<BTreeSet<u64>>,
    bodies: Mutex<Vec<(usize, Vec<u64>)>>,
}

impl Endpoint {
    fn take(&self, events: &[Value]) {
        self.taken.lock().unwrap().extend(events.iter().map(|event| (number(event), event.clone())));
    }
}

fn number(event: &Value) -> u64 {
    event["properties"]["n"].as_u64().unwrap()
}

impl Transport for Endpoint {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let body: Value = serde_json::from_slice(request.body).expect("a body is JSON");
        let events = body["batch"].as_array().unwrap().clone();
        self.bodies.lock().unwrap().push((request.body.len(), events.iter().map(number).collect()));
        let fault = self.faults.lock().unwrap().pop().flatten();
        if events.iter().any(|event| event["event"] == "poison") {
            return Ok(Response::status(400));
        }
        match fault {
            Some(Fault::Busy) => Ok(Response::status(503)),
            Some(Fault::TooLarge) if events.len() > 1 => Ok(Response::status(413)),
            Some(Fault::NotSent) => Err(SendError::NotSent("refused".to_owned())),
            Some(Fault::Unknown) => {
                self.unknown.lock().unwrap().extend(events.iter().map(number));
                self.take(&events);
                Err(SendError::Unknown("reset".to_owned()))
            }
            Some(Fault::Each) => {
                let (even, odd): (Vec<_>, Vec<_>) =
                    events.into_iter().partition(|e| number(e).is_multiple_of(2));
                self.take(&even);
                let again: Vec<&str> = odd.iter().filter_map(|event| event["uuid"].as_str()).collect();
                Ok(Response::status(207).with_body(again.join(" ")))
            }
            Some(Fault::TooLarge) | None => {
                self.take(&events);
                Ok(Response::status(200))
            }
        }
    }
}

/// PostHog's envelope with a maximum number of events, and with a result for each event if the status is 207.
struct WithResults(PostHogBatch, usize);

impl Envelope for WithResults {
    fn path(&self) -> &str {
        self.0.path()
    }

    fn limits(&self) -> EnvelopeLimits {
        EnvelopeLimits::new().max_events(self.1)
    }

    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>) {
        self.0.begin(batch, body);
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        self.0.event(event, body);
    }

    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        self.0.end(batch, attempt, body);
    }

    fn verdict(&self, response: &Response) -> Verdict {
        if response.status != 207 {
            return self.0.verdict(response);
        }
        let again = std::str::from_utf8(&response.body).unwrap().split_whitespace();
        let retry = |id: &str| (id.parse().unwrap(), EventResult::Retry("later".to_owned()));
        Verdict::Each { results: again.map(retry).collect(), names_all: false, wait: None }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Capture { padding: usize, is_poison: bool },
    Flush,
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0_usize..600, prop::bool::weighted(0.05))
            .prop_map(|(padding, is_poison)| Act::Capture { padding, is_poison }),
        1 => Just(Act::Flush),
        1 => (0_u64..10_000).prop_map(Act::Pass),
    ]
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Fault::Busy)),
        1 => Just(Some(Fault::TooLarge)),
        1 => Just(Some(Fault::NotSent)),
        1 => Just(Some(Fault::Unknown)),
        1 => Just(Some(Fault::Each)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_arrives_whatever_the_responses(
        acts in prop::collection::vec(act(), 1..120),
        faults in prop::collection::vec(fault(), 0..60),
        flush_at in 1_usize..30,
        max_events in 1_usize..40,
        batch_bytes in 200_usize..5000,
        waiting_batches in 1_usize..5,
    ) {
        let endpoint = Arc::new(Endpoint { faults: Mutex::new(faults), ..Endpoint::default() });
        let batching = Batching { flush_at, batch_bytes, ..Batching::default() };
        let retry = Retry { waiting_batches, ..Retry::default() };
        let envelope = Arc::new(WithResults(PostHogBatch::default(), max_events));
        let mut bench = Bench::new(batching, retry, envelope, Arc::clone(&endpoint) as Arc<dyn Transport>);

        let (mut captured, mut poison) = (0, BTreeSet::new());
        let mut replies = Vec::new();
        for act in acts {
            match act {
                Act::Capture { padding, is_poison } => {
                    if is_poison {
                        poison.insert(captured);
                    }
                    bench.capture(if is_poison { "poison" } else { "counted" }, captured, padding);
                    captured += 1;
                }
                Act::Flush => {
                    replies.push(bench.flush(Duration::from_secs(60)));
                    bench.run();
                }
                Act::Pass(millis) => {
                    bench.clock.advance(Duration::from_millis(millis));
                    bench.run();
                }
            }
        }
        // A shutdown would not wait for events that never reached the endpoint.
        bench.settle();
        bench.shutdown(Duration::from_secs(1_000_000));
        bench.run_out();

        // Only the poison is lost, and the counts agree.
        let stats = bench.stats();
        prop_assert_eq!(stats.queued, 0);
        prop_assert_eq!(stats.lost(LossReason::Rejected), poison.len() as u64);
        prop_assert_eq!(stats.sent, captured - poison.len() as u64);
        prop_assert_eq!(bench.queue.depth(), QueueDepth::default());
        prop_assert!(replies.iter().all(|done| done.try_recv().is_ok()));

        let mut arrivals: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
        for (n, event) in endpoint.taken.lock().unwrap().drain(..) {
            arrivals.entry(n).or_default().push(event);
        }
        let wanted: BTreeSet<u64> = (0..captured).filter(|n| !poison.contains(n)).collect();
        prop_assert_eq!(arrivals.keys().copied().collect::<BTreeSet<_>>(), wanted);
        let unknown = endpoint.unknown.lock().unwrap();
        for (n, same) in &arrivals {
            prop_assert!(same.len() == 1 || unknown.contains(n), "{} arrived twice", n);
            prop_assert!(same.windows(2).all(|pair| pair[0] == pair[1]), "{} changed", n);
        }
        let ids: BTreeSet<_> = arrivals.values().map(|same| same[0]["uuid"].to_string()).collect();
        prop_assert_eq!(ids.len(), arrivals.len());

        // Limits and order hold in every request.
        for (bytes, numbers) in endpoint.bodies.lock().unwrap().iter() {
            prop_assert!(!numbers.is_empty() && numbers.len() <= max_events);
            prop_assert!(*bytes <= batch_bytes || numbers.len() == 1, "{} bytes", bytes);
            prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", numbers);
        }
    }
}
