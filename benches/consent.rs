//! The cost of the gate: a capture while off, and the check alone while on, as medians in nanoseconds. Nothing is sent:
//! the transport of the enabled client answers itself.
//!
//! ```sh
//! cargo bench --bench consent
//! ```
//!
//! On 2026-11-20, two busy cores of an x86_64 virtual machine, Rust 1.95: an empty loop 0.25 ns; off, `event!` on a
//! client 0.43 ns, `Client::capture` 0.99 ns, `event!` on the global client 0.80 ns; on, the gate alone 0.77 ns.

use std::hint::black_box;
use std::time::{Instant, SystemTime};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, DynamicEvent, Env, Notice, Timestamp};

const ROUNDS: usize = 31;
const CALLS: u32 = 2_000_000;

struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _: &Request<'_>) -> Result<Response, SendError> {
        Ok(Response::status(200))
    }
}

fn client(env: Env) -> Client {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    let config = Config::new("bench", "1.0.0").env(env).endpoint("http://127.0.0.1:9").consent(consent);
    let config = config.transport(|_granted| Ok(Box::new(Nowhere) as Box<dyn Transport>));
    Client::new(config).expect("a valid configuration")
}

/// Runs the calls in rounds, and returns the median time of one call in nanoseconds.
fn median(mut call: impl FnMut(u32)) -> f64 {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for number in 0..CALLS {
                call(black_box(number));
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn main() {
    let (off, on) = (client(Env::empty().with("DO_NOT_TRACK", "1")), client(Env::empty()));
    assert!(!off.is_enabled() && on.is_enabled());
    let wall = SystemTime::now();
    let now = Timestamp::from(wall);

    let nothing = median(|number| {
        black_box(number);
    });
    let off_client = median(|number| {
        candor::event!(client = off, "counted", distinct_id = "node-7", number = number);
    });
    let off_capture = median(|_| off.capture(black_box(&EVENT)));
    let off_global = median(|number| candor::event!("counted", distinct_id = "node-7", number = number));
    let work = |number: u32| {
        black_box(number.wrapping_mul(2_654_435_761));
    };
    let ungated = median(work);
    let gated = median(|number| {
        if black_box(&on).is_enabled() && on.holds_at(wall, now) {
            work(number);
        }
    });

    println!("an empty loop                        {nothing:6.2} ns");
    println!("off: event! on a client              {off_client:6.2} ns");
    println!("off: Client::capture                 {off_capture:6.2} ns");
    println!("off: event! on the global client     {off_global:6.2} ns");
    println!("on:  work without a gate             {ungated:6.2} ns");
    println!("on:  the same after the gate         {gated:6.2} ns");
    println!("on:  the gate alone                  {:6.2} ns", gated - ungated);
}

/// An event that costs nothing to pass.
struct Ready;

static EVENT: Ready = Ready;

impl candor::Event for &Ready {
    fn name(&self) -> &str {
        "counted"
    }

    fn encode(&self, encoder: &mut candor::encode::Encoder<'_>) {
        DynamicEvent::new("counted", "node-7").encode(encoder);
    }
}
