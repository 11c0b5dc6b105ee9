//! The work through candor.

use std::time::Duration;

use candor::{Client, Compression, Config, Encoder, Env, Event, Overflow};
use peers::{DISTINCT_ID, GROUP, MODE, NAME, Options, PROVIDER, burst, short_calls};

struct RequestCreated<'a> {
    requested_by: &'a str,
    has_reason: bool,
    provider: &'a str,
    requires_approval: bool,
    mode: &'a str,
    seq: u64,
}

impl Event for RequestCreated<'_> {
    fn name(&self) -> &str {
        NAME
    }

    // As the derive macro writes it.
    #[inline]
    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id(self.requested_by);
        event.literal("has_reason", "\"has_reason\":", &self.has_reason);
        event.literal("provider", "\"provider\":", self.provider);
        event.literal("requires_approval", "\"requires_approval\":", &self.requires_approval);
        event.literal("mode", "\"mode\":", self.mode);
        event.literal("seq", "\"seq\":", &self.seq);
    }
}

fn created(seq: u64) -> RequestCreated<'static> {
    RequestCreated {
        requested_by: DISTINCT_ID,
        has_reason: true,
        provider: PROVIDER,
        requires_approval: true,
        mode: MODE,
        seq,
    }
}

fn main() {
    let options = Options::from_args();
    let env = if options.off { Env::empty().with("DO_NOT_TRACK", "1") } else { Env::empty() };
    let config = Config::new("peers", "1.0.0")
        .endpoint(&options.url)
        .api_key("phc_loopback")
        .group(GROUP.0, GROUP.1)
        .env(env);
    if options.oneshot {
        let client = Client::new(config).expect("a client");
        client.capture(created(0));
        client.shutdown(Duration::from_secs(30)).expect("a shutdown");
        return;
    }
    let config = config
        .queue_events(options.queue)
        .queue_bytes(options.queue * 256)
        .overflow(Overflow::Wait(Duration::from_secs(60)))
        .compression(if options.gzip { Compression::Gzip } else { Compression::None });
    let client = Client::new(config).expect("a client");
    if options.off {
        short_calls(&options, |seq| client.capture(created(seq)));
    } else {
        burst(
            &options,
            |seq| client.capture(created(seq)),
            || assert!(client.shutdown(Duration::from_secs(120)).expect("a shutdown").is_complete()),
        );
    }
}
