//! Application code that captures during a capture, and panic payloads that panic when they are dropped.

use std::panic::panic_any;
use std::sync::{Arc, OnceLock};

use candor::encode::Encoder;
use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, DynamicEvent, Event, LossReason};

use testkit::clients::{LONG, client, config, config_for, numbered, numbers};
use testkit::{Reply, Server, eventually};

/// Holds a client for code that the client itself runs.
type Own = Arc<OnceLock<Client>>;

fn names(server: &Server) -> Vec<String> {
    server.events().iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_hook_that_captures_at_each_event_ends_at_the_second_level() {
    let server = Server::start([]);
    let own = Own::default();
    let hook = Arc::clone(&own);
    let client = client(config(&server).before_send(move |view| {
        hook.get().unwrap().capture(DynamicEvent::new("inner", "node-7"));
        Some(view)
    }));
    own.set(client.clone()).ok().unwrap();
    for _ in 0..3 {
        client.capture(DynamicEvent::new("outer", "node-7"));
    }
    client.shutdown(LONG).unwrap();
    assert_eq!(names(&server), ["inner", "outer"].repeat(3));
    let stats = client.stats();
    assert_eq!((stats.captured, stats.sent, stats.lost(LossReason::Recursion)), (9, 6, 3), "{stats}");
}

#[test]
fn hooks_of_two_clients_that_capture_on_each_other_end_as_well() {
    let server = Server::start([]);
    let (one, two) = (Own::default(), Own::default());
    let hooked = |other: &Own| {
        let other = Arc::clone(other);
        client(config(&server).before_send(move |view| {
            other.get().unwrap().capture(numbered(0));
            Some(view)
        }))
    };
    let clients = [hooked(&two), hooked(&one)];
    one.set(clients[0].clone()).ok().unwrap();
    two.set(clients[1].clone()).ok().unwrap();
    clients[0].capture(numbered(0));
    let lost: Vec<_> = clients.iter().map(|client| client.stats().lost(LossReason::Recursion)).collect();
    assert_eq!(lost, [1, 0]);
    for client in clients {
        assert_eq!(client.shutdown(LONG).unwrap().delivered, 1);
    }
}

/// An event that captures itself while it is encoded, or in its `name` method.
struct Selfish<'a> {
    client: &'a Client,
    in_name: bool,
}

impl Event for Selfish<'_> {
    fn name(&self) -> &str {
        if self.in_name {
            self.client.capture(Selfish { ..*self });
        }
        "selfish"
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        if !self.in_name {
            self.client.capture(Selfish { ..*self });
        }
        event.distinct_id("node-7");
    }
}

#[test]
fn an_event_that_captures_itself_ends_at_the_second_level() {
    let server = Server::start([]);
    let client = client(config(&server));
    client.capture(Selfish { client: &client, in_name: false });
    let stats = client.stats();
    assert_eq!((stats.captured, stats.lost(LossReason::Recursion)), (3, 1), "{stats}");
    client.capture(Selfish { client: &client, in_name: true });
    assert!(client.stats().lost(LossReason::Recursion) > 1);
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!(stats.captured, stats.sent + stats.lost(LossReason::Recursion), "{stats}");
    assert!(names(&server).iter().all(|name| name == "selfish"));
}

#[test]
fn an_on_error_hook_that_captures_at_each_failure_ends_with_the_client() {
    let server = Server::always(Reply::status(401));
    let own = Own::default();
    let hook = Arc::clone(&own);
    let client = client(config(&server).flush_at(1).on_error(move |_| {
        hook.get().unwrap().capture(numbered(1));
    }));
    own.set(client.clone()).ok().unwrap();
    client.capture(numbered(0));
    server.wait_for(50);
    client.shutdown(LONG).unwrap();
    eventually("all is counted", || client.stats().queued == 0);
    let stats = client.stats();
    assert_eq!(
        stats.captured,
        stats.lost(LossReason::Rejected) + stats.lost(LossReason::ShuttingDown),
        "{stats}"
    );
}

/// A panic payload that panics with another of its kind when it is dropped.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(left) = self.0.checked_sub(1) {
            panic_any(Bomb(left));
        }
    }
}

/// An event that panics in its name or in its encoding.
struct Bombing {
    in_name: bool,
}

impl Event for Bombing {
    fn name(&self) -> &str {
        if self.in_name { panic_any(Bomb(2)) } else { "bombing" }
    }

    fn encode(&self, _: &mut Encoder<'_>) {
        panic_any(Bomb(2))
    }
}

#[test]
fn a_panic_payload_that_panics_when_dropped_is_contained() {
    let server = Server::start([]);
    let client = client(
        config(&server)
            .before_send(|view| if view.properties["n"] == 2 { panic_any(Bomb(1)) } else { Some(view) }),
    );
    for in_name in [false, true] {
        client.capture(Bombing { in_name });
        client.capture_ai(Bombing { in_name });
    }
    client.capture(numbered(2));
    client.capture(numbered(3));
    let stats = client.stats();
    assert_eq!(
        (stats.lost(LossReason::EventPanicked), stats.lost(LossReason::HookPanicked)),
        (4, 1),
        "{stats}"
    );
    client.shutdown(LONG).unwrap();
    assert_eq!(numbers(&server.events()), [3]);
}

#[test]
fn the_worker_survives_a_panic_payload_that_panics() {
    struct Bomber;
    impl Transport for Bomber {
        fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
            let numbers = candor::testing::events_of(request.body);
            if numbers[0].properties["n"] == 1 { panic_any(Bomb(1)) } else { Ok(Response::status(200)) }
        }
    }
    let config = config_for("http://127.0.0.1:9").transport(|_| Ok(Box::new(Bomber)));
    let client = client(config.on_error(|_| panic_any(Bomb(1))));
    for n in [1, 2] {
        client.capture(numbered(n));
        client.flush(LONG).unwrap();
    }
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::WorkerPanicked)), (1, 1), "{stats}");
    client.shutdown(LONG).unwrap();
}
