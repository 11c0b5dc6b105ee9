//! The settings of a client, in one builder. Never starts anything.

mod resolve;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::capture::{Hooks, Sampling};
use crate::catalogue::Catalogue;
pub(crate) use crate::config::resolve::ClientSettings;
use crate::consent::{Consent, Granted};
use crate::deliver::{DeliveryError, OnError};
use crate::error::Result;
use crate::event::{Allowed, OutgoingEvent, to_json};
use crate::field::PseudonymKey;
use crate::observe::LossReason;
use crate::settings::{Batching, Env, Http, Overflow, POSTHOG_EU, POSTHOG_US, Retry, Spool, defaults, token};
use crate::transport::{Transport, TransportFactory};
use crate::wire::Envelope;
use crate::wire::codec::Compression;
use crate::wire::protocol::Protocol;

/// Starts a [`Config`] with the name and version of the package that calls it, as its `Cargo.toml` has them.
///
/// ```no_run
/// use candor::{Consent, Notice};
///
/// let _guard = candor::init_or_disabled(
///     candor::config!()
///         .posthog_eu("phc_..")
///         .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry"))),
/// );
/// ```
///
/// The name selects the variables that people use, such as `MY_APP_TELEMETRY`. If the package and the program have
/// different names, pass the one that people know to [`Config::new`].
#[macro_export]
macro_rules! config {
    () => {
        $crate::Config::new(::core::env!("CARGO_PKG_NAME"), ::core::env!("CARGO_PKG_VERSION"))
    };
}

/// All settings of a client. It is created with [`Client::new`](crate::Client::new) or [`init`](crate::init).
///
#[doc = include_str!("documentation/settings.md")]
///
/// `<APP>` is the application's name in capitals. [`_documentation::consent`](crate::_documentation::consent) lists the
/// variables, files and answers that decide about consent. A proxy is taken from `https_proxy`, `http_proxy`,
/// `all_proxy` and `no_proxy`, but not from `HTTP_PROXY`, which a visitor of a web server can set under CGI.
///
/// ```
/// use std::time::Duration;
///
/// let config = candor::Config::new("granted", "0.14.0")
///     .endpoint("https://t.example.com")
///     .group("deployment", "dep_123")
///     .flush_at(50)
///     .flush_interval(Duration::from_secs(10));
/// ```
///
/// # Errors
///
/// Setters return no errors. Creating the client checks all settings, and returns an error of kind
/// [`Config`](crate::ErrorKind::Config) that names the first invalid one.
#[expect(clippy::struct_excessive_bools, reason = "each is a separate setting")]
#[must_use = "a configuration does nothing until a client is created from it"]
pub struct Config {
    pub(crate) app: String,
    pub(crate) version: String,
    endpoint: Option<String>,
    api_key: Option<String>,
    /// `None` until the application declares something.
    consent: Option<Consent>,
    library: (String, String),
    is_server: Option<bool>,
    geoip_disable: bool,
    groups: Vec<(String, String)>,
    super_properties: Vec<(String, std::result::Result<Vec<u8>, LossReason>)>,
    historical_migration: bool,
    protocol: Protocol,
    batching: Batching,
    retry: Retry,
    http: Http,
    compression: Compression,
    debug: bool,
    dry_run: bool,
    sent_log: Option<bool>,
    hooks: Hooks,
    on_error: OnError,
    sampling: Option<Arc<Sampling>>,
    allowed: Allowed,
    catalogue: Option<Catalogue>,
    pseudonyms: Option<PseudonymKey>,
    envelope: Option<Arc<dyn Envelope>>,
    transport: Option<Arc<TransportFactory>>,
    pub(super) spool: Option<Spool>,
    /// Whether the application has said whether it keeps events on disk.
    has_chosen_spool: bool,
    is_short_lived: bool,
    shutdown_timeout: Option<Duration>,
    pub(crate) env: Option<Env>,
}

impl Config {
    /// Starts a configuration for an application with this name and version. [`config!`](crate::config!) takes both
    /// from the package.
    ///
    /// The name selects the application's own variables: `my-app` reads `MY_APP_TELEMETRY`, `MY_APP_TELEMETRY_DISABLED`
    /// and `MY_APP_TELEMETRY_LOG`. It is also the name of the state directory. Name and version form the user agent.
    ///
    /// Creating the client fails if the name is blank, has no ASCII letter or digit, or cannot be the name of a
    /// directory.
    pub fn new(app: impl Into<String>, version: impl Into<String>) -> Self {
        let (app, version) = (app.into(), version.into());
        let user_agent = format!("{}/{}", token(&app), token(&version));
        Self {
            app,
            version,
            endpoint: None,
            api_key: None,
            consent: None,
            library: (env!("CARGO_PKG_NAME").to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            is_server: None,
            geoip_disable: true,
            groups: Vec::new(),
            super_properties: Vec::new(),
            historical_migration: false,
            protocol: Protocol::default(),
            batching: Batching::default(),
            retry: Retry::default(),
            http: Http::new(user_agent),
            compression: Compression::None,
            debug: false,
            dry_run: false,
            sent_log: None,
            hooks: Hooks::default(),
            on_error: OnError::default(),
            sampling: None,
            allowed: Allowed::default(),
            catalogue: None,
            pseudonyms: None,
            envelope: None,
            transport: None,
            spool: None,
            has_chosen_spool: false,
            is_short_lived: false,
            shutdown_timeout: None,
            env: None,
        }
    }

    /// Sets where events are sent: the base URL of PostHog, of a relay, or of an endpoint of your own. Without an
    /// endpoint and without a [`transport`](Self::transport), the client is created disabled.
    ///
    /// `http` or `https`, without a user, query or fragment. A path is kept, and the protocol's own path is appended to
    /// it. PostHog's web hosts (`app.`, `us.` and `eu.posthog.com`) are replaced by its ingestion hosts.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Sets the project's API key, for endpoints that require one; none by default.
    ///
    /// At most 64 bytes of ASCII, trimmed. With a blank key, the client is created disabled. Creating the client fails
    /// for a personal key (`phx_`) and for a placeholder such as `phc_...`.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Sends events to PostHog's cloud in the European Union, with the project API key (`phc_`) of the project.
    ///
    /// The same as [`endpoint`](Self::endpoint) `https://eu.i.posthog.com` and [`api_key`](Self::api_key).
    pub fn posthog_eu(self, key: impl Into<String>) -> Self {
        self.endpoint(POSTHOG_EU).api_key(key)
    }

    /// Sends events to PostHog's cloud in the United States, with the project API key (`phc_`) of the project.
    ///
    /// The same as [`endpoint`](Self::endpoint) `https://us.i.posthog.com` and [`api_key`](Self::api_key).
    pub fn posthog_us(self, key: impl Into<String>) -> Self {
        self.endpoint(POSTHOG_US).api_key(key)
    }

    /// Sets which sources decide whether anything is sent. The default is opt-in: nothing is sent until the user
    /// agrees. If nothing is declared, the log has a warning that names this call, unless somebody has granted.
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = Some(consent);
        self
    }

    /// Sets the catalogue of the program's events, for [`strict`](Self::strict) and for the command-line kit. There is
    /// none by default.
    pub fn catalogue(mut self, catalogue: Catalogue) -> Self {
        self.allowed.declared = Some(catalogue.declarations());
        self.catalogue = Some(catalogue);
        self
    }

    /// Lets only declared events and properties leave the machine. The default is false.
    ///
    /// An event that the [`catalogue`](Self::catalogue) does not list, or whose distinct id is not as declared, is
    /// dropped and counted as [`Undeclared`](crate::LossReason::Undeclared). From dynamic events, and from what a hook
    /// returns, undeclared properties and groups are removed, as are those whose values are not as declared; they are
    /// counted in [`fields_dropped`](crate::Stats::fields_dropped). The same applies once to super properties and to
    /// the client's groups. Without a catalogue, only derived events are sent.
    pub fn strict(mut self) -> Self {
        self.allowed.is_strict = true;
        self
    }

    /// Limits the property names of events without a schema, such as dynamic ones. Other properties are removed and
    /// counted. By default, all names are allowed.
    pub fn dynamic_properties<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.allowed.dynamic = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the key for `keyed` fields. Without a key, which is the default, these fields are left out and counted.
    pub fn pseudonym_key(mut self, key: PseudonymKey) -> Self {
        self.pseudonyms = Some(key);
        self
    }

    /// Sets the library that events name as `$lib` and `$lib_version`. The default is candor and its version.
    ///
    /// Name and version must not be blank, and have at most 199 bytes together.
    pub fn library(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.library = (name.into(), version.into());
        self
    }

    /// Sets `$is_server`, which tells PostHog that the sender's address is not a person's. The default is true, and
    /// false with [`cli::Telemetry`](crate::cli::Telemetry).
    pub fn is_server(mut self, is_server: bool) -> Self {
        self.is_server = Some(is_server);
        self
    }

    /// Sets `$geoip_disable`, which keeps PostHog from looking up the location of the sender's address. The default is
    /// true.
    pub fn geoip_disable(mut self, disable: bool) -> Self {
        self.geoip_disable = disable;
        self
    }

    /// Adds every event to a group. An event's own group of the same type replaces it.
    pub fn group(mut self, group_type: impl Into<String>, key: impl Into<String>) -> Self {
        self.groups.push((group_type.into(), key.into()));
        self
    }

    /// Adds a property to every event. An event's own property of the same name replaces it.
    ///
    /// There may be at most 50. Creating the client fails for a value that receivers could not read, and for a property
    /// with a setting of its own (`$lib`, `$lib_version`, `$is_server`, `$geoip_disable`, `$groups`).
    pub fn super_property<V: Serialize>(mut self, key: impl Into<String>, value: V) -> Self {
        self.super_properties.push((key.into(), to_json(&value)));
        self
    }

    /// Marks all events as imported old data, which PostHog stores without its usual limits. The default is false.
    pub fn historical_migration(mut self, is_migration: bool) -> Self {
        self.historical_migration = is_migration;
        self
    }

    /// Sets the PostHog protocol that carries the events. The default is [`Protocol::V0`].
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Prints each batch, formatted, from the bytes that are sent, then the result of each attempt, and each event that
    /// is dropped or property that is left out. The default is false; `<APP>_TELEMETRY_LOG=debug` turns it on as well.
    ///
    /// Lines go to the application's log (targets `candor::batch` and `candor`, level `info`), or to stderr if no logger
    /// takes them. They contain the values of all properties, but never the API key.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Prints each batch and sends nothing. The default is false.
    ///
    /// The events are counted as lost with the reason [`DryRun`](crate::LossReason::DryRun).
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Keeps a log of sent requests on this machine. The default is false, and true with
    /// [`cli::Telemetry`](crate::cli::Telemetry).
    ///
    /// Each request with a response is one line of JSON in `sent.jsonl`, in the state directory of [`Consent`]. It
    /// contains the time, the host, the number of events, the status of the response, and the exact bytes of the body
    /// before compression: as text if they are UTF-8, and in base64 otherwise. Headers and the API key are never
    /// written: if the body contains the key, as with PostHog's v0, its first four characters and `...` replace it, and
    /// `api_key_shown_as` says so. Of a body that would take more than 511 KiB, only the SHA-256 is kept.
    ///
    /// Each line ends with a SHA-256 of itself and of the line before, so a changed or removed line can be detected.
    /// This does not protect against somebody who writes the whole log anew. At 1 MiB the oldest half is removed, and
    /// the first line says how many lines that were.
    ///
    /// Several processes may write to the file. It is written on the worker's thread, only while consent is granted,
    /// and never in continuous integration or under `sudo`. It is kept when consent is withdrawn. A line that cannot be
    /// written delays nothing: the next line counts it as `missed`.
    pub fn sent_log(mut self, is_kept: bool) -> Self {
        self.sent_log = Some(is_kept);
        self
    }

    /// Adds a hook that receives each event on the thread that captures it, and returns it, changed or not, or drops it
    /// by returning `None`.
    ///
    /// Hooks run in the order in which they were added. If one panics, the event is dropped and counted. A hook runs
    /// during `capture`, so whatever it waits for, the caller waits for.
    pub fn before_send(
        mut self,
        hook: impl Fn(OutgoingEvent) -> Option<OutgoingEvent> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Sets a hook that is called on the worker's thread for events that will not be delivered: rejected, given up,
    /// left at a shutdown, or withdrawn with the consent.
    ///
    /// Events that never reached the worker, such as those dropped by a full queue or by another hook, are only counted
    /// in [`stats`](crate::Client::stats). A shutdown waits for the hook within its own timeout, and for at most 100 ms
    /// more, or 350 ms with a [`spool`](Self::spool).
    pub fn on_error(mut self, hook: impl Fn(&DeliveryError) + Send + Sync + 'static) -> Self {
        self.on_error = OnError::new(hook);
        self
    }

    /// Captures only a part of the events. By default, all are captured.
    ///
    /// The others are counted as lost with the reason [`SampledOut`](crate::LossReason::SampledOut).
    pub fn sample(mut self, sampling: Sampling) -> Self {
        self.sampling = Some(Arc::new(sampling));
        self
    }

    /// Sets the shape of requests, instead of that of the [`protocol`](Self::protocol), with
    /// [limits](crate::wire::Envelope::limits) of its own.
    pub fn envelope(mut self, envelope: impl Envelope + 'static) -> Self {
        self.envelope = Some(Arc::new(envelope));
        self
    }

    /// Sets the function that creates the transport when consent is granted. The default is HTTP.
    ///
    /// It is called again for every later grant. If it fails, so does creating the client, or opting in.
    ///
    /// ```
    /// let memory = candor::testing::MemoryTransport::new();
    /// let config = candor::Config::new("app", "1.0").transport({
    ///     let memory = memory.clone();
    ///     move |_granted| Ok(Box::new(memory.clone()) as Box<dyn candor::transport::Transport>)
    /// });
    /// ```
    pub fn transport(
        mut self,
        factory: impl Fn(Granted) -> Result<Box<dyn Transport>> + Send + Sync + 'static,
    ) -> Self {
        self.transport = Some(Arc::new(factory));
        self
    }

    /// Sets the number of events that makes a batch. The default is 100; at least 1.
    ///
    /// A backlog is sent in larger batches, of up to [`batch_bytes`](Self::batch_bytes).
    pub fn flush_at(mut self, events: usize) -> Self {
        self.batching.flush_at = events;
        self
    }

    /// Sets the number of queued bytes that makes a batch before its number of events does. The default is 512 KiB; at
    /// least 1 byte.
    pub fn flush_bytes(mut self, bytes: usize) -> Self {
        self.batching.flush_bytes = bytes;
        self
    }

    /// Sets the maximum time an event waits before its batch is sent. The default is 5 seconds; longer than zero.
    ///
    /// Retries may delay it further, see [`retry_delays`](Self::retry_delays).
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.batching.interval = interval;
        self
    }

    /// Sets the maximum number of events in the queue. The default is 10,000; from 1 to 4,000,000.
    ///
    /// [`overflow`](Self::overflow) says what happens beyond it.
    pub fn queue_events(mut self, events: usize) -> Self {
        self.batching.queue_events = events;
        self
    }

    /// Sets the maximum size of the queue in bytes. The default is 16 MiB; at least 1 byte and below 1 TiB.
    ///
    /// [`overflow`](Self::overflow) says what happens beyond it.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.batching.queue_bytes = bytes;
        self
    }

    /// Sets the maximum size of an event in bytes. The default is 900 KiB, or less if an [envelope](Self::envelope)
    /// accepts less; at least 1 byte.
    ///
    /// A larger event is dropped and counted as [`TooLarge`](crate::LossReason::TooLarge).
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.batching.event_bytes = bytes;
        self
    }

    /// Sets the maximum size of a batch's body in bytes, before compression. The default is 1 MiB, or less if an
    /// [envelope](Self::envelope) accepts less.
    ///
    /// At least 1 byte, and at most 20 MiB with [`Protocol::V0`], 10 MiB with [`Protocol::V1`], or what the envelope
    /// accepts. An event that is larger than this is sent alone, up to what the endpoint accepts.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batching.batch_bytes = bytes;
        self
    }

    /// Sets what happens to an event when the queue is full. By default it is dropped and counted, and the caller
    /// continues at once.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.batching.overflow = overflow;
        self
    }

    /// Sets how often a batch is retried: with `n` retries, it is sent up to `n + 1` times. By default the number is
    /// not limited, and a batch is retried for [`retry_for`](Self::retry_for).
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.retry.max_retries = Some(retries);
        self
    }

    /// Sets the delay before the first retry, and the maximum delay. The defaults are 500 ms and 30 seconds; the first
    /// is longer than zero.
    ///
    /// The delay doubles with each retry, and up to half of it is added at random. The maximum also limits
    /// `Retry-After`.
    pub fn retry_delays(mut self, first: Duration, max: Duration) -> Self {
        (self.retry.base, self.retry.max_delay) = (first, max.max(first));
        self
    }

    /// Sets how long a batch is retried. The default is 24 hours. After that, its events are lost and counted.
    pub fn retry_for(mut self, age: Duration) -> Self {
        self.retry.max_age = age;
        self
    }

    /// Sets the maximum size of all batches that wait for a retry, in bytes. The default is 8 MiB; at least 1 byte.
    /// Beyond it, events stay in the queue.
    pub fn retry_bytes(mut self, bytes: usize) -> Self {
        self.retry.waiting_bytes = bytes;
        self
    }

    /// Sets the timeout for a whole request. The default is 15 seconds; longer than zero and at most a day.
    ///
    /// It covers resolving the name, connecting, sending and receiving, but not the delays between retries. Names are
    /// resolved on a thread of the HTTP library, which cannot be interrupted and is left behind when the time is up.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.http.total = timeout;
        self
    }

    /// Sets the timeout for resolving the name, and the timeout for connecting, including TLS. The default is 5 seconds
    /// each; longer than zero and at most a day.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        (self.http.connect, self.http.resolve) = (timeout, timeout);
        self
    }

    /// Sets the timeout for receiving the next byte of the response. The default is 10 seconds; longer than zero and at
    /// most a day.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.http.read = timeout;
        self
    }

    /// Adds a header to every request. Creating the client fails if its name or value is not valid in HTTP.
    ///
    /// The value is never printed by this crate. The HTTP library prints it only at level `trace`, under the target
    /// `ureq_proto`; a warning says so if that level is enabled.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.http.headers.push((name.into(), value.into()));
        self
    }

    /// Keeps events on disk while they cannot be delivered, so they survive the end of the process. There is no spool
    /// by default. See [`Spool`] for what is kept, where, and for how long.
    ///
    /// Users must be told: if the program has a catalogue, call
    /// [`Catalogue::kept_on_disk`](crate::Catalogue::kept_on_disk). With [`cli::Telemetry`](crate::cli::Telemetry),
    /// this alone sets [`Spool::cli`].
    pub fn spool(mut self, spool: Spool) -> Self {
        (self.spool, self.has_chosen_spool) = (Some(spool), true);
        self
    }

    /// Keeps no events on disk: removes a [`spool`](Self::spool) set before, and prevents that of
    /// [`cli::Telemetry`](crate::cli::Telemetry).
    pub fn no_spool(mut self) -> Self {
        (self.spool, self.has_chosen_spool) = (None, true);
        self
    }

    /// Sets how request bodies are compressed. The default is none.
    ///
    /// Creating the client fails if the protocol or the [envelope](Self::envelope) does not accept the codec, or if
    /// this build lacks its feature. [`Protocol::V0`] accepts gzip only.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets how long a dropped [`Guard`](crate::Guard) waits for the last events. The default is 2 seconds, and 400 ms
    /// with [`cli::Telemetry`](crate::cli::Telemetry).
    ///
    /// Cutting off a request may take another 100 ms; see [`Client::shutdown`](crate::Client::shutdown).
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// Sets defaults for a tool that runs for seconds instead of a server that runs for months. A tool that uses
    /// [`cli::Telemetry`](crate::cli::Telemetry) already has them.
    ///
    /// - `$is_server` is false, as with [`is_server`](Self::is_server): the tool runs on a person's machine.
    /// - Each batch is sent once, as with [`max_retries`](Self::max_retries) of 0: the next run comes sooner than a
    ///   retry would. With a [`spool`](Self::spool) it is sent again by the next run, and this does not apply.
    /// - The last flush takes at most 400 ms, as with [`shutdown_timeout`](Self::shutdown_timeout). With the 100 ms
    ///   that cutting off a request may take, the tool ends at most 500 ms later than it would without telemetry. A
    ///   [`spool`](Self::spool) then gets up to 250 ms on a slow disk to write what was not delivered, so the maximum
    ///   is 750 ms. If the endpoint refuses the connection, or its name does not resolve, the delay is only the time it
    ///   takes to find out, usually a few milliseconds.
    ///
    /// Events not delivered by then are lost and counted, unless a spool keeps them. Setters called after this one
    /// override single values.
    pub fn short_lived(mut self) -> Self {
        self.is_server = Some(false);
        (self.is_short_lived, self.retry.max_retries) = (true, None);
        self.shutdown_timeout = Some(defaults::SHORT_LIVED_SHUTDOWN);
        self
    }

    /// Sets the environment to decide on, instead of the process's own; for tests and examples.
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("app", &self.app)
            .field("version", &self.version)
            .field("batching", &self.batching)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posthogs_clouds_are_an_endpoint_and_a_key() {
        for (config, url) in [
            (crate::config!().posthog_eu("phc_test"), "https://eu.i.posthog.com"),
            (crate::config!().posthog_us("phc_test"), "https://us.i.posthog.com"),
        ] {
            let settings = config.resolve(&Env::empty()).unwrap();
            assert_eq!(settings.endpoint.unwrap().as_str(), url);
            assert_eq!(settings.hide, Some(("phc_test".to_owned(), "...".to_owned())));
        }
    }

    #[test]
    fn a_key_copied_from_the_documentation_is_refused() {
        let Err(error) = crate::config!().posthog_eu("phc_..").resolve(&Env::empty()) else {
            panic!("accepted")
        };
        assert_eq!(
            error.to_string(),
            "api_key: this is a placeholder; copy the project API key (phc_) from the settings of your PostHog project"
        );
    }
}
