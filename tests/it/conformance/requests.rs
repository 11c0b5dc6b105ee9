//! Request line, headers, envelope, compression.

use candor::testing::MemoryTransport;
use candor::transport::Transport;
use candor::{Client, Compression, Config, Protocol};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;
use testkit::clients::granted;

#[test]
fn a_batch_is_posted_to_the_path_of_its_protocol() {
    for (protocol, path) in [(Protocol::V0, "/batch/"), (Protocol::V1, "/i/v1/analytics/events")] {
        let request = &sent(protocol, |it| it, [numbered(1)]).requests[0];
        assert_eq!((&*request.method, &*request.target), ("POST", path));
    }
}

#[test]
fn the_default_protocol_is_v0() {
    let outcome = run_with(|_| Reply::ok(), config, [numbered(1)]);
    assert_eq!(outcome.requests[0].target, "/batch/");
}

#[test]
fn the_endpoint_is_normalised_and_its_path_is_kept() {
    for (host, url) in [
        (" https://us.i.posthog.com/ ", "https://us.i.posthog.com/batch/"),
        ("https://app.posthog.com", "https://us.i.posthog.com/batch/"),
        ("https://us.posthog.com/", "https://us.i.posthog.com/batch/"),
        ("https://eu.posthog.com", "https://eu.i.posthog.com/batch/"),
        ("https://proxy.example.com/relay//", "https://proxy.example.com/relay/batch/"),
    ] {
        let memory = MemoryTransport::new();
        let kept = memory.clone();
        let config = Config::new("app", "1.0")
            .env(candor::Env::empty())
            .consent(granted())
            .endpoint(host)
            .transport(move |_| Ok(Box::new(kept.clone()) as Box<dyn Transport>));
        let client = Client::new(config).unwrap();
        client.capture(numbered(1));
        client.shutdown(LONG).unwrap();
        assert_eq!(memory.sent()[0].url, url, "{host}");
    }
}

#[test]
fn the_body_is_declared_as_json() {
    for protocol in BOTH {
        let request = &sent(protocol, |it| it, [numbered(1)]).requests[0];
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert!(request.header("content-length").is_some());
    }
}

#[test]
fn the_user_agent_is_a_name_and_a_version() {
    for protocol in BOTH {
        let request = &sent(protocol, |it| it, [numbered(1)]).requests[0];
        assert_eq!(request.header("user-agent"), Some("test-app/1.2.3"));
    }
}

#[test]
fn the_key_is_in_the_body_in_v0_and_in_a_header_in_v1() {
    let request = &sent(Protocol::V0, |it| it, [numbered(1)]).requests[0];
    assert_eq!(request.json()["api_key"], "phc_test_key");
    assert_eq!(request.header("authorization"), None);
    let request = &sent(Protocol::V1, |it| it, [numbered(1)]).requests[0];
    assert_eq!(request.header("authorization"), Some("Bearer phc_test_key"));
    assert!(!String::from_utf8(request.plain()).unwrap().contains("phc_test_key"));
}

#[test]
fn a_key_is_trimmed_and_a_wrong_one_is_refused_before_anything_is_sent() {
    let request = &sent(Protocol::V0, |it| it.api_key(" phc_other\n"), [numbered(1)]).requests[0];
    assert_eq!(request.json()["api_key"], "phc_other");
    for key in ["phx_personal", "k\u{e9}y", "a\u{0}b", &"k".repeat(65)] {
        let config = Config::new("app", "1.0").endpoint("http://127.0.0.1:1").api_key(key);
        let error = Client::new(config.env(candor::Env::empty()).consent(granted())).unwrap_err();
        assert!(error.to_string().starts_with("api_key: ") && !error.to_string().contains(key), "{error}");
    }
}

#[test]
fn the_root_of_a_body_has_these_keys_and_no_others() {
    for (protocol, is_migration, keys) in [
        (Protocol::V0, false, &["api_key", "batch", "sent_at"][..]),
        (Protocol::V0, true, &["api_key", "batch", "historical_migration", "sent_at"]),
        (Protocol::V1, false, &["batch", "created_at"]),
        (Protocol::V1, true, &["batch", "created_at", "historical_migration"]),
    ] {
        let outcome = sent(protocol, |it| it.historical_migration(is_migration), [numbered(1)]);
        let body = outcome.requests[0].json();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
        assert!(body["batch"].is_array());
        assert_eq!(body.get("historical_migration"), is_migration.then_some(&json!(true)));
    }
}

#[test]
fn an_empty_flush_makes_no_request() {
    for protocol in BOTH {
        let outcome = sent(protocol, |it| it, std::iter::empty::<DynamicEvent>());
        assert!(outcome.requests.is_empty());
    }
}

#[test]
fn without_compression_there_is_no_content_encoding() {
    for protocol in BOTH {
        let request = &sent(protocol, |it| it, [numbered(1)]).requests[0];
        assert_eq!(request.header("content-encoding"), None);
    }
}

#[test]
fn a_compressed_body_names_its_codec_and_holds_the_same_events() {
    for (protocol, codec, name) in [
        (Protocol::V0, Compression::Gzip, "gzip"),
        (Protocol::V1, Compression::Gzip, "gzip"),
        (Protocol::V1, Compression::Deflate, "deflate"),
    ] {
        let outcome = sent(protocol, |it| it.compression(codec), (0..50).map(numbered));
        let request = &outcome.requests[0];
        assert_eq!(request.header("content-encoding"), Some(name));
        assert!(request.body.len() < request.plain().len() / 4);
        assert_eq!(request.events().len(), 50);
        if codec == Compression::Deflate {
            assert_eq!(request.body[0], 0x78, "a zlib stream");
        }
    }
}

#[cfg(all(feature = "brotli", feature = "zstd"))]
#[test]
fn brotli_and_zstd_come_with_their_features() {
    use std::io::Read;
    for (codec, name) in [(Compression::Brotli, "br"), (Compression::Zstd, "zstd")] {
        let empty = || Reply::ok().body(r#"{"results":{}}"#);
        let configure = |server: &Server| plain(server, Protocol::V1).compression(codec);
        let outcome = run_with(move |_| empty(), configure, (0..50).map(numbered));
        let request = &outcome.requests[0];
        assert_eq!(request.header("content-encoding"), Some(name));
        let mut body = Vec::new();
        match codec {
            Compression::Brotli => brotli::BrotliDecompress(&mut &*request.body, &mut body).unwrap(),
            _ => {
                let mut decoder = ruzstd::decoding::StreamingDecoder::new(&*request.body).unwrap();
                decoder.read_to_end(&mut body).map(drop).unwrap();
            }
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["batch"].as_array().unwrap().len(), 50);
        assert_eq!(outcome.stats.sent, 50);
    }
}

#[test]
fn a_codec_that_the_protocol_or_the_build_lacks_is_refused_at_creation() {
    let refusal = |protocol, codec| {
        let config = Config::new("app", "1.0").endpoint("http://127.0.0.1:1").protocol(protocol);
        let config = config.env(candor::Env::empty()).consent(granted()).compression(codec);
        Client::new(config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for codec in [Compression::Deflate, Compression::Brotli, Compression::Zstd] {
        assert!(refusal(Protocol::V0, codec).starts_with("compression: "), "{codec:?}");
    }
    assert_eq!(refusal(Protocol::V1, Compression::Brotli).is_empty(), cfg!(feature = "brotli"));
    assert_eq!(refusal(Protocol::V1, Compression::Zstd).is_empty(), cfg!(feature = "zstd"));
}

#[test]
fn sent_at_is_the_time_of_the_attempt() {
    let before = OffsetDateTime::now_utc();
    let outcome = run(Protocol::V0, 1, then_taken(vec![Reply::status(503)]));
    let sent_at: Vec<_> =
        outcome.requests.iter().map(|request| utc(request.json()["sent_at"].as_str().unwrap())).collect();
    // The timestamp has milliseconds, so the clock is truncated to them.
    assert!(sent_at[0] >= before - time::Duration::milliseconds(1) && sent_at[0] < sent_at[1], "{sent_at:?}");
}

#[test]
fn v1_headers_name_sender_attempt_batch_and_time() {
    let outcome = run(Protocol::V1, 1, then_taken(vec![Reply::status(503), Reply::status(500)]));
    let header = |name: &str| -> Vec<String> {
        outcome.requests.iter().map(|request| request.header(name).unwrap().to_owned()).collect()
    };
    assert_eq!(header("posthog-attempt"), ["1", "2", "3"]);
    let ids = header("posthog-request-id");
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && Uuid::parse_str(&ids[0]).is_ok(), "{ids:?}");
    let times = header("posthog-request-timestamp");
    assert!(utc(&times[0]) < utc(&times[1]) && utc(&times[1]) < utc(&times[2]), "{times:?}");
    let info = header("posthog-sdk-info");
    assert_eq!(info[0], format!("candor/{}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn v1_request_ids_differ_between_batches() {
    let outcome = sent(Protocol::V1, |it| it.batch_bytes(1), [numbered(1), numbered(2)]);
    let ids: Vec<_> = outcome.requests.iter().map(|request| request.header("posthog-request-id")).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn v1_sdk_info_is_a_name_and_a_version_whatever_the_library_is_called() {
    let outcome = sent(Protocol::V1, |it| it.library("my sdk/\u{e9}", "1.0 beta"), [numbered(1)]);
    assert_eq!(outcome.requests[0].header("posthog-sdk-info"), Some("my-sdk--/1.0-beta"));
}

#[test]
fn v1_created_at_is_when_the_batch_was_formed_and_does_not_change() {
    let before = OffsetDateTime::now_utc() - time::Duration::milliseconds(1);
    let outcome = run(Protocol::V1, 1, then_taken(vec![Reply::status(503)]));
    let created: Vec<_> = outcome
        .requests
        .iter()
        .map(|request| request.json()["created_at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(created[0], created[1]);
    assert!(utc(&created[0]) >= before && utc(&created[0]) <= OffsetDateTime::now_utc());
}

#[test]
fn an_application_can_add_headers() {
    for protocol in BOTH {
        let outcome = sent(protocol, |it| it.header("X-Test-Id", "t-1"), [numbered(1)]);
        assert_eq!(outcome.requests[0].header("x-test-id"), Some("t-1"));
    }
}
