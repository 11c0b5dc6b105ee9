//! The application's builder: everything that can be set, in one wide type that is split once.
//!
//! Never starts anything, and never reads the environment except for the snapshot it is given.

mod declared;
mod delivery;
mod resolve;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::capture::{Hooks, Sampling};
use crate::catalogue::Catalogue;
pub(crate) use crate::config::resolve::ClientSettings;
use crate::consent::{Consent, Facts, Granted};
use crate::deliver::{DeliveryError, OnError};
use crate::error::Result;
use crate::event::{Allowed, OutgoingEvent, to_json};
use crate::field::PseudonymKey;
use crate::observe::LossReason;
use crate::settings::{
    Batching, Endpoint, Env, Http, POSTHOG_EU, POSTHOG_US, Retry, Sending, Spool, asks_for_debug, defaults,
    token,
};
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

/// What a client is to do, and whom it asks first.
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
/// Nothing is checked before the client is made; then the first setting that cannot work is named.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[must_use = "a configuration does nothing until a client is made from it"]
pub struct Config {
    pub(crate) app: String,
    pub(crate) version: String,
    endpoint: Option<String>,
    api_key: Option<String>,
    consent: Consent,
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
    /// Starts a configuration for an application of this name and version.
    ///
    /// The name makes the names of the application's own variables: `my-app` reads `MY_APP_TELEMETRY`,
    /// `MY_APP_TELEMETRY_DISABLED` and `MY_APP_TELEMETRY_LOG`. Name and version are the user agent.
    pub fn new(app: impl Into<String>, version: impl Into<String>) -> Self {
        let (app, version) = (app.into(), version.into());
        let user_agent = format!("{}/{}", token(&app), token(&version));
        Self {
            app,
            version,
            endpoint: None,
            api_key: None,
            consent: Consent::default(),
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

    /// Sets where events go: the base URL of PostHog, of a relay, or of the vendor's own endpoint.
    ///
    /// `http` or `https`, without user, query or fragment; a path stays in front of the protocol's own.
    /// PostHog's web hosts (`app.`, `us.`, `eu.posthog.com`) become its ingestion hosts. Without an
    /// endpoint the client is off.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Sets the project's API key, for endpoints that want one; none by default.
    ///
    /// At most 64 bytes of ASCII, trimmed. A blank key disables the client. Creating the client fails for a personal key
    /// (`phx_`) and for a placeholder such as `phc_...`.
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

    /// Sets whose yes is needed and whose no is heard; opt-in unless set, so that nothing is sent before
    /// somebody has said yes.
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// Sets the library that events name as `$lib` and `$lib_version`; candor itself unless set.
    pub fn library(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.library = (name.into(), version.into());
        self
    }

    /// Sets `$is_server`, which tells PostHog that the address is not a person's; true unless set, false in
    /// [`cli::Telemetry`](crate::cli::Telemetry).
    pub fn is_server(mut self, is_server: bool) -> Self {
        self.is_server = Some(is_server);
        self
    }

    /// Sets `$geoip_disable`, which keeps PostHog from looking up the address; true unless set.
    pub fn geoip_disable(mut self, disable: bool) -> Self {
        self.geoip_disable = disable;
        self
    }

    /// Adds every event to a group; an event's own group of the same type takes its place.
    pub fn group(mut self, group_type: impl Into<String>, key: impl Into<String>) -> Self {
        self.groups.push((group_type.into(), key.into()));
        self
    }

    /// Adds a property to every event; an event's own property of the same name takes its place.
    ///
    /// At most 50. The library's own properties (`$lib` and the like) cannot be set this way.
    pub fn super_property<V: Serialize>(mut self, key: impl Into<String>, value: V) -> Self {
        self.super_properties.push((key.into(), to_json(&value)));
        self
    }

    /// Marks everything as old data that is imported, which PostHog stores without its usual limits.
    pub fn historical_migration(mut self, is_migration: bool) -> Self {
        self.historical_migration = is_migration;
        self
    }

    /// Sets which of PostHog's protocols carries the events; [`Protocol::V0`] unless set.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Prints each batch to the application's log (target `candor::batch`, level `info`), pretty, from the bytes
    /// that are sent; to stderr where no logger takes such a line. `<APP>_TELEMETRY_LOG=debug` does the same.
    /// Off unless set.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Prints each batch and sends nothing; the events count as lost, for the reason `dry run`.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Keeps a log on this machine of what was sent; off unless set, on in [`cli::Telemetry`](crate::cli::Telemetry).
    ///
    /// Each request that was answered is one line of JSON in `sent.jsonl`, in the state directory of
    /// [`Consent`]: when, to which host, how many events, the status of the answer, and the exact bytes of the body
    /// before compression, as text where it is UTF-8 and in base64 if it is not. Never a header, and never the API
    /// key: where the body holds it, as in PostHog's v0, its first four characters and `...` take its place, and
    /// `api_key_shown_as` says so. Nothing else differs from what was sent. Of a body that would take more than
    /// 511 KiB only the SHA-256 is kept.
    ///
    /// Each line ends with a SHA-256 over itself and the line before, so a line that was changed or cut out shows; it
    /// does not protect from somebody who writes the whole log anew. The file has at most 1 MiB: then the oldest half
    /// goes, and the first line says how many lines that were. Several processes may write to it. It is written on the
    /// worker's thread and only while consent is granted, never in continuous integration or under sudo, and it is
    /// kept when consent is withdrawn. A line that cannot be written delays nothing: the next one counts it as `missed`.
    pub fn sent_log(mut self, is_kept: bool) -> Self {
        self.sent_log = Some(is_kept);
        self
    }

    /// Adds a hook that sees each event on the thread that captures it, and gives it back, changed or
    /// not, or drops it. A panic in it drops the event. Hooks run in the order in which they were added.
    pub fn before_send(
        mut self,
        hook: impl Fn(OutgoingEvent) -> Option<OutgoingEvent> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Sets a hook that is told, on the worker's thread, of events that will not be delivered: refused, given up,
    /// left over at a shutdown, or withdrawn with the consent.
    ///
    /// Of events that no worker has had in hand, such as those that a full queue or another hook has dropped, only
    /// [`stats`](crate::Client::stats) tells. A shutdown waits for the hook within its time, and a tenth of a second
    /// longer at most.
    pub fn on_error(mut self, hook: impl Fn(&DeliveryError) + Send + Sync + 'static) -> Self {
        self.on_error = OnError::new(hook);
        self
    }

    /// Keeps only a part of the events.
    pub fn sample(mut self, sampling: Sampling) -> Self {
        self.sampling = Some(Arc::new(sampling));
        self
    }

    /// Sets the shape of requests, in place of [`protocol`](Self::protocol)'s, with
    /// [limits](crate::wire::Envelope::limits) of its own.
    pub fn envelope(mut self, envelope: impl Envelope + 'static) -> Self {
        self.envelope = Some(Arc::new(envelope));
        self
    }

    /// Sets what makes the transport, once consent is granted; HTTP by ureq unless set.
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

    /// Sets the time that a dropped [`Guard`](crate::Guard) gives the last flush; 2 seconds unless set, 400 ms in
    /// [`cli::Telemetry`](crate::cli::Telemetry).
    ///
    /// The guard may take up to 100 ms longer; see [`Client::shutdown`](crate::Client::shutdown).
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// Sets what suits a tool that runs for seconds, in place of a server that runs for months. A tool that uses
    /// [`cli::Telemetry`](crate::cli::Telemetry) has it already.
    ///
    /// - `$is_server` is false, as with [`is_server`](Self::is_server): the tool speaks for the machine it runs on.
    /// - Each batch is sent once, as with [`max_retries`](Self::max_retries) of 0: the next run comes sooner than a
    ///   retry would. With a [`spool`](Self::spool) it is sent again by the next run, and this does not apply.
    /// - The last flush has 400 ms, as with [`shutdown_timeout`](Self::shutdown_timeout). With the 100 ms that cutting
    ///   a request may take, the tool ends at most 500 ms later than it would without telemetry. An endpoint that
    ///   refuses the connection, or whose name does not resolve, delays it by the time it takes to learn that, which is
    ///   a few milliseconds in most cases.
    ///
    /// What is not delivered by then is lost, and counted, unless a spool keeps it. Setters called after this one
    /// change the single values.
    pub fn short_lived(mut self) -> Self {
        self.is_server = Some(false);
        (self.is_short_lived, self.retry.max_retries) = (true, None);
        self.shutdown_timeout = Some(defaults::SHORT_LIVED_SHUTDOWN);
        self
    }

    /// Sets the environment to decide on, in place of the process's own; for tests and examples.
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// Sets what suits a command-line tool, wherever the application has set nothing: what
    /// [`short_lived`](Self::short_lived) does, the log of what was sent, and [`Spool::cli`] if the catalogue tells
    /// people that events are kept on disk. A tool that sends each batch once only keeps none.
    pub(crate) fn suit_a_tool(&mut self) {
        self.is_server.get_or_insert(false);
        self.sent_log.get_or_insert(true);
        self.shutdown_timeout.get_or_insert(defaults::SHORT_LIVED_SHUTDOWN);
        self.is_short_lived = true;
        let says_so = self.catalogue.is_some_and(|catalogue| catalogue.is_kept_on_disk);
        let may_keep = !self.has_chosen_spool && self.retry.max_retries != Some(0);
        if cfg!(feature = "spool") && says_so && may_keep {
            self.spool = Some(Spool::cli());
        }
    }

    /// Returns whether the application leaves its events to a process of their own.
    pub(crate) fn asks_for_sender(&self) -> bool {
        self.spool.as_ref().is_some_and(|spool| spool.sending == Sending::Detached)
    }

    /// Sets whether the end of this run starts that process. If not, the next run sends the events.
    pub(crate) fn set_has_sender(&mut self, has_sender: bool) {
        if let Some(spool) = &mut self.spool {
            spool.has_sender = has_sender;
        }
    }

    /// Makes this process the one that sends what others have left. What it has not sent when its time is up it leaves
    /// to another, whatever the application allows the end of a command to take.
    pub(crate) fn send_now(&mut self) {
        self.shutdown_timeout = Some(defaults::SHORT_LIVED_SHUTDOWN);
        if let Some(spool) = &mut self.spool {
            (spool.sending, spool.has_sender) = (Sending::Live, false);
        }
    }

    /// Returns whether the log of what was sent is kept.
    pub(crate) fn keeps_sent_log(&self) -> bool {
        self.sent_log.unwrap_or(false)
    }

    /// Returns what `$is_server` says.
    pub(crate) fn says_server(&self) -> bool {
        self.is_server.unwrap_or(true)
    }

    /// Returns the environment to decide on, and fixes it for the client.
    pub(crate) fn environment(&mut self) -> Env {
        self.env.get_or_insert_with(Env::from_process).clone()
    }

    /// Returns the catalogue, where one is set.
    pub(crate) fn declared_catalogue(&self) -> Option<Catalogue> {
        self.catalogue
    }

    /// Turns telemetry off for this run, as the flag does.
    pub(crate) fn without_telemetry(mut self) -> Self {
        self.consent = self.consent.no_telemetry_flag(true);
        self
    }

    /// Returns the application's name.
    pub(crate) fn app(&self) -> &str {
        &self.app
    }

    /// Returns whether debug printing was asked for, by the application or by the environment.
    pub(crate) fn is_debugging(&self, env: &Env) -> bool {
        self.debug || self.dry_run || asks_for_debug(env, &self.app)
    }

    /// Returns what consent is decided on.
    pub(crate) fn facts(&self) -> Facts {
        let endpoint = self.endpoint.as_deref().and_then(|url| Endpoint::parse(url).ok());
        let mut facts = Facts::new(
            self.app.clone(),
            self.consent.clone(),
            endpoint.map(|endpoint| endpoint.as_str().to_owned()),
        );
        facts.app_version.clone_from(&self.version);
        facts.own_transport = self.transport.is_some();
        facts.api_key_missing = self.api_key.as_deref().is_some_and(|key| key.trim().is_empty());
        facts
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
