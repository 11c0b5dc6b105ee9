//! One event, awaited: each caller gets the result of its own event within its timeout.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use candor::{Client, Delivered, DynamicEvent, Env, ErrorKind, LossReason, Protocol};
use serde_json::json;
use uuid::Uuid;

use testkit::clients::{LONG, client, config, numbered, results};
use testkit::{Reply, Server, eventually};

#[test]
fn an_accepted_event_is_sent_at_once_under_its_own_id() {
    let server = Server::start([]);
    let client = client(config(&server).flush_interval(LONG * 10));
    let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let event = DynamicEvent::new("granted", "usr_1").uuid(id);
    assert_eq!(client.deliver(event, LONG).unwrap(), Delivered::Accepted);
    assert_eq!(server.events()[0]["uuid"], id.to_string());
    assert!(client.deliver(numbered(2), LONG).unwrap().is_accepted());
    assert_eq!((server.events().len(), client.stats().sent), (2, 2));
}

#[test]
fn a_refusal_is_reported_and_a_retry_is_awaited() {
    let server = Server::start([Reply::status(400), Reply::status(503)]);
    let client = client(config(&server).retry_delays(Duration::from_millis(1), Duration::from_millis(1)));
    assert_eq!(client.deliver(numbered(1), LONG).unwrap(), Delivered::Lost(LossReason::Rejected));
    assert_eq!(client.deliver(numbered(2), LONG).unwrap(), Delivered::Accepted);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn each_caller_gets_the_result_of_its_own_event() {
    // PostHog's v1 protocol answers with one result for each event: events with odd numbers are dropped.
    let server = Server::always(Reply::judged(|request| {
        results(request, |event| match event["properties"]["n"].as_u64() {
            Some(n) if n % 2 == 1 => json!({ "result": "drop" }),
            _ => json!({ "result": "ok" }),
        })
    }));
    let client = client(config(&server).protocol(Protocol::V1));
    thread::scope(|scope| {
        for n in 0..8 {
            let client = &client;
            scope.spawn(move || {
                let wanted =
                    if n % 2 == 1 { Delivered::Lost(LossReason::Rejected) } else { Delivered::Accepted };
                assert_eq!(client.deliver(numbered(n), LONG).unwrap(), wanted, "{n}");
            });
        }
    });
}

#[test]
fn an_event_that_never_reaches_the_queue_is_lost_for_its_reason() {
    let server = Server::start([]);
    let client = client(config(&server).before_send(|event| (event.name != "unwanted").then_some(event)));
    let nobody = client.deliver(DynamicEvent::new("granted", ""), LONG).unwrap();
    assert_eq!(nobody, Delivered::Lost(LossReason::EmptyDistinctId));
    let unwanted = client.deliver(DynamicEvent::new("unwanted", "usr_1"), LONG).unwrap();
    assert_eq!(unwanted, Delivered::Lost(LossReason::DroppedByHook));
    assert_eq!((server.begun(), client.stats().lost_total()), (0, 2));
}

#[test]
fn a_timeout_ends_the_wait_but_not_the_delivery() {
    let server = Server::always(Reply::ok().held());
    let client = client(config(&server));
    let late = client.deliver(numbered(1), Duration::from_millis(20)).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    server.release();
    eventually("the event to arrive", || client.stats().sent == 1);
}

#[test]
fn a_withdrawal_and_a_shutdown_end_the_wait() {
    for is_withdrawn in [true, false] {
        let server = Server::always(Reply::stall());
        let client = client(config(&server));
        let fate = thread::scope(|scope| {
            let waiting = scope.spawn(|| client.deliver(numbered(1), LONG));
            server.wait_for_begun(1);
            if is_withdrawn {
                // There is no state directory, so the refusal applies to this process only.
                let _ = client.opt_out();
            } else {
                client.shutdown(Duration::ZERO).unwrap();
            }
            waiting.join().unwrap()
        });
        let reason = if is_withdrawn { LossReason::ConsentWithdrawn } else { LossReason::ShuttingDown };
        assert_eq!(fate.unwrap(), Delivered::Lost(reason));
        assert_eq!(client.deliver(numbered(2), LONG).unwrap_err().kind(), ErrorKind::NotRunning);
    }
}

#[test]
fn nothing_is_captured_while_telemetry_is_off() {
    let server = Server::start([]);
    let client = Client::new(config(&server).env(Env::empty().with("DO_NOT_TRACK", "1"))).unwrap();
    assert_eq!(client.deliver(numbered(1), LONG).unwrap_err().kind(), ErrorKind::NotRunning);
    assert_eq!((client.stats().captured, server.connections()), (0, 0));
}

#[test]
fn the_worker_does_not_wait_for_itself() {
    let server = Server::start([Reply::status(400)]);
    let own: Arc<OnceLock<Client>> = Arc::default();
    let heard: Arc<OnceLock<ErrorKind>> = Arc::default();
    let hook = {
        let (own, heard) = (Arc::clone(&own), Arc::clone(&heard));
        move |_: &candor::DeliveryError| {
            if let Some(client) = own.get() {
                let _ = heard.set(client.deliver(numbered(2), LONG).unwrap_err().kind());
            }
        }
    };
    let client = client(config(&server).on_error(hook));
    own.set(client.clone()).ok();
    assert_eq!(client.deliver(numbered(1), LONG).unwrap(), Delivered::Lost(LossReason::Rejected));
    eventually("the hook to hear", || heard.get() == Some(&ErrorKind::NotRunning));
}

#[cfg(feature = "tokio")]
mod awaiting {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn awaiting_does_not_block_the_runtime() {
        let server = Server::always(Reply::ok().held());
        let client = client(config(&server));
        let fate = runtime().block_on(async {
            // The runtime has one thread: if it were blocked, nothing would release the answer.
            let waiting = tokio::spawn(client.deliver_async(numbered(1), LONG));
            let flushing = tokio::spawn({
                let client = client.clone();
                async move { client.flush_async(LONG).await }
            });
            tokio::task::yield_now().await;
            server.wait_for_begun(1);
            server.release();
            assert!(flushing.await.unwrap().unwrap().waiting == 0);
            waiting.await.unwrap()
        });
        assert_eq!(fate.unwrap(), Delivered::Accepted);
    }

    #[test]
    fn a_shutdown_can_be_awaited_inside_a_task() {
        let server = Server::start([]);
        let client = client(config(&server).flush_interval(LONG * 10));
        client.capture(numbered(1));
        let done = runtime().block_on(client.shutdown_async(LONG)).unwrap();
        assert_eq!((done.delivered, server.events().len()), (1, 1));
        let after = runtime().block_on(client.deliver_async(numbered(2), LONG));
        assert_eq!(after.unwrap_err().kind(), ErrorKind::NotRunning);
    }

    #[test]
    fn awaiting_without_a_runtime_is_an_error_and_not_a_panic() {
        let server = Server::start([]);
        let client = client(config(&server));
        let polled = pin!(client.flush_async(LONG)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(error)) if error.kind() == ErrorKind::NotRunning));
    }
}
