//! An application's own envelope has the rights of those that come with the crate: its limits hold.

#[cfg(feature = "gzip")]
use candor::Compression;
use candor::wire::EnvelopeLimits;
use candor::{Client, Config, Delivered, DynamicEvent, ErrorKind, LossReason};

use testkit::clients::{LONG, client, config, config_for, numbered, numbers};
use testkit::{Limited, Server};

const LIMITS: EnvelopeLimits = EnvelopeLimits::new();

fn limited(config: Config, limits: EnvelopeLimits) -> Config {
    config.envelope(Limited(limits))
}

fn large(n: usize) -> DynamicEvent {
    DynamicEvent::new("large", "usr_1").property("n", n).property("text", "x".repeat(3_000))
}

fn shut_down(client: &Client) {
    assert!(client.shutdown(LONG).unwrap().is_complete());
}

#[test]
fn its_limits_cut_batches() {
    for (limits, max_events, max_bytes) in [
        (LIMITS.max_events(3), 3, usize::MAX),
        (LIMITS.max_body_bytes(600), usize::MAX, 600),
        (LIMITS.max_events(0), 1, usize::MAX),
    ] {
        let server = Server::start([]);
        let client = client(limited(config(&server).flush_at(20), limits));
        (0..20).for_each(|n| client.capture(numbered(n)));
        shut_down(&client);
        let requests = server.requests();
        assert!(requests.len() > 1, "{limits:?}");
        for request in &requests {
            assert!(request.body.len() <= max_bytes && request.events().len() <= max_events, "{limits:?}");
        }
        assert_eq!(numbers(&server.events()), (0..20).collect::<Vec<_>>());
    }
}

#[test]
fn an_event_that_is_too_large_for_it_is_lost_and_counted() {
    for limits in [LIMITS.max_body_bytes(2_000), LIMITS.max_event_bytes(2_000)] {
        let server = Server::start([]);
        let client = client(limited(config(&server).flush_at(100), limits));
        client.capture(numbered(0));
        assert_eq!(client.preview(&large(1)).unwrap_err(), LossReason::TooLarge, "{limits:?}");
        assert!(client.preview(&numbered(0)).is_ok(), "{limits:?}");
        client.capture(large(1));
        client.capture(numbered(2));
        assert_eq!(client.deliver(large(3), LONG).unwrap(), Delivered::Lost(LossReason::TooLarge));
        client.capture(numbered(4));
        shut_down(&client);
        assert_eq!(numbers(&server.events()), [0, 2, 4]);
        let stats = client.stats();
        assert_eq!((stats.captured, stats.sent, stats.lost(LossReason::TooLarge)), (5, 3, 2), "{limits:?}");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn compression_is_used_only_if_it_accepts_that() {
    let gzip = LIMITS.codecs(&[Compression::Gzip]);
    for (limits, codec, sent) in [
        (gzip, Compression::Gzip, Some("gzip")),
        (gzip, Compression::None, None),
        (LIMITS.codecs(&[]), Compression::None, None),
        (LIMITS, Compression::Deflate, Some("deflate")),
    ] {
        let server = Server::start([]);
        let client = client(limited(config(&server).compression(codec), limits));
        client.capture(numbered(0));
        shut_down(&client);
        assert_eq!(server.requests()[0].header("content-encoding"), sent, "{limits:?}");
    }
    let wrong = limited(config_for("http://127.0.0.1:9").compression(Compression::Deflate), gzip);
    let error = Client::new(wrong).expect_err("a codec that the endpoint does not read");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.to_string(), "compression: the envelope accepts [Gzip], not Deflate");
}

#[test]
fn a_setting_beyond_its_limits_is_named() {
    let config = || limited(config_for("http://127.0.0.1:9"), LIMITS.max_body_bytes(2_000));
    let error = Client::new(config().batch_bytes(2_001)).expect_err("a batch that the endpoint refuses");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(
        error.to_string(),
        "batch_bytes: must be at most 2000 bytes, which is what the envelope accepts"
    );
    Client::new(config().batch_bytes(2_000)).expect("what fits");
    Client::new(config()).expect("the default is cut to what fits");
}
