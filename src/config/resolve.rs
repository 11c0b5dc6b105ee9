//! What the crate reads from a configuration: its facts, and its settings, checked and split by part.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::capture::CaptureSettings;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::consent::{CiProvider, Consent, Facts, Notice, writable_state_file};
use crate::deliver::OnError;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{CommonProperties, MAX_COMMON, reserved};
use crate::observe::LossReason;
use crate::observe::sent_log;
use crate::settings::{
    ApiKey, Batching, Endpoint, Env, Http, Retry, Sending, Spool, asks_for_debug, defaults, proxy,
};
use crate::transport::TransportFactory;
use crate::wire::codec::Compression;
use crate::wire::{AI, Conventions, Envelope, EnvelopeLimits, EnvelopeSettings, LibraryPlace};

/// A checked configuration, split into the settings of each part.
#[derive(Clone)]
pub(crate) struct ClientSettings {
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) hide: Option<(String, String)>,
    /// The protocol's name, for the log of sent requests.
    pub(crate) protocol: &'static str,
    /// The path of the log of sent requests, if one is kept.
    pub(crate) sent_log: Option<PathBuf>,
    /// How many super properties and groups strict mode has removed.
    pub(crate) undeclared: u32,
    pub(crate) capture: CaptureSettings,
    pub(crate) batching: Batching,
    pub(crate) retry: Retry,
    pub(crate) http: Http,
    pub(crate) compression: Compression,
    pub(crate) prints: bool,
    pub(crate) is_dry_run: bool,
    pub(crate) on_error: OnError,
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) ai: AiSettings,
    pub(crate) transport: Option<Arc<TransportFactory>>,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) spool: Option<Spool>,
}

/// What checking a configuration has made of its settings.
struct Checked {
    endpoint: Option<Endpoint>,
    api_key: Option<ApiKey>,
    conventions: Conventions,
    common: CommonProperties,
    ai: AiSettings,
    envelope: Arc<dyn Envelope>,
    limits: EnvelopeLimits,
}

/// The settings that differ for the route of AI events.
#[derive(Clone)]
pub(crate) struct AiSettings {
    envelope: Arc<dyn Envelope>,
    common: Arc<CommonProperties>,
}

const MIB: usize = 1024 * 1024;

/// Properties of the library with their own settings, which super properties cannot set.
const HAS_A_SETTING: [&str; 5] =
    [reserved::LIB, reserved::LIB_VERSION, reserved::IS_SERVER, reserved::GEOIP_DISABLE, reserved::GROUPS];

impl ClientSettings {
    /// Returns the settings of the lane for AI events.
    pub(crate) fn for_ai(&self) -> Self {
        let mut lane = self.clone();
        lane.envelope = Arc::clone(&self.ai.envelope);
        lane.protocol = AI.conventions.name;
        lane.capture.common = Arc::clone(&self.ai.common);
        lane.capture.event_bytes = AI.limits.max_event_bytes;
        lane.batching.batch_bytes = defaults::AI_BATCH_BYTES;
        lane.batching.flush_bytes = defaults::AI_BATCH_BYTES / 2;
        lane.batching.queue_events = defaults::AI_QUEUE_EVENTS;
        lane.batching.queue_bytes = defaults::AI_QUEUE_BYTES;
        lane.retry.waiting_bytes = defaults::AI_QUEUE_BYTES;
        if !AI.limits.accepts(lane.compression) {
            lane.compression = Compression::Gzip;
        }
        lane
    }
}

impl Config {
    /// Sets defaults for a command-line tool where the application has set nothing: opt-in consent, those of
    /// [`short_lived`](Self::short_lived), the log of sent requests, and [`Spool::cli`] if the catalogue tells people
    /// that events are kept on disk. A tool without retries keeps none.
    pub(crate) fn suit_a_tool(&mut self) {
        self.is_server.get_or_insert(false);
        self.sent_log.get_or_insert(true);
        self.declared_consent();
        self.shutdown_timeout.get_or_insert(defaults::SHORT_LIVED_SHUTDOWN);
        self.is_short_lived = true;
        let says_so = self.catalogue.is_some_and(|catalogue| catalogue.is_kept_on_disk);
        let may_keep = !self.has_chosen_spool && self.retry.max_retries != Some(0);
        if cfg!(feature = "spool") && says_so && may_keep {
            self.spool = Some(Spool::cli());
        }
    }

    /// Returns whether the application's events are sent by a separate process.
    pub(crate) fn asks_for_sender(&self) -> bool {
        self.spool.as_ref().is_some_and(|spool| spool.sending == Sending::Detached)
    }

    /// Sets whether the end of this run starts that process; otherwise the next run sends the events.
    pub(crate) fn set_has_sender(&mut self, has_sender: bool) {
        if let Some(spool) = &mut self.spool {
            spool.has_sender = has_sender;
        }
    }

    /// Turns this process into the one that sends the events of others. When its time is up, it leaves the rest to
    /// another one, whatever timeout the application has set for the end of a command.
    pub(crate) fn send_now(&mut self) {
        self.shutdown_timeout = Some(defaults::SHORT_LIVED_SHUTDOWN);
        if let Some(spool) = &mut self.spool {
            (spool.sending, spool.has_sender) = (Sending::Live, false);
        }
    }

    /// Returns whether the log of sent requests is kept.
    pub(crate) fn keeps_sent_log(&self) -> bool {
        self.sent_log.unwrap_or(false)
    }

    /// Returns the value of `$is_server`.
    pub(crate) fn says_server(&self) -> bool {
        self.is_server.unwrap_or(true)
    }

    /// Returns the environment to decide on, and fixes it for the client.
    pub(crate) fn environment(&mut self) -> Env {
        self.env.get_or_insert_with(Env::from_process).clone()
    }

    /// Returns the catalogue, if one is set.
    pub(crate) fn declared_catalogue(&self) -> Option<Catalogue> {
        self.catalogue
    }

    /// Returns the application's declaration of consent, and makes the default one its own if there is none.
    fn declared_consent(&mut self) -> &mut Consent {
        self.consent.get_or_insert_default()
    }

    /// Turns telemetry off for this run, like the flag.
    pub(crate) fn without_telemetry(mut self) -> Self {
        self.declared_consent().no_telemetry_flag = true;
        self
    }

    /// Returns whether debug printing is enabled, by the application or the environment.
    pub(crate) fn is_debugging(&self, env: &Env) -> bool {
        self.debug || self.dry_run || asks_for_debug(env, &self.app)
    }

    /// Returns the facts on which consent is decided.
    pub(crate) fn facts(&self) -> Facts {
        let endpoint = self.endpoint.as_deref().and_then(|url| Endpoint::parse(url).ok());
        let mut facts = Facts::new(
            self.app.clone(),
            self.consent.clone().unwrap_or_default(),
            endpoint.map(|endpoint| endpoint.as_str().to_owned()),
        );
        facts.declares_consent = self.consent.is_some();
        facts.app_version.clone_from(&self.version);
        facts.own_transport = self.transport.is_some();
        facts.api_key_missing = self.api_key.as_deref().is_some_and(|key| key.trim().is_empty());
        facts.has_api_key = self.api_key.is_some();
        facts
    }

    /// Returns the facts on which consent is decided, with the error if no client can be created.
    pub(crate) fn checked_facts(&self) -> Facts {
        Facts { error: self.problem().map(|error| format!("{error:?}")), ..self.facts() }
    }

    /// Returns the super properties that strict mode allows. A value that cannot be encoded is among them, for the
    /// check to report.
    fn declared_super_properties(
        &self,
    ) -> impl Iterator<Item = &(String, std::result::Result<Vec<u8>, LossReason>)> {
        let is_declared = |name: &str, json: &[u8]| self.allowed.admits_common(name, json);
        let properties = self.super_properties.iter();
        properties.filter(move |(name, json)| json.as_ref().map_or(true, |json| is_declared(name, json)))
    }

    /// Removes the super properties and groups that strict mode does not allow; returns their number.
    fn take_undeclared(&mut self) -> u32 {
        let before = self.super_properties.len() + self.groups.len();
        let allowed = &self.allowed;
        self.super_properties.retain(|(name, json)| match json {
            Ok(json) => keeps("super_property", name, allowed.admits_common(name, json)),
            // A value that cannot be encoded is reported by the check.
            Err(_) => true,
        });
        self.groups.retain(|(kind, _)| keeps("group", kind, allowed.admits_group(kind)));
        let left_out = before - self.super_properties.len() - self.groups.len();
        u32::try_from(left_out).unwrap_or(u32::MAX)
    }

    /// Checks the configuration, and splits it into the settings of each part.
    pub(crate) fn resolve(mut self, env: &Env) -> Result<ClientSettings> {
        let undeclared = self.take_undeclared();
        let Checked { endpoint, api_key, conventions, common, ai, envelope, limits } = self.check()?;
        if self.spool.is_none() && self.is_short_lived {
            self.retry.max_retries.get_or_insert(0);
        }
        self.http.proxy = endpoint.as_ref().and_then(|endpoint| proxy(env, endpoint.is_https()));
        let sent_log = self.sent_log_path(env);
        self.batching.batch_bytes = self.batching.batch_bytes.min(limits.max_body_bytes);
        Ok(ClientSettings {
            prints: self.is_debugging(env),
            is_dry_run: self.dry_run,
            endpoint,
            hide: api_key.map(|key| (key.secret().to_owned(), key.shown().to_owned())),
            protocol: conventions.name,
            sent_log,
            undeclared,
            capture: CaptureSettings {
                is_debugging: self.is_debugging(env),
                common: Arc::new(common),
                hooks: self.hooks,
                sampling: self.sampling,
                allowed: Arc::new(self.allowed),
                pseudonyms: self.pseudonyms,
                event_bytes: self.batching.event_bytes.min(limits.max_event_bytes),
            },
            batching: self.batching,
            retry: self.retry,
            http: self.http,
            compression: self.compression,
            on_error: self.on_error,
            envelope,
            ai,
            transport: self.transport,
            shutdown_timeout: self.shutdown_timeout.unwrap_or(defaults::SHUTDOWN),
            spool: self.spool,
        })
    }

    /// Returns the error with which no client could be created from this configuration.
    pub(crate) fn problem(&self) -> Option<Error> {
        self.check().err()
    }

    /// Checks all settings, without the environment and without changing anything.
    fn check(&self) -> Result<Checked> {
        check_name(&self.app)?;
        check_notice(self.consent.as_ref().and_then(|consent| consent.notice.as_ref()))?;
        let endpoint = self.endpoint.as_deref().map(Endpoint::parse).transpose()?;
        let api_key = self.api_key.as_deref().and_then(ApiKey::new);
        if let Some(problem) = api_key.as_ref().and_then(ApiKey::problem) {
            return Err(Error::new(ErrorKind::Config, format!("api_key: {problem}")));
        }
        let brings_own = self.transport.is_some() || self.envelope.is_some();
        if self.api_key.is_none() && !brings_own && endpoint.as_ref().is_some_and(Endpoint::is_posthogs_cloud)
        {
            return Err(Error::new(
                ErrorKind::Config,
                "api_key: PostHog's cloud needs one; copy the project API key (phc_) from the settings of your PostHog project",
            ));
        }
        self.batching.check()?;
        self.retry.check()?;
        self.http.check()?;
        if let Some(spool) = &self.spool {
            spool.check(self.retry.max_retries)?;
        }
        let conventions = self.conventions();
        let [common, ai_common] = self.common(&conventions)?;
        let settings = EnvelopeSettings {
            api_key: api_key.as_ref().map(ApiKey::secret),
            historical_migration: self.historical_migration,
            library: (&self.library.0, &self.library.1),
        };
        let ai = AiSettings { envelope: (AI.envelope)(&settings), common: Arc::new(ai_common) };
        let envelope = match &self.envelope {
            Some(envelope) => Arc::clone(envelope),
            None => (self.protocol.spec().envelope)(&settings),
        };
        let limits = envelope.limits();
        self.check_limits(&limits)?;
        if let Some(endpoint) = &endpoint {
            endpoint.check_path(&[envelope.path(), ai.envelope.path()])?;
            endpoint.check_envelope_path(envelope.path())?;
        }
        Ok(Checked { endpoint, api_key, conventions, common, ai, envelope, limits })
    }

    /// Returns the rules that apply when events are encoded.
    fn conventions(&self) -> Conventions {
        if self.envelope.is_some() { Conventions::CUSTOM } else { self.protocol.spec().conventions }
    }

    /// Returns an error that names the first setting that the endpoint does not accept.
    fn check_limits(&self, limits: &EnvelopeLimits) -> Result<()> {
        let wrong = |text: String| Err(Error::new(ErrorKind::Config, text));
        let receiver = match &self.envelope {
            Some(_) => "the envelope".to_owned(),
            None => format!("protocol {:?}", self.protocol),
        };
        let (bytes, max) = (self.batching.batch_bytes, limits.max_body_bytes);
        // Only an explicit setting is an error; the default is reduced to the limit.
        if bytes > max && bytes != defaults::BATCH_BYTES {
            let max = if max % MIB == 0 { format!("{} MiB", max / MIB) } else { format!("{max} bytes") };
            return wrong(format!("batch_bytes: must be at most {max}, which is what {receiver} accepts"));
        }
        let codec = self.compression;
        if let Some(feature) = codec.missing_feature() {
            return wrong(format!(
                "compression: {codec:?} needs the feature `{feature}`, which this build lacks; enable it"
            ));
        }
        if !limits.accepts(codec) {
            let accepted = limits.codecs;
            return wrong(format!("compression: {receiver} accepts {accepted:?}, not {codec:?}"));
        }
        Ok(())
    }

    /// Returns the path of the log of sent requests, if it is written: nobody would read it in continuous integration,
    /// and under sudo it would belong to root.
    fn sent_log_path(&self, env: &Env) -> Option<PathBuf> {
        let is_kept = self.keeps_sent_log() && CiProvider::detect(env).is_none();
        is_kept.then(|| writable_state_file(&self.facts(), env, sent_log::FILE)).flatten()
    }

    /// Encodes the properties common to all events, and those for the AI route.
    fn common(&self, conventions: &Conventions) -> Result<[CommonProperties; 2]> {
        let wrong = |text: String| Error::new(ErrorKind::Config, text);
        let mut properties = Vec::new();
        for (key, value) in self.declared_super_properties() {
            if HAS_A_SETTING.contains(&key.as_str()) {
                return Err(wrong(format!(
                    "super_property: {key} cannot be set as a super property; use its own setting"
                )));
            }
            let json = value.as_ref().map_err(|reason| {
                let why = if *reason == LossReason::NotFinite {
                    "it contains a number that is not finite"
                } else {
                    "it is not JSON that a receiver can read"
                };
                wrong(format!("super_property {key}: {why}"))
            })?;
            let is_bool = matches!(json.as_slice(), b"true" | b"false");
            if *key == reserved::COOKIELESS_MODE && !is_bool {
                return Err(wrong(format!("super_property: {key} must be a boolean")));
            }
            properties.push((key.clone(), json.clone()));
        }
        if properties.len() > MAX_COMMON - 10 {
            return Err(wrong(format!("super_property: there may be at most {}", MAX_COMMON - 10)));
        }
        let text = |text: &str| serde_json::to_vec(text).unwrap_or_default();
        let (name, version) = &self.library;
        if name.trim().is_empty() || version.trim().is_empty() || name.len() + version.len() > 199 {
            return Err(wrong(
                "library: name and version must not be blank, and must have at most 199 bytes together"
                    .to_owned(),
            ));
        }
        let library =
            [(reserved::LIB.to_owned(), text(name)), (reserved::LIB_VERSION.to_owned(), text(version))];
        if conventions.names_server {
            properties.push((reserved::IS_SERVER.to_owned(), self.says_server().to_string().into_bytes()));
        }
        if self.geoip_disable {
            properties.push((reserved::GEOIP_DISABLE.to_owned(), b"true".to_vec()));
        }
        Ok([conventions, &AI.conventions].map(|conventions| {
            let properties = match conventions.library {
                LibraryPlace::Header => properties.clone(),
                LibraryPlace::Properties | LibraryPlace::RootAndProperties => {
                    [properties.as_slice(), &library].concat()
                }
            };
            CommonProperties::new(&self.groups, &properties).with_rules(conventions.rules)
        }))
    }
}

/// Returns whether a property or group is kept, and says so if it is not.
fn keeps(setting: &str, name: &str, is_allowed: bool) -> bool {
    if !is_allowed {
        log::warn!(target: "candor", "{setting} {name}: left out, since it is not as declared in the catalogue; declare or remove it");
    }
    is_allowed
}

/// Refuses a name that cannot be used for variables and a directory.
fn check_name(app: &str) -> Result<()> {
    let wrong = |why: &str| {
        let hint = "pass a name such as `my-app` to Config::new";
        Err(Error::new(ErrorKind::Config, format!("application name: {why}; {hint}")))
    };
    if app.trim().is_empty() {
        wrong("it is blank")
    } else if !app.contains(|letter: char| letter.is_ascii_alphanumeric()) {
        wrong("it has no ASCII letter or digit, so no variable can be named after it")
    } else if app.starts_with('.') || app.contains(['/', '\\', ':']) || app.contains(char::is_control) {
        wrong("it cannot be the name of a directory")
    } else {
        Ok(())
    }
}

/// Refuses a blank notice.
fn check_notice(notice: Option<&Notice>) -> Result<()> {
    let why = match notice {
        Some(Notice::Documented { url }) if url.trim().is_empty() => {
            "notice: its address is blank; name the page that says what is sent and how to turn it off"
        }
        Some(Notice::Shown { text }) if text.trim().is_empty() => {
            "notice: its text is blank; say what is sent, why, and how to turn it off"
        }
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Config, why))
}
