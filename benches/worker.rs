//! The cost of an event for the worker, from the queue into a body and through gzip, as medians for each event. Nothing
//! is sent: the transport answers itself.
//!
//! ```sh
//! cargo bench --bench worker
//! ```

mod measure;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Compression, Config};
use measure::{LONG, config, created, median, print};

const EVENTS: usize = 20_000;

/// Counts the bytes of bodies as they would be sent.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicU64>);

impl Transport for Counted {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        self.0.fetch_add(request.body.len() as u64, Ordering::Relaxed);
        Ok(Response::status(200))
    }
}

fn main() {
    measure::print_machine();
    let base = || config(2 * EVENTS);
    batches("bodies of 1 MiB", base());
    batches("bodies of 64 KiB", base().batch_bytes(64 * 1024));
    batches("bodies of 1 MiB, gzip", base().compression(Compression::Gzip));
}

/// Fills the queue, and measures the flush that drains it.
fn batches(what: &str, config: Config) {
    let counted = Counted::default();
    let sink = counted.clone();
    let config = config.transport(move |_granted| Ok(Box::new(sink.clone()) as Box<dyn Transport>));
    let client = measure::client(config);
    let nanos = median(
        EVENTS,
        || (0..EVENTS as u64).for_each(|n| client.capture(created(n))),
        |_| assert!(client.flush(LONG).expect("a worker").is_complete()),
    );
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = counted.0.load(Ordering::Relaxed) as f64 / (EVENTS * measure::ROUNDS) as f64;
    print(&format!("{what}: time for each event"), nanos, "ns");
    print(&format!("{what}: bytes for each event"), each, "B");
    print(&format!("{what}: bodies made a second"), each / nanos * 1000.0, "MB/s");
}
