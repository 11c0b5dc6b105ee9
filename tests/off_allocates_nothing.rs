//! A capture while off allocates nothing, and does not evaluate its arguments.

use candor::encode::Encoder;
use candor::{Client, Config, Consent, Env, Event, Notice};

const CAPTURES: u64 = 1_000_000;

struct Typed<'a> {
    id: &'a str,
}

impl Event for Typed<'_> {
    fn name(&self) -> &str {
        "counted"
    }

    fn encode(&self, _: &mut Encoder<'_>) {
        panic!("an event was encoded while off: {}", self.id);
    }
}

fn config(consent: Consent, env: Env) -> Config {
    Config::new("allocations", "1.0.0").env(env).endpoint("http://127.0.0.1:9").consent(consent)
}

fn opt_out() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("")
}

fn expensive() -> String {
    panic!("an argument was evaluated while off")
}

#[test]
fn a_million_captures_when_off_allocate_nothing() {
    let denied = Client::new(config(opt_out(), Env::empty().with("DO_NOT_TRACK", "1"))).unwrap();
    let deferred = Client::new(config(Consent::opt_in().policy_file(""), Env::empty())).unwrap();
    let _guard = candor::init(config(opt_out().no_telemetry_flag(true), Env::empty())).unwrap();
    let id = String::from("node-7");
    let counted = allocation_counter::measure(|| {
        for _ in 0..CAPTURES {
            denied.capture(Typed { id: &id });
            deferred.capture(Typed { id: &id });
            candor::capture(Typed { id: &id });
            candor::event!("counted", distinct_id = id.as_str(), text = expensive());
            candor::event!(client = denied, "counted", distinct_id = id.as_str(), text = expensive());
        }
    });
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0));
    // The counter does see an allocation if there is one.
    let seen = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(7_u64))));
    assert_eq!(seen.count_total, 1);
    assert_eq!(candor::stats().captured + denied.stats().captured + deferred.stats().captured, 0);
}
