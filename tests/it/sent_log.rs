//! The log on this machine records what was sent, byte for byte, and only while consent is granted.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use candor::{Client, Compression, Config, Consent, Env, Notice, Protocol};
use serde_json::Value;

use testkit::{Reply, Server};

const KEY: &str = "phc_sent_log_secret";
const WAIT: Duration = Duration::from_secs(20);

struct State(PathBuf);

impl State {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("candor-sent-{name}-{}", std::process::id()));
        Self(path)
    }

    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.0.join("sent.jsonl")).expect("the log");
        text.lines().skip(1).map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn config(server: &Server, state: &State) -> Config {
    let notice = Notice::documented("https://example.com/telemetry");
    Config::new("sent-log", "1.0.0")
        .env(Env::empty())
        .endpoint(server.url())
        .api_key(KEY)
        .consent(Consent::opt_out(notice).state_dir(&state.0))
        .sent_log(true)
}

fn send(client: &Client, number: u32) {
    client.capture(candor::DynamicEvent::new("sent", "tool").property("number", number));
    client.flush(WAIT).expect("a flush");
}

#[test]
fn the_log_equals_what_the_sink_received_except_for_the_key() {
    for (name, protocol, compression) in [
        ("v0", Protocol::V0, Compression::Gzip),
        ("plain", Protocol::V0, Compression::None),
        ("v1", Protocol::V1, Compression::Gzip),
        ("legacy", Protocol::Legacy, Compression::None),
    ] {
        let (server, state) = (Server::start([]), State::new(name));
        let client =
            Client::new(config(&server, &state).protocol(protocol).compression(compression)).unwrap();
        send(&client, 1);
        send(&client, 2);
        client.shutdown(WAIT).unwrap();
        let (requests, lines) = (server.requests(), state.lines());
        assert_eq!(requests.len(), lines.len(), "{name}");
        for (request, line) in requests.iter().zip(&lines) {
            let sent = String::from_utf8(request.plain()).unwrap();
            let body = line["body"].as_str().unwrap();
            assert_eq!(body, sent.replace(KEY, "phc_..."), "{name}");
            assert_eq!(line["api_key_shown_as"].is_string(), sent.contains(KEY), "{name}");
            assert_eq!((&line["events"], &line["status"]), (&1.into(), &200.into()), "{name}");
            assert_eq!(
                (&line["bytes"], &line["endpoint"]),
                (&sent.len().into(), &server.url().into()),
                "{name}"
            );
        }
        assert!(!fs::read_to_string(state.0.join("sent.jsonl")).unwrap().contains(KEY), "{name}");
    }
}

#[test]
fn every_answer_is_logged_but_a_broken_connection_is_not() {
    let state = State::new("answers");
    let server = Server::start([Reply::status(503), Reply::reset_after_body(), Reply::status(400)]);
    let delay = Duration::from_millis(1);
    let client = Client::new(config(&server, &state).retry_delays(delay, delay)).unwrap();
    send(&client, 1);
    client.shutdown(WAIT).unwrap();
    let statuses: Vec<_> = state.lines().iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, [503, 400]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn it_is_created_only_while_granted_and_kept_after_a_withdrawal() {
    let (server, state) = (Server::start([]), State::new("granted"));
    for env in [Env::empty().with("DO_NOT_TRACK", "1"), Env::empty().with("CI", "true")] {
        let client = Client::new(config(&server, &state).env(env)).unwrap();
        send(&client, 0);
        client.shutdown(WAIT).unwrap();
        assert!(!state.0.exists());
    }
    let client = Client::new(config(&server, &state)).unwrap();
    assert!(!state.0.exists(), "nothing was sent yet");
    send(&client, 1);
    client.opt_out().unwrap();
    send(&client, 2);
    client.shutdown(WAIT).unwrap();
    assert_eq!(state.lines().len(), 1);
}

#[test]
fn it_is_off_by_default() {
    let (server, state) = (Server::start([]), State::new("off"));
    let client = Client::new(config(&server, &state).sent_log(false)).unwrap();
    send(&client, 1);
    client.shutdown(WAIT).unwrap();
    assert_eq!(server.requests().len(), 1);
    assert!(!state.0.exists());
}
