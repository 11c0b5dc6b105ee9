//! Events on disk are removed when consent ends, before anything is read.

use std::fs;
use std::time::Duration;

use candor::consent::ConsentState;
use candor::{Client, Consent, Env, LossReason, Notice, Spool};

use crate::rig::{
    Endpoint, LONG, Wire, adds_up, capture, client, config, documented, eventually, lost, run, scratch,
};

#[test]
fn a_withdrawal_removes_and_counts_the_events_on_disk() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(503)));
    let client = client(config(&state, &wire, Spool::server()).flush_at(3));
    capture(&client, 1..=3);
    eventually("events to be on disk", || client.stats().spooled == 3);
    capture(&client, 4..=5);
    client.opt_out().unwrap();
    let stats = client.stats();
    adds_up(&stats);
    assert_eq!((stats.spooled, stats.lost(LossReason::ConsentWithdrawn)), (0, 5), "{stats}");
    assert!(!state.spool().exists());
}

#[test]
fn a_withdrawal_while_events_from_disk_are_sent_counts_them() {
    for endpoint in [Endpoint::Stalls, Endpoint::Hangs] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
        let first = client(config(&state, &wire, Spool::server()));
        capture(&first, 1..=3);
        first.shutdown(Duration::from_millis(10)).unwrap();
        let wire = Wire::new(endpoint);
        let second = client(config(&state, &wire, Spool::server()));
        eventually("the request to be under way", || wire.requests() == 1);
        capture(&second, [4]);
        second.opt_out().unwrap();
        eventually("the worker to have counted all", || second.stats().queued == 0);
        let stats = second.stats();
        adds_up(&stats);
        assert_eq!(
            (stats.spooled, lost(&stats, LossReason::ConsentWithdrawn)),
            (0, 4),
            "{endpoint:?}: {stats}"
        );
    }
}

#[test]
fn a_withdrawal_by_one_process_ends_it_for_all() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(503)));
    let server = client(config(&state, &wire, Spool::server()).flush_at(3));
    capture(&server, 1..=3);
    eventually("events to be on disk", || server.stats().spooled == 3);
    // Another process, which has no spool itself.
    let other =
        Client::new(candor::Config::new("spool-app", "1.0.0").env(Env::empty()).consent(documented(&state)));
    other.unwrap().opt_out().unwrap();
    assert!(!state.spool().exists());
    let requests = wire.requests();
    capture(&server, 4..=4);
    server.shutdown(LONG).unwrap();
    assert!(!state.spool().exists(), "a writer creates no directory");
    assert!(wire.requests() <= requests + 1, "one may have been under way");
    assert_eq!(wire.bodies().len(), 0);
    adds_up(&server.stats());
    assert_eq!(server.stats().spooled + server.stats().queued, 0, "{}", server.stats());
}

#[test]
fn a_refusal_for_this_run_touches_nothing_on_disk() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), 1..=3);
    let before = state.everything();
    for variable in ["DO_NOT_TRACK", "SPOOL_APP_TELEMETRY_DISABLED", "CI"] {
        let env = Env::empty().with(variable, "1");
        let denied = Client::new(config(&state, &wire, Spool::cli()).env(env)).unwrap();
        assert_eq!(denied.state(), ConsentState::Denied, "{variable}");
        capture(&denied, 4..=4);
        denied.shutdown(LONG).unwrap();
        assert_eq!(state.everything(), before, "{variable}");
    }
    let flagged = documented(&state).no_telemetry_flag(true);
    Client::new(config(&state, &wire, Spool::cli()).consent(flagged)).unwrap().shutdown(LONG).unwrap();
    assert_eq!(state.everything(), before);
    wire.set(Endpoint::Answers(200));
    let again = client(config(&state, &wire, Spool::cli()));
    eventually("it to be sent once it may", || wire.numbers() == [1, 2, 3]);
    again.shutdown(LONG).unwrap();
}

#[test]
fn a_lasting_refusal_finishes_the_purge_at_the_next_start() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), 1..=3);
    let policy = state.path().join("no-policy.toml");
    fs::write(&policy, "enabled = false\n").unwrap();
    let denied = Client::new(config(&state, &wire, Spool::cli())).unwrap();
    assert_eq!(denied.state(), ConsentState::Denied);
    assert!(!state.spool().exists());
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1, "nothing else was made or removed");
}

#[test]
fn a_grant_that_has_ended_removes_its_events() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let consent = |version| Consent::opt_in().state_dir(state.path()).policy_file("").notice_version(version);
    let first = Client::new(config(&state, &wire, Spool::cli()).consent(consent(1))).unwrap();
    assert!(!state.spool().exists(), "no yes, no directory");
    let _ = first.opt_in().unwrap();
    capture(&first, 1..=3);
    first.shutdown(LONG).unwrap();
    assert_eq!(state.files().len(), 1);
    let second = Client::new(config(&state, &wire, Spool::cli()).consent(consent(2))).unwrap();
    assert_eq!(second.state(), ConsentState::Deferred);
    assert!(!state.spool().exists());
}

#[test]
fn nothing_is_created_before_the_first_grant() {
    let (state, wire) = (scratch(), Wire::up());
    let consent = Consent::opt_in().state_dir(state.path()).policy_file("");
    let client = Client::new(config(&state, &wire, Spool::cli().each_event()).consent(consent)).unwrap();
    capture(&client, 1..=3);
    client.shutdown(LONG).unwrap();
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
}

#[test]
fn nothing_is_kept_in_continuous_integration() {
    let (state, wire) = (scratch(), Wire::up());
    let consent = documented(&state).ci_policy(candor::consent::CiPolicy::Allow);
    let env = Env::empty().with("CI", "true");
    let stats = run(config(&state, &wire, Spool::cli()).consent(consent).env(env), 1..=3);
    assert_eq!((stats.sent, stats.spooled), (3, 0), "{stats}");
    assert!(!state.spool().exists());
}

#[test]
fn events_are_sent_only_to_the_destination_of_their_capture() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let base = || config(&state, &wire, Spool::cli());
    run(base().api_key("phc_1"), 1..=3);
    wire.set(Endpoint::Answers(200));
    let others = [
        base().api_key("phc_2"),
        base().api_key("phc_1").endpoint("http://127.0.0.2:9"),
        base().api_key("phc_1").protocol(candor::Protocol::Legacy),
        base().api_key("phc_1").spool(Spool::cli().tenant("acct_2")),
    ];
    for other in others {
        let client = client(other);
        client.flush(LONG).unwrap();
        client.shutdown(LONG).unwrap();
    }
    assert_eq!(wire.requests(), 0);
    let same = client(base().api_key("phc_1"));
    eventually("it to be sent to whom it belongs", || wire.numbers() == [1, 2, 3]);
    same.shutdown(LONG).unwrap();
}

#[test]
fn events_captured_under_one_grant_are_not_sent_under_the_next() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(503)));
    let client = client(config(&state, &wire, Spool::server()).flush_at(3));
    capture(&client, 1..=3);
    eventually("events to be on disk", || client.stats().spooled == 3);
    client.opt_out().unwrap();
    wire.set(Endpoint::Answers(200));
    let _ = client.opt_in().unwrap();
    capture(&client, 4..=4);
    client.flush(LONG).unwrap();
    assert_eq!(wire.numbers(), [4]);
    adds_up(&client.stats());
}

#[test]
fn the_files_hold_no_key_and_no_header() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let notice = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let config = config(&state, &wire, Spool::cli())
        .consent(notice.state_dir(state.path()).policy_file(""))
        .api_key("phc_secret")
        .header("authorization", "Bearer hunter2");
    run(config, 1..=3);
    for (path, bytes) in state.everything() {
        let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
        let text = text + &path.to_string_lossy();
        for secret in ["phc_secret", "hunter2", "authorization", "127.0.0.1", "sent_at"] {
            assert!(!text.contains(secret), "{secret} in {}", path.display());
        }
    }
}
