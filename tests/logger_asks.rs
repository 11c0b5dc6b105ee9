//! A logger that calls every method from inside `log()`: nothing hangs, because no line is logged under a lock.
//!
//! This is a separate binary because a process has only one logger.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, DynamicEvent, Env, LossReason, Notice};

/// More time than any test needs, even on a busy machine.
const LONG: Duration = Duration::from_secs(300);

const OWN: &str = "a line of the application's own";

const SHORT: Duration = Duration::from_millis(1);

static CLIENT: Mutex<Option<Client>> = Mutex::new(None);
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Whether the logger also withdraws consent and shuts the client down.
static ENDS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Calls every method of the client for each of the client's log lines.
struct Asking;

impl log::Log for Asking {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if !matches!(record.target(), "candor" | "candor::batch") {
            return;
        }
        let line = record.args().to_string();
        // Two levels show the effect of one line's calls on the next; endless recursion would be the logger's fault. The
        // application's own lines, which are most, ask on the first level only.
        let levels = if line == OWN { 1 } else { 2 };
        LINES.lock().unwrap().push(line);
        if DEPTH.get() < levels {
            DEPTH.set(DEPTH.get() + 1);
            let client = CLIENT.lock().unwrap().clone();
            if let Some(client) = client {
                ask(&client);
            }
            DEPTH.set(DEPTH.get() - 1);
        }
    }

    fn flush(&self) {}
}

fn ask(client: &Client) {
    let _ = (client.stats(), client.state(), client.decision(), client.is_enabled(), client.notice_due());
    let _ = client.status().to_string();
    client.capture(DynamicEvent::new("logged", "node-7"));
    client.capture(DynamicEvent::new("", "node-7"));
    client.capture_ai(DynamicEvent::new("logged", "node-7"));
    client.capture_batch([DynamicEvent::new("logged", "node-7")], SHORT);
    client.identify("usr_1", ());
    let _ = client.preview(&DynamicEvent::new("logged", "node-7"));
    let _ = client.flush(SHORT);
    let _ = client.notice_shown();
    let _ = client.quarantine_choice();
    let _ = candor::init(config("logger", Consent::opt_in().policy_file("")));
    candor::capture(DynamicEvent::new("logged", "node-7"));
    let _ = (candor::stats(), candor::flush(SHORT));
    if ENDS.load(Ordering::SeqCst) {
        let _ = client.opt_out();
        let _ = client.opt_in();
        let _ = client.shutdown(SHORT);
    }
}

/// Refuses everything, and calls the client while it does.
struct Refusing(Arc<AtomicUsize>);

impl Transport for Refusing {
    fn send(&self, _: &Request<'_>) -> Result<Response, SendError> {
        ask_if_there();
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Response::status(401))
    }

    fn abort(&self) {
        ask_if_there();
    }
}

fn ask_if_there() {
    log::info!(target: "candor", "{OWN}");
}

fn config(app: &str, consent: Consent) -> Config {
    Config::new(app, "1.0.0").env(Env::empty()).consent(consent).transport(|_| {
        ask_if_there();
        Ok(Box::new(Refusing(Arc::default())) as Box<dyn Transport>)
    })
}

/// Runs `life` on a new thread, and fails if it hangs.
fn in_time(what: &str, life: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    let life = thread::spawn(move || {
        life();
        sender.send(()).unwrap();
    });
    match receiver.recv_timeout(LONG) {
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => life.join().unwrap(),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} hangs"),
    }
}

#[test]
fn no_line_is_logged_under_a_lock() {
    log::set_logger(&Asking).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let dir = std::env::temp_dir().join(format!("candor-logger-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for ends in [false, true] {
        ENDS.store(ends, Ordering::SeqCst);
        let dir = dir.join(ends.to_string());
        std::fs::create_dir_all(&dir).unwrap();
        in_time(if ends { "a logger that ends the client" } else { "a logger that asks" }, move || {
            life(&dir);
        });
    }
    std::fs::remove_dir_all(&dir).unwrap();
    let lines = LINES.lock().unwrap();
    for said in [
        "queue is full",
        "telemetry is",
        "does not start with $ai_",
        "was dropped",
        "events lost",
        "refused with",
    ] {
        assert!(lines.iter().any(|line| line.contains(said)), "no line says {said:?}");
    }
}

/// Causes every log line that the client has.
fn life(dir: &std::path::Path) {
    let project = dir.join("project.json");
    std::fs::write(&project, "{}").unwrap();
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"))
        .policy_file("")
        .project_file(&project)
        .state_dir(dir);
    let settings = config("asked", consent).queue_events(3).flush_interval(LONG).on_error(|_| ask_if_there());
    let settings = settings.before_send(|view| {
        ask_if_there();
        Some(view)
    });
    // The lines of debugging are among them.
    let client = Client::new(settings.debug(!ENDS.load(Ordering::SeqCst))).unwrap();
    *CLIENT.lock().unwrap() = Some(client.clone());
    for round in 0..3 {
        for name in ["", "counted", "$ai_span", "counted", "counted", "counted"] {
            client.capture(DynamicEvent::new(name, "node-7").property("n", 1));
            client.capture_ai(DynamicEvent::new(name, "node-7"));
        }
        let _ = client.flush(LONG);
        if round == 1 {
            // A file denies, which a capture or the worker notices, and then the user grants.
            std::fs::write(&project, r#"{"telemetry":{"enabled":"what?"}}"#).unwrap();
            client.capture(DynamicEvent::new("counted", "node-7"));
            let _ = client.flush(LONG);
            let _ = client.opt_in();
            std::fs::write(&project, "{}").unwrap();
        }
        let _ = client.opt_out();
        let _ = client.opt_in();
    }
    let _ = client.shutdown(LONG);
    let _ = client.opt_in();
    *CLIENT.lock().unwrap() = None;
    let stats = client.stats();
    assert!(stats.lost(LossReason::Recursion) > 0, "{stats}");
}
