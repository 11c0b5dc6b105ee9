//! The work through posthog-rs.

use peers::{DISTINCT_ID, GROUP, MODE, NAME, Options, PROVIDER, Work, burst, clients, idle, short_calls};
use posthog_rs::{CaptureCompression, Client, ClientOptionsBuilder, Event};

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

/// The default options.
fn defaults(options: &Options) -> ClientOptionsBuilder {
    let mut builder = ClientOptionsBuilder::default();
    builder.api_key("phc_loopback".to_owned()).host(options.url.clone()).disabled(options.off);
    builder
}

fn client(builder: &ClientOptionsBuilder) -> Client {
    posthog_rs::client(builder.build().expect("options"))
}

/// The client for a burst. It cannot wait for room, so its queue holds the whole burst.
fn for_bursts(options: &Options) -> Client {
    let mut builder = defaults(options);
    builder
        .max_queue_size(options.events as usize + 1)
        .flush_at(options.batch)
        .max_batch_size(options.batch)
        .shutdown_timeout_ms(120_000_u64);
    if options.gzip {
        builder.capture_compression(CaptureCompression::Gzip);
    }
    client(&builder)
}

fn main() {
    let options = Options::from_args();
    match options.work {
        Work::Burst => {
            let client = for_bursts(&options);
            burst(&options, |seq| client.capture(created(seq)), || client.shutdown());
        }
        Work::Off => {
            let client = client(defaults(&options).disabled(true));
            short_calls(&options, |seq| client.capture(created(seq)));
        }
        Work::Tool => {
            let client = client(&defaults(&options));
            client.capture(created(0));
            client.shutdown();
        }
        Work::Clients => {
            let builder = defaults(&options);
            clients(&options, || client(&builder), |client, seq| client.capture(created(seq)), Client::flush);
        }
        Work::Idle => {
            let client = client(&defaults(&options));
            client.capture(created(0));
            client.flush();
            idle(&options);
        }
        Work::Fill | Work::Drain | Work::Start => panic!("posthog-rs keeps nothing on disk"),
    }
}
