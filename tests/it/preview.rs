//! A preview shows what would be sent, byte for byte, and sends nothing.

use candor::wire::FlatRecord;
use candor::{Client, Config, Consent, DynamicEvent, Event, LossReason, Protocol, Sampling, Timestamp};
use uuid::Uuid;

use testkit::Server;
use testkit::clients::{LONG, client, config};
use testkit::lines;

/// A request was made.
#[derive(Clone, Event)]
#[event(name = "request made: ärger")]
struct Made {
    #[event(distinct_id, hashed = "usr")]
    by: &'static str,
    #[event(group = "company", raw = "a name that everybody knows")]
    company: &'static str,
    #[event(pattern = "[a-z ]+")]
    how: &'static str,
    size: u64,
    #[event(timestamp)]
    at: Timestamp,
    #[event(uuid)]
    id: Uuid,
}

fn made() -> Made {
    Made {
        by: "ada",
        company: "Größe & Söhne",
        how: "with care",
        size: u64::MAX,
        at: Timestamp::from_unix_millis(1_700_000_000_123),
        id: Uuid::from_u128(0x0198_c7a5_0000_7000_8000_0000_0000_0001),
    }
}

/// Captures the event, and compares what arrives with the previews of an enabled and a disabled client.
fn check(set: impl Fn(Config) -> Config) {
    let server = Server::start([]);
    let open = client(set(config(&server)));
    let closed =
        Client::new(set(config(&server)).consent(Consent::opt_in().policy_file(""))).expect("a client");
    assert!(!closed.is_enabled());
    let previews = [open.preview(&made()).expect("bytes"), closed.preview(&made()).expect("bytes")];
    assert_eq!(server.connections(), 0);
    assert_eq!((open.stats().captured, closed.stats().captured), (0, 0));
    open.capture(made());
    open.flush(LONG).expect("a flush");
    let received = &server.requests()[0];
    for preview in &previews {
        assert_eq!(received.target, preview.path());
        let start = received.body.windows(preview.event().len()).position(|bytes| bytes == preview.event());
        let start = start.unwrap_or_else(|| panic!("{preview}\n{}", String::from_utf8_lossy(&received.body)));
        // The text around the event does not depend on it, except for the time of the request.
        assert_eq!(preview.body().len(), received.body.len());
        assert_eq!(
            preview.body().windows(preview.event().len()).position(|b| b == preview.event()),
            Some(start)
        );
    }
    assert_eq!(previews[0].event(), previews[1].event());
}

#[test]
fn of_the_batch_form() {
    check(|config| config);
    check(|config| config.api_key("phc_test").super_property("plan", "pro").group("deployment", "dep_1"));
}

#[test]
fn of_the_newer_protocol() {
    check(|config| config.protocol(Protocol::V1).api_key("phc_test"));
}

#[test]
fn of_a_flat_record() {
    check(|config| config.envelope(FlatRecord::new("/record")));
}

#[test]
fn with_hooks_and_without_sampling() {
    check(|config| {
        config.before_send(|mut event| {
            event.properties.insert("seen".to_owned(), true.into());
            Some(event)
        })
    });
    let server = Server::start([]);
    let never = client(config(&server).sample(Sampling::evenly(0.0)));
    assert!(never.preview(&made()).is_ok());
}

#[test]
fn says_why_nothing_would_be_sent() {
    let server = Server::start([]);
    let nobody = Made { by: "", ..made() };
    assert_eq!(Client::disabled().preview(&nobody), Err(LossReason::EmptyDistinctId));
    let hooked = client(config(&server).before_send(|_| None));
    assert_eq!(hooked.preview(&made()), Err(LossReason::DroppedByHook));
    assert_eq!(hooked.stats().lost_total(), 0);
}

#[test]
fn without_a_client_the_settings_are_those_of_a_new_one() {
    let preview = candor::preview(&made()).expect("bytes");
    assert!(preview.to_string().starts_with("{\"batch\":[{\"uuid\":\"0198c7a5-"), "{preview}");
    assert!(!format!("{preview:?}").contains("Größe"));
}

#[test]
fn a_preview_uses_up_no_warning() {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server));
    let wrong = || DynamicEvent::new("wrong", "id").property("$lib", "other").property("n", f64::NAN);
    client.preview(&wrong()).expect("the rest of the event");
    assert_eq!(client.preview(&DynamicEvent::new("", "id")).unwrap_err(), LossReason::EmptyName);
    let told =
        || lines::warnings_here().into_iter().filter(|line| line.starts_with("event ")).collect::<Vec<_>>();
    assert_eq!(told(), Vec::<String>::new());
    client.capture(wrong());
    client.capture(DynamicEvent::new("", "id"));
    let told = told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("was left out") && told[1].contains("empty name"), "{told:?}");
}
