//! The global client and its guard.
//!
//! A capture takes no lock to find the client.

mod client_cell;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::client::{Client, Flushed, Preview};
use crate::config::Config;
use crate::consent::OptIn;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::observe::{LossReason, Stats, print_failed};
use crate::testing;

/// Flushes the global client and stops its worker when dropped, within [`Config::shutdown_timeout`].
#[must_use = "dropping the guard flushes for at most the configured time and then stops the worker; \
              hold it in a variable until the program ends: `let _guard = ..`; `let _ = ..` drops it at once"]
#[derive(Debug)]
pub struct Guard {
    client: Client,
}

impl Guard {
    /// Returns the client, which the free functions also use.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // In a forked child there is nothing to stop, and no one to report an error to.
        let _ = self.client.shutdown(self.client.shutdown_timeout());
    }
}

/// Creates the global client and returns its guard. If consent is not granted, the client is created disabled; this
/// is not an error. [`init_or_disabled`] does the same and never fails.
///
/// ```no_run
/// # fn main() -> candor::Result<()> {
/// let _guard = candor::init(
///     candor::Config::new("granted", env!("CARGO_PKG_VERSION"))
///         .endpoint("https://t.example.com")
///         .consent(candor::Consent::opt_out(candor::Notice::documented("https://example.com/telemetry"))),
/// )?;
/// candor::event!("server started", distinct_id = "node-7", replicas = 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns the errors of [`Client::new`], and [`ErrorKind::AlreadyInitialised`] if this process has a global client
/// that was not shut down. A forked child may call this again.
pub fn init(config: Config) -> Result<Guard> {
    let client = client_cell::init(|| Client::new(config));
    HAS_FAILED.store(client.is_err(), Ordering::Relaxed);
    Ok(Guard { client: client? })
}

/// Whether the last `init` has failed.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Creates a client that is not the global one, with a guard of its own.
pub(crate) fn guard(config: Config) -> Result<Guard> {
    Ok(Guard { client: Client::new(config)? })
}

/// Creates the global client like [`init`], but never fails: a mistake in the telemetry must not end the
/// application.
///
/// Where `init` would return an error, this logs it once (`warn`, target `candor`; or on stderr if no logger takes
/// it and `<APP>_TELEMETRY_LOG=debug` is set) and returns the guard of a disabled client, whose
/// [`disabled_reason`](Client::disabled_reason) is that error. The free functions then behave as they do before
/// `init`. If a global client already exists, it is not affected: the second guard neither uses nor stops it.
///
/// ```
/// use candor::{Config, Consent, Notice};
///
/// let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
/// let config = Config::new("granted", env!("CARGO_PKG_VERSION")).consent(consent);
/// let guard = candor::init_or_disabled(config.endpoint("not a URL"));
/// assert_eq!(guard.client().disabled_reason(), Some("endpoint: not a URL: invalid uri character"));
/// candor::event!("server started", distinct_id = "node-7"); // does nothing
/// ```
pub fn init_or_disabled(mut config: Config) -> Guard {
    let env = config.environment();
    let (facts, is_debugging) = (config.facts(), config.is_debugging(&env));
    init(config).unwrap_or_else(|error| {
        let reason = format!("{error:?}");
        print_failed(&facts.app, &reason, error.kind() == ErrorKind::AlreadyInitialised, is_debugging);
        Guard { client: Client::failed(facts, env, reason) }
    })
}

/// Returns the global client, or `None` before [`init`]. After a shutdown, this is the client that was shut down,
/// until [`init`] is called again.
pub fn client() -> Option<Client> {
    client_cell::with(|client| Some(client?.clone()))
}

/// Runs `work` with the client that the free functions use on this thread.
#[inline]
fn with_client<T>(work: impl FnOnce(Option<&Client>) -> T) -> T {
    if testing::is_active() {
        return testing::with_substitute(|substitute| match substitute {
            Some(substitute) => work(Some(substitute)),
            None => client_cell::with(work),
        });
    }
    client_cell::with(work)
}

/// Runs `work` with the global client, if there is one.
#[inline]
fn on_client(work: impl FnOnce(&Client)) {
    with_client(|client| {
        if let Some(client) = client {
            work(client);
        }
    });
}

/// Captures an event on the global client. Does nothing if there is none or telemetry is off.
///
/// Returns nothing, never panics, and waits only with [`Overflow::Wait`](crate::Overflow::Wait); see
/// [`Client::capture`].
#[inline]
pub fn capture<E: Event>(event: E) {
    on_client(|client| client.capture(event));
}

/// Tells PostHog who a distinct id is; see [`Client::identify`].
pub fn identify<P: Serialize>(distinct_id: impl Into<String>, properties: P) {
    on_client(|client| client.identify(distinct_id, properties));
}

/// Merges two persons; see [`Client::alias`].
pub fn alias(previous: impl Into<String>, alias: impl Into<String>) {
    on_client(|client| client.alias(previous, alias));
}

/// Sets properties of a group; see [`Client::group_identify`].
pub fn group_identify<P: Serialize>(group_type: impl Into<String>, key: impl Into<String>, properties: P) {
    on_client(|client| client.group_identify(group_type, key, properties));
}

/// Sets properties of a person; see [`Client::set_person`].
pub fn set_person<P: Serialize>(distinct_id: impl Into<String>, properties: P) {
    on_client(|client| client.set_person(distinct_id, properties));
}

/// Sets properties of a person that are not set yet; see [`Client::set_person_once`].
pub fn set_person_once<P: Serialize>(distinct_id: impl Into<String>, properties: P) {
    on_client(|client| client.set_person_once(distinct_id, properties));
}

/// Removes properties of a person; see [`Client::unset_person`].
pub fn unset_person<K: AsRef<str>>(distinct_id: impl Into<String>, keys: impl IntoIterator<Item = K>) {
    on_client(|client| client.unset_person(distinct_id, keys));
}

/// Returns the exact bytes that capturing the event would send now, whether the global client is on, off or
/// missing; see [`Client::preview`]. Creates no thread and no socket.
///
/// # Errors
///
/// Returns the reason why the capture would lose the event.
pub fn preview<E: Event>(event: &E) -> std::result::Result<Preview, LossReason> {
    with_client(|client| match client {
        Some(client) => client.preview(event),
        None => Client::disabled().preview(event),
    })
}

/// Waits for at most `timeout` until everything captured before is delivered or lost; see [`Client::flush`].
///
/// # Errors
///
/// Returns [`ErrorKind::NotRunning`] if there is no global client, and the errors of [`Client::flush`].
pub fn flush(timeout: Duration) -> Result<Flushed> {
    with_client(|client| client.ok_or_else(not_initialised)?.flush(timeout))
}

/// Delivers what it can within `timeout`, then stops the worker; see [`Client::shutdown`]. [`init`] may then be
/// called again.
///
/// # Errors
///
/// Returns [`ErrorKind::NotRunning`] if there is no global client, and the errors of [`Client::shutdown`].
pub fn shutdown(timeout: Duration) -> Result<Flushed> {
    with_client(|client| client.ok_or_else(not_initialised)?.shutdown(timeout))
}

/// Records that the user said no, and stops at once; see [`Client::opt_out`].
///
/// # Errors
///
/// Returns [`ErrorKind::NotRunning`] if there is no global client, and the errors of [`Client::opt_out`].
pub fn opt_out() -> Result<()> {
    with_client(|client| client.ok_or_else(not_initialised)?.opt_out())
}

/// Records that the user said yes, and starts if nothing else denies; see [`Client::opt_in`].
///
/// # Errors
///
/// Returns [`ErrorKind::NotRunning`] if there is no global client, and the errors of [`Client::opt_in`].
pub fn opt_in() -> Result<OptIn> {
    with_client(|client| client.ok_or_else(not_initialised)?.opt_in())
}

/// Returns what has become of the events so far. All numbers are zero if there is no global client.
pub fn stats() -> Stats {
    with_client(|client| client.map(Client::stats)).unwrap_or_default()
}

fn not_initialised() -> Error {
    let text = if HAS_FAILED.load(Ordering::Relaxed) {
        "telemetry is disabled, because `init` failed: correct what its error says, which `init_or_disabled` logs"
    } else {
        "candor is not initialised: call `init` first"
    };
    Error::new(ErrorKind::NotRunning, text)
}

/// Returns whether `event!` should create its event. Counts an event that comes after a shutdown.
#[doc(hidden)]
#[inline]
pub fn admits_event() -> bool {
    with_client(|client| client.is_some_and(Client::admits_event))
}
