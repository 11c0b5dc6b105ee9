//! A worker for tests, with a manual clock and no thread but the one that sends while the worker builds.

#[cfg(feature = "spool")]
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::super::*;
use crate::clock::Manual;
use crate::consent::{Consent, Facts, Notice};
use crate::deliver::{OnError, Secrets};
use crate::event::{Buffers, Encoder};
use crate::observe::{Counters, Stats};
use crate::queue::Limits;
use crate::settings::{Env, Retry};
use crate::transport::Transport;
use crate::wire::Envelope;
use crate::wire::codec::Compression;
#[cfg(feature = "spool")]
use crate::{
    deliver::SpoolContext,
    queue::spool::{Bucket, Provenance},
    settings::Spool,
};

pub(super) struct Bench {
    pub(super) worker: Worker,
    pub(super) commands: Sender<Command>,
    pub(super) clock: Arc<Manual>,
    pub(super) queue: Arc<Queue>,
    pub(super) monitor: Arc<ConsentMonitor>,
    counters: Arc<Counters>,
    generation: u32,
}

impl Bench {
    pub(super) fn new(
        batching: Batching,
        retry: Retry,
        envelope: Arc<dyn Envelope>,
        transport: Arc<dyn Transport>,
    ) -> Self {
        let clock = Manual::starting_at(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
        let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
        let facts = Facts::new("bench", consent, Some("http://bench".to_owned()));
        let monitor = Arc::new(ConsentMonitor::new(facts, Env::empty(), Clock::Manual(Arc::clone(&clock))));
        let generation = monitor.open().expect("consent is granted");
        let (commands, receiver) = unbounded();
        let counters = Arc::new(Counters::default());
        let limits =
            Limits { events: 1000, bytes: 1 << 38, wake_events: u64::MAX, wake_bytes: u64::MAX, spill: None };
        let queue = Arc::new(Queue::new(limits));
        let sender = BatchSender {
            envelope,
            transport,
            url: "http://bench/batch/".to_owned(),
            timeout: Duration::from_secs(15),
            compression: Compression::None,
            retry,
            on_error: OnError::default(),
            prints: false,
            is_dry_run: false,
            secrets: Secrets::default(),
            last_failure: std::cell::RefCell::default(),
            keeps: false,
            halving: std::cell::Cell::default(),
            monitor: Arc::clone(&monitor),
            counters: Arc::clone(&counters),
            awaited: Arc::default(),
            clock: Clock::Manual(Arc::clone(&clock)),
            sent_log: None,
        };
        let worker = Worker::new(WorkerContext {
            queue: Arc::clone(&queue),
            monitor: Arc::clone(&monitor),
            generation,
            common: Arc::default(),
            commands: receiver,
            held: Arc::default(),
            batching,
            clock: Clock::Manual(Arc::clone(&clock)),
            sender,
            drain_timeout: Duration::from_secs(2),
            spool: None,
        });
        Self { worker, commands, clock, queue, monitor, counters, generation }
    }

    /// The same with this spool in this directory, in the bucket `bench`.
    #[cfg(feature = "spool")]
    pub(super) fn with_spool(mut self, dir: &Path, spool: Spool) -> Self {
        let mut context = self.worker.context;
        let provenance = Provenance { grant: "bench".to_owned(), ..Provenance::default() };
        let bucket = Bucket::create(&dir.join("spool"), "bench", provenance).expect("a directory");
        context.spool = Some(Arc::new(SpoolWriter::new(SpoolContext {
            bucket: Arc::new(bucket),
            spool,
            envelope: Arc::clone(&context.sender.envelope),
            common: Arc::clone(&context.common),
            counters: Arc::clone(&self.counters),
            awaited: Arc::clone(&context.sender.awaited),
            on_error: OnError::default(),
            clock: context.clock.clone(),
            batch_bytes: context.batching.batch_bytes,
            wake_events: context.batching.leaves_at_events(),
        })));
        context.sender.keeps = true;
        self.worker = Worker::new(context);
        self
    }

    /// Captures an event with this number, and this many bytes of padding.
    pub(super) fn capture(&self, name: &str, n: u64, padding: usize) {
        self.counters.captured();
        let (mut buffers, common) = (Buffers::default(), CommonProperties::default());
        let mut event = Encoder::new(&mut buffers, &common, name);
        event.distinct_id("id");
        event.property("n", &n);
        event.property("padding", &"x".repeat(padding));
        let event = event.finish(Timestamp::from_unix_millis(0), usize::MAX).unwrap();
        assert!(self.queue.push(&event, self.generation).is_ok(), "the queue has room");
    }

    /// Runs turns until the worker is idle or ends.
    pub(super) fn run(&mut self) -> Turn {
        for _ in 0..5000 {
            match self.worker.turn() {
                Turn::Done => {}
                turn => return turn,
            }
        }
        panic!("the worker does not become idle");
    }

    /// Runs turns until the worker ends, advancing the clock to each instant at which there is something to do.
    pub(super) fn run_out(&mut self) {
        for _ in 0..5000 {
            match self.run() {
                Turn::Idle(Some(until)) => {
                    self.clock.advance(until.saturating_duration_since(self.worker.context.clock.now()));
                }
                Turn::Idle(None) => panic!("the worker waits, but nothing is scheduled"),
                _ => {
                    self.worker.end();
                    return;
                }
            }
        }
        panic!("the worker does not end");
    }

    /// Runs turns until nothing is left to send, advancing the clock to each instant at which there is something to do.
    pub(super) fn settle(&mut self) {
        for _ in 0..5000 {
            let done = self.flush(Duration::from_secs(1_000_000));
            let turn = self.run();
            match (turn, done.try_recv()) {
                (Turn::Idle(Some(until)), Err(_)) => {
                    self.clock.advance(until.saturating_duration_since(self.worker.context.clock.now()));
                }
                _ => return,
            }
        }
        panic!("the worker does not settle");
    }

    pub(super) fn flush(&self, timeout: Duration) -> Receiver<()> {
        let (reply, done) = bounded(1);
        let deadline = self.worker.context.clock.now() + timeout;
        self.commands.send(Command::Flush { reply, deadline }).unwrap();
        done
    }

    pub(super) fn shutdown(&self, timeout: Duration) {
        let deadline = self.worker.context.clock.now() + timeout;
        self.commands.send(Command::Shutdown { deadline }).unwrap();
    }

    /// Ends the worker's thread, as it were: what it leaves is dropped. Returns what others still use.
    #[cfg(feature = "spool")]
    pub(super) fn end(mut self) -> (Sender<Command>, Arc<Counters>) {
        self.worker.end();
        (self.commands, self.counters)
    }

    pub(super) fn stats(&self) -> Stats {
        self.counters.snapshot()
    }
}
