//! The one global client and its guard.
//!
//! Never locks on the way of a capture.

mod place;

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
              hold it until the program ends"]
#[derive(Debug)]
pub struct Guard {
    client: Client,
}

impl Guard {
    /// Returns the client, which can also be reached through the free functions.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // In a forked child there is nothing to stop, and nobody to tell.
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
/// The errors of [`Client::new`], and [`ErrorKind::AlreadyInitialised`] if this process has a global client
/// that was not shut down. A forked child initialises anew.
pub fn init(config: Config) -> Result<Guard> {
    Ok(Guard { client: place::init(|| Client::new(config))? })
}

/// Creates the global client like [`init`], and never fails: a mistake in the telemetry must not end the application.
///
/// Where `init` returns an error, this logs it once (`warn`, target `candor`; on stderr under
/// `<APP>_TELEMETRY_LOG=debug` where no logger takes it) and returns the guard of a disabled client, whose
/// [`disabled_reason`](Client::disabled_reason) is that error. The free functions then do what they do before `init`.
/// If a global client exists already, it goes on as it is: the second guard neither reaches nor ends it.
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
    let (app, is_debugging) = (config.app().to_owned(), config.is_debugging(&env));
    init(config).unwrap_or_else(|error| {
        let reason = format!("{error:?}");
        print_failed(&app, &reason, is_debugging);
        Guard { client: Client::disabled_for(reason) }
    })
}

/// Returns the global client; `None` before [`init`]. After a shutdown it is the one that was shut down, until
/// [`init`] is called again.
pub fn client() -> Option<Client> {
    place::with(|client| Some(client?.clone()))
}

/// Runs `work` with the client that the free functions reach from this thread.
#[inline]
fn with_client<T>(work: impl FnOnce(Option<&Client>) -> T) -> T {
    if testing::is_active() {
        return testing::with_substitute(|substitute| match substitute {
            Some(substitute) => work(Some(substitute)),
            None => place::with(work),
        });
    }
    place::with(work)
}

/// Does something on the global client, if there is one.
#[inline]
fn on_client(work: impl FnOnce(&Client)) {
    with_client(|client| {
        if let Some(client) = client {
            work(client);
        }
    });
}

/// Captures an event on the global client. Without one, or when it is off, nothing happens.
///
/// Returns nothing, never panics and never waits; see [`Client::capture`].
#[inline]
pub fn capture<E: Event>(event: E) {
    on_client(|client| client.capture(event));
}

/// Tells PostHog who a distinct id is; see [`Client::identify`].
pub fn identify<P: Serialize>(distinct_id: impl Into<String>, properties: P) {
    on_client(|client| client.identify(distinct_id, properties));
}

/// Makes two persons one; see [`Client::alias`].
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

/// Returns the exact bytes that a capture of the event would put on the wire now, whether the global client
/// is on, off or not there; see [`Client::preview`]. No thread and no socket is made for it.
///
/// # Errors
///
/// The reason for which the capture would lose the event.
pub fn preview<E: Event>(event: &E) -> std::result::Result<Preview, LossReason> {
    with_client(|client| match client {
        Some(client) => client.preview(event),
        None => Client::disabled().preview(event),
    })
}

/// Waits until what was captured before is delivered or lost, for `timeout` at most.
///
/// # Errors
///
/// [`ErrorKind::NotRunning`] if there is no global client, and those of [`Client::flush`].
pub fn flush(timeout: Duration) -> Result<Flushed> {
    with_client(|client| client.ok_or_else(not_initialised)?.flush(timeout))
}

/// Delivers what can be delivered within `timeout`, then stops the worker. [`init`] may be called again.
///
/// # Errors
///
/// [`ErrorKind::NotRunning`] if there is no global client, and those of [`Client::shutdown`].
pub fn shutdown(timeout: Duration) -> Result<Flushed> {
    with_client(|client| client.ok_or_else(not_initialised)?.shutdown(timeout))
}

/// Records that the user said no, and stops at once; see [`Client::opt_out`].
///
/// # Errors
///
/// [`ErrorKind::NotRunning`] if there is no global client, and those of [`Client::opt_out`].
pub fn opt_out() -> Result<()> {
    with_client(|client| client.ok_or_else(not_initialised)?.opt_out())
}

/// Records that the user said yes, and starts if nobody else says no; see [`Client::opt_in`].
///
/// # Errors
///
/// [`ErrorKind::NotRunning`] if there is no global client, and those of [`Client::opt_in`].
pub fn opt_in() -> Result<OptIn> {
    with_client(|client| client.ok_or_else(not_initialised)?.opt_in())
}

/// Returns what became of the events so far; all zero if there is no global client.
pub fn stats() -> Stats {
    with_client(|client| client.map(Client::stats)).unwrap_or_default()
}

fn not_initialised() -> Error {
    Error::new(ErrorKind::NotRunning, "candor is not initialised")
}

/// Returns whether `event!` is to make its event; one that comes after a shutdown is counted here and now.
#[doc(hidden)]
#[inline]
pub fn admits_event() -> bool {
    with_client(|client| client.is_some_and(Client::admits_event))
}
