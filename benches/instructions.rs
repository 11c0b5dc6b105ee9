//! Instructions for each event, which are stable even if times are not. Requires `valgrind`.
//!
//! The program runs itself under callgrind with two numbers of events, and prints the difference for each event.
//!
//! ```sh
//! cargo bench --bench instructions
//! ```

mod measure;

use std::process::Command;
use std::time::Duration;

use candor::Overflow;
use measure::{LONG, client, config, created, print};

/// With fewer events the buffers and segments still grow; above these numbers each event costs the same.
const FEW: u64 = 20_000;
const MANY: u64 = 60_000;

/// What a child does.
const CAPTURE: &str = "--capture";
const DELIVER: &str = "--deliver";
const MACRO: &str = "--event-macro";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, work, events] = arguments.as_slice()
        && let Ok(events) = events.parse()
    {
        return child(work, events);
    }
    measure::print_machine();
    print("a capture of a typed event", each(CAPTURE), "instructions");
    print("a capture by `event!`", each(MACRO), "instructions");
    print("a typed event, from the capture to the body", each(DELIVER), "instructions");
}

/// Captures this number of events.
fn child(work: &str, events: u64) {
    let kept = usize::try_from(events).expect("a number") + 1;
    match work {
        CAPTURE => {
            let client = client(config(kept));
            (0..events).for_each(|seq| client.capture(created(seq)));
            client.shutdown(Duration::ZERO).expect("a shutdown");
        }
        MACRO => {
            let _guard = candor::init(config(kept)).expect("a valid configuration");
            for seq in 0..events {
                candor::event!(
                    "cf:request.created",
                    distinct_id = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4",
                    has_reason = true,
                    provider = "commonfate/test-provider@v1",
                    requires_approval = true,
                    mode = "asap",
                    seq = seq,
                );
            }
            candor::shutdown(Duration::ZERO).expect("a shutdown");
        }
        _ => {
            let config = config(20_000).flush_at(100).flush_bytes(512 * 1024).overflow(Overflow::Wait(LONG));
            let client = client(config);
            (0..events).for_each(|seq| client.capture(created(seq)));
            assert!(client.shutdown(LONG).expect("a shutdown").is_complete());
        }
    }
}

/// Returns the number of instructions for each event.
fn each(work: &str) -> f64 {
    let (few, many) = (counted(work, FEW), counted(work, MANY));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = (many.saturating_sub(few)) as f64 / (MANY - FEW) as f64;
    each
}

/// Runs this program under callgrind, and returns the number of instructions of all its threads.
fn counted(work: &str, events: u64) -> u64 {
    let program = std::env::current_exe().expect("a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([work, &events.to_string()])
        .output()
        .expect("valgrind");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let count = text.lines().find_map(|line| line.split_once("Collected : "));
    count.expect("a count").1.trim().parse().expect("a number")
}
