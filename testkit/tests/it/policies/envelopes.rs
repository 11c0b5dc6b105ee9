//! One pipeline for every envelope: the same gate, queue, budget, counts and printing.

use std::time::{Duration, Instant};

use candor::wire::{Attempt, BatchInfo, Bearer, Envelope, FlatRecord, WireEvent};
use candor::{Client, Config, Env, LossReason, Protocol};

use testkit::clients::{LONG, SOON, config, numbered};
use testkit::lines;
use testkit::{Reply, Server, eventually};

/// A custom envelope: one line for each event.
struct Lines;

impl Envelope for Lines {
    fn path(&self) -> &str {
        "/lines"
    }

    fn begin(&self, _: &BatchInfo, _: &mut Vec<u8>) {}

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        body.push(b'\n');
        event.write_properties(body);
    }

    fn end(&self, _: &BatchInfo, _: Attempt, _: &mut Vec<u8>) {}
}

/// Configures one envelope.
type Form = fn(Config) -> Config;

/// Every envelope, with the path that it posts to, and whether each event has its own request.
const FORMS: [(&str, &str, bool, Form); 6] = [
    ("v0", "/batch/", false, |config| config.api_key("phc_1")),
    ("v0 without a key", "/batch/", false, |config| config),
    ("legacy", "/batch/", false, |config| config.protocol(Protocol::Legacy)),
    ("flat", "/t", true, |config| config.envelope(FlatRecord::new("/t").sent_at("at"))),
    ("bearer", "/cli/t", true, |config| {
        config.envelope(Bearer::new("tok_envelopes", FlatRecord::new("/cli/t")).expect("a token"))
    }),
    ("own", "/lines", false, |config| config.envelope(Lines)),
];

fn each(test: impl Fn(&str, &str, bool, Form)) {
    for (name, path, is_single, form) in FORMS {
        test(name, path, is_single, form);
    }
}

fn client(config: Config) -> Client {
    Client::new(config).expect("a configuration that works")
}

#[test]
fn all_events_arrive_once_at_their_path() {
    each(|name, path, is_single, form| {
        let server = Server::start([]);
        let client = client(form(config(&server)));
        (0..25).for_each(|n| client.capture(numbered(n)));
        let done = client.shutdown(LONG).expect("a shutdown");
        assert_eq!((done.delivered, done.is_complete()), (25, true), "{name}");
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.target == path), "{name}");
        assert_eq!(requests.len() == 25, is_single, "{name}");
        let bodies: String = requests.iter().map(|r| String::from_utf8_lossy(&r.body).into_owned()).collect();
        (0..25).for_each(|n| {
            let (in_middle, at_end) = (format!("\"n\":{n},"), format!("\"n\":{n}}}"));
            let found = bodies.matches(&in_middle).count() + bodies.matches(&at_end).count();
            assert_eq!(found, 1, "{name}: {n}");
        });
    });
}

#[test]
fn the_gate_is_the_same() {
    each(|name, _, _, form| {
        let server = Server::start([]);
        let denied = client(form(config(&server)).env(Env::empty().with("DO_NOT_TRACK", "1")));
        denied.capture(numbered(1));
        denied.shutdown(LONG).expect("a shutdown");
        assert_eq!((server.connections(), denied.stats().captured), (0, 0), "{name}");
    });
}

#[test]
fn the_queue_and_its_counts_are_the_same() {
    each(|name, _, _, form| {
        let server = Server::always(Reply::ok().held());
        let slow = form(config(&server)).queue_events(4).flush_at(1).flush_interval(Duration::from_millis(1));
        let client = client(slow);
        client.capture(numbered(0));
        server.wait_for(1);
        (1..=10).for_each(|n| client.capture(numbered(n)));
        server.release();
        client.shutdown(LONG).expect("a shutdown");
        let stats = client.stats();
        let lost = stats.lost(LossReason::QueueFull);
        assert!((5..=6).contains(&lost), "{name}: {lost}");
        assert_eq!((stats.captured, stats.sent + lost), (11, 11), "{name}");
    });
}

#[test]
fn the_budget_is_the_same() {
    let threads: Vec<_> = FORMS
        .into_iter()
        .map(|(name, _, _, form)| {
            std::thread::spawn(move || {
                let server = Server::always(Reply::stall());
                let client = client(form(config(&server)));
                (0..3).for_each(|n| client.capture(numbered(n)));
                let begun = Instant::now();
                let done = client.shutdown(Duration::from_millis(200)).expect("a shutdown");
                assert!(begun.elapsed() < SOON, "{name}: {:?}", begun.elapsed());
                assert_eq!(done.delivered, 0, "{name}");
                eventually("the loss to be counted", || client.stats().lost_total() == 3);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a shutdown within its time");
    }
}

#[test]
fn a_retry_has_the_same_event() {
    each(|name, _, _, form| {
        let server = Server::start([Reply::status(503), Reply::reset_after_body()]);
        let client = client(form(config(&server)));
        client.capture(numbered(7));
        client.shutdown(LONG).expect("a shutdown");
        assert_eq!((server.requests().len(), client.stats().sent), (3, 1), "{name}");
        let plain = |body: &[u8]| {
            let text = String::from_utf8_lossy(body).into_owned();
            // The parts that are new in each attempt follow the event.
            let end = text.find("\"sent_at\"").or(text.find("\"at\":")).unwrap_or(text.len());
            text[..end].to_owned()
        };
        let bodies: Vec<String> = server.requests().iter().map(|request| plain(&request.body)).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{name}: {bodies:?}");
    });
}

#[test]
fn the_printed_text_is_the_body_without_a_token() {
    lines::listen();
    each(|name, _, _, form| {
        let server = Server::start([]);
        let client = client(form(config(&server)).debug(true));
        client.capture(numbered(424_242));
        client.shutdown(LONG).expect("a shutdown");
        assert_eq!(server.requests().len(), 1, "{name}");
    });
    let printed: Vec<String> = lines::all()
        .into_iter()
        .filter(|line| line.target == "candor::batch" && line.text.contains("424242"))
        .map(|line| line.text)
        .collect();
    assert_eq!(printed.len(), FORMS.len());
    assert!(lines::all().iter().all(|line| !line.text.contains("tok_envelopes")));
}
