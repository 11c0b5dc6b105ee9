//! Without `init` the free functions do nothing, return an error if they return a `Result`, and never panic.
//! This is a separate binary because `init` affects the whole process.

use std::time::Duration;

use candor::consent::{ConsentState, Layer};
use candor::{Config, Consent, DynamicEvent, Env, ErrorKind, Notice, Stats};

fn evaluated() -> u32 {
    panic!("an argument was evaluated without a client")
}

#[test]
fn free_functions_without_init_are_harmless() {
    candor::capture(DynamicEvent::new("name", "id"));
    candor::event!("name", distinct_id = "id", n = evaluated());
    assert!(candor::client().is_none());
    assert_eq!(candor::stats(), Stats::default());
    let minute = Duration::from_secs(60);
    assert_eq!(candor::flush(minute).unwrap_err().kind(), ErrorKind::NotRunning);
    assert_eq!(candor::shutdown(minute).unwrap_err().kind(), ErrorKind::NotRunning);
    assert!(candor::flush(minute).unwrap_err().to_string().contains("call `init` first"));

    // Nor does an `init` that failed start anything, but its client says whose it is and why it is off.
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let config = Config::new("test-app", "1.0").env(Env::empty()).consent(consent);
    let guard = candor::init_or_disabled(config.endpoint("https://t.example.com/batch/"));
    let status = guard.client().status();
    let text = status.to_string();
    assert_eq!((status.state, status.decided_by), (ConsentState::Denied, Layer::Runtime), "{text}");
    assert!(text.contains("mode: opt-out") && text.contains("TEST_APP_TELEMETRY_DISABLED"), "{text}");
    assert!(
        text.contains("endpoint: remove the path `/batch`") && !text.contains("Client::disabled"),
        "{text}"
    );
    let error = candor::flush(minute).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRunning);
    assert!(error.to_string().starts_with("telemetry is disabled, because `init` failed"), "{error}");
}
