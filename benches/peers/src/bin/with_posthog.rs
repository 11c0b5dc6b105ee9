//! The work through posthog-rs.

use peers::{DISTINCT_ID, GROUP, MODE, NAME, Options, PROVIDER, burst, short_calls};
use posthog_rs::{CaptureCompression, ClientOptionsBuilder, Event};

fn created(seq: u64) -> Event {
    let mut event = Event::new(NAME, DISTINCT_ID);
    event.insert_prop("has_reason", true).expect("JSON");
    event.insert_prop("provider", PROVIDER).expect("JSON");
    event.insert_prop("requires_approval", true).expect("JSON");
    event.insert_prop("mode", MODE).expect("JSON");
    event.insert_prop("seq", seq).expect("JSON");
    event.add_group(GROUP.0, GROUP.1);
    event
}

fn main() {
    let options = Options::from_args();
    let mut builder = ClientOptionsBuilder::default();
    builder.api_key("phc_loopback".to_owned()).host(options.url.clone()).disabled(options.off);
    if options.oneshot {
        let client = posthog_rs::client(builder.build().expect("options"));
        client.capture(created(0));
        client.shutdown();
        return;
    }
    // It cannot wait for room, so its queue holds the whole burst.
    builder
        .max_queue_size(options.events as usize + 1)
        .flush_at(options.batch)
        .max_batch_size(options.batch)
        .shutdown_timeout_ms(120_000_u64);
    if options.gzip {
        builder.capture_compression(CaptureCompression::Gzip);
    }
    let client = posthog_rs::client(builder.build().expect("options"));
    if options.off {
        short_calls(&options, |seq| client.capture(created(seq)));
    } else {
        burst(&options, |seq| client.capture(created(seq)), || client.shutdown());
    }
}
