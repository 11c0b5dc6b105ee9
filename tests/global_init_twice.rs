//! There is one global client at a time: a second `init` is an error until the first client is shut down.
//! This is a separate binary because `init` affects the whole process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use candor::{Config, Consent, DynamicEvent, Env, ErrorKind, Notice};
use testkit::Server;

const LONG: Duration = Duration::from_secs(30);

fn config(server: &Server) -> Config {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    let config = Config::new("test-app", "1.0").env(Env::empty()).consent(consent);
    config.endpoint(server.url()).shutdown_timeout(LONG)
}

fn names(server: &Server) -> Vec<String> {
    server.events().iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_second_client_replaces_one_that_was_shut_down() {
    let (first, second, third) = (Server::start([]), Server::start([]), Server::start([]));

    // After an invalid configuration the global client can still be initialised.
    assert_eq!(candor::init(config(&first).flush_at(0)).unwrap_err().kind(), ErrorKind::Config);

    let guard = candor::init(config(&first)).unwrap();
    candor::capture(DynamicEvent::new("one", "id"));
    assert_eq!(candor::init(config(&second)).unwrap_err().kind(), ErrorKind::AlreadyInitialised);
    // The other form neither uses nor ends the first client.
    let idle = candor::init_or_disabled(config(&second));
    let reason = idle.client().disabled_reason().unwrap_or_default();
    assert!(reason.starts_with("candor is already initialised; "), "{reason}");
    drop(idle);
    candor::event!("two", distinct_id = "id");
    drop(guard);
    assert_eq!(names(&first), ["one", "two"]);

    // After the guard: dropped and counted, until there is a new client.
    candor::capture(DynamicEvent::new("lost", "id"));
    assert_eq!(candor::stats().lost_total(), 1);

    let guard = candor::init(config(&second)).unwrap();
    candor::capture(DynamicEvent::new("three", "id"));
    assert_eq!(candor::flush(LONG).unwrap().delivered, 1);
    candor::shutdown(LONG).unwrap();
    drop(guard);
    assert_eq!(names(&second), ["three"]);

    // A guard that a panic drops still sends the captured events.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = candor::init(config(&third)).unwrap();
        candor::capture(DynamicEvent::new("four", "id"));
        panic!("the application's own");
    }));
    assert!(result.is_err());
    assert_eq!(names(&third), ["four"]);
    assert_eq!(names(&first).len() + names(&second).len(), 3);
}
