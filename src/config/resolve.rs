//! A configuration, split once into what each part needs.
//!
//! Never starts anything.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::capture::CaptureSettings;
use crate::config::Config;
use crate::consent::{CiProvider, Notice, writable_state_file};
use crate::deliver::OnError;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{CommonProperties, MAX_COMMON, Rules};
use crate::observe::LossReason;
use crate::observe::sent_log;
use crate::settings::Spool;
use crate::settings::{
    ApiKey, Batching, Compression, Endpoint, Env, Http, Protocol, Retry, defaults, proxy, token,
};
use crate::transport::TransportFactory;
use crate::wire::{Envelope, LegacyBatch, PostHogBatch, PostHogEvents};

/// A configuration, split once into what each part needs.
#[derive(Clone)]
pub(crate) struct ClientSettings {
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) hide: Option<(String, String)>,
    /// The protocol's name, for the log of what was sent.
    pub(crate) protocol: &'static str,
    /// Where the log of what was sent is kept.
    pub(crate) sent_log: Option<PathBuf>,
    /// How many super properties and groups strict mode has taken out.
    pub(crate) undeclared: u32,
    pub(crate) capture: CaptureSettings,
    pub(crate) batching: Batching,
    pub(crate) retry: Retry,
    pub(crate) http: Http,
    pub(crate) prints: bool,
    pub(crate) is_dry_run: bool,
    pub(crate) on_error: OnError,
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) ai: AiSettings,
    pub(crate) transport: Option<Arc<TransportFactory>>,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) spool: Option<Spool>,
}

/// What the route of AI events has of its own.
#[derive(Clone)]
pub(crate) struct AiSettings {
    envelope: Arc<dyn Envelope>,
    common: Arc<CommonProperties>,
}

impl ClientSettings {
    /// Returns the settings of the lane for AI events.
    pub(crate) fn for_ai(&self) -> Self {
        let mut lane = self.clone();
        lane.envelope = Arc::clone(&self.ai.envelope);
        lane.protocol = "posthog-ai";
        lane.capture.common = Arc::clone(&self.ai.common);
        lane.capture.event_bytes = defaults::AI_EVENT_BYTES;
        lane.batching.event_bytes = defaults::AI_EVENT_BYTES;
        lane.batching.batch_bytes = defaults::AI_BATCH_BYTES;
        lane.batching.flush_bytes = defaults::AI_BATCH_BYTES / 2;
        lane.batching.queue_events = defaults::AI_QUEUE_EVENTS;
        lane.batching.queue_bytes = defaults::AI_QUEUE_BYTES;
        lane.retry.waiting_bytes = defaults::AI_QUEUE_BYTES;
        if lane.http.compression != Compression::None {
            // The route speaks v0, which takes no other.
            lane.http.compression = Compression::Gzip;
        }
        lane
    }
}

impl Config {
    /// Splits the configuration into what each part needs, and checks it.
    pub(crate) fn resolve(mut self, env: &Env) -> Result<ClientSettings> {
        check_name(&self.app)?;
        check_notice(self.consent.notice.as_ref())?;
        let endpoint = self.endpoint.as_deref().map(Endpoint::parse).transpose()?;
        let api_key = self.api_key.as_deref().and_then(ApiKey::new);
        if let Some(flaw) = api_key.as_ref().and_then(ApiKey::flaw) {
            return Err(Error::new(ErrorKind::Config, format!("api_key: {flaw}")));
        }
        self.batching.check(self.protocol)?;
        self.retry.check()?;
        self.http.check()?;
        self.check_compression()?;
        match &self.spool {
            Some(spool) => spool.check(self.retry.max_retries)?,
            None if self.is_short_lived => _ = self.retry.max_retries.get_or_insert(0),
            None => {}
        }
        self.http.proxy = endpoint.as_ref().and_then(|endpoint| proxy(env, endpoint.is_https()));
        let undeclared = self.take_undeclared();
        let (protocol, sent_log) = (self.protocol_name(), self.sent_log_path(env));
        let [common, ai_common] = self.common()?;
        let key = api_key.as_ref().map(ApiKey::secret);
        let ai = AiSettings {
            envelope: Arc::new(PostHogBatch::for_ai(key, self.historical_migration)),
            common: Arc::new(ai_common),
        };
        let envelope = self.envelope.take().unwrap_or_else(|| self.own_envelope(key));
        if let Some(endpoint) = &endpoint {
            endpoint.check_path(&[envelope.path(), ai.envelope.path()])?;
            endpoint.check_envelope_path(envelope.path())?;
        }
        Ok(ClientSettings {
            prints: self.is_debugging(env),
            is_dry_run: self.dry_run,
            endpoint,
            hide: api_key.map(|key| (key.secret().to_owned(), key.shown().to_owned())),
            protocol,
            sent_log,
            undeclared,
            capture: CaptureSettings {
                common: Arc::new(common),
                hooks: self.hooks,
                sampling: self.sampling,
                allowed: Arc::new(self.allowed),
                pseudonyms: self.pseudonyms,
                event_bytes: self.batching.event_bytes,
            },
            batching: self.batching,
            retry: self.retry,
            http: self.http,
            on_error: self.on_error,
            envelope,
            ai,
            transport: self.transport,
            shutdown_timeout: self.shutdown_timeout.unwrap_or(defaults::SHUTDOWN),
            spool: self.spool,
        })
    }

    fn check_compression(&self) -> Result<()> {
        let codec = self.http.compression;
        let wrong = |text: String| Err(Error::new(ErrorKind::Config, text));
        if let Some(feature) = codec.missing_feature() {
            return wrong(format!("compression: this build lacks the feature `{feature}`"));
        }
        let is_v0 = self.envelope.is_none() && self.protocol != Protocol::V1;
        if is_v0 && !matches!(codec, Compression::None | Compression::Gzip) {
            return wrong(format!(
                "compression: protocol {:?} takes gzip only, not {codec:?}",
                self.protocol
            ));
        }
        Ok(())
    }

    /// Returns the name that the log of what was sent has for the protocol.
    fn protocol_name(&self) -> &'static str {
        match self.protocol {
            _ if self.envelope.is_some() => "custom",
            Protocol::V0 => "posthog-v0",
            Protocol::V1 => "posthog-v1",
            Protocol::Legacy => "posthog-legacy",
        }
    }

    /// Returns where the log of what was sent is kept, if it is written at all: in CI nobody would read it, and under
    /// sudo it would be root's.
    fn sent_log_path(&self, env: &Env) -> Option<PathBuf> {
        let is_kept = self.keeps_sent_log() && CiProvider::detect(env).is_none();
        is_kept.then(|| writable_state_file(&self.facts(), env, sent_log::FILE)).flatten()
    }

    /// Creates the envelope of the protocol.
    fn own_envelope(&self, key: Option<&str>) -> Arc<dyn Envelope> {
        match self.protocol {
            Protocol::V0 => Arc::new(PostHogBatch::new(key, self.historical_migration)),
            Protocol::Legacy => {
                let library = (self.library.0.as_str(), self.library.1.as_str());
                Arc::new(LegacyBatch::new(key, self.historical_migration, library))
            }
            Protocol::V1 => {
                let info = format!("{}/{}", token(&self.library.0), token(&self.library.1));
                Arc::new(PostHogEvents::new(key, info, self.historical_migration))
            }
        }
    }

    /// Encodes what every event carries, and what every event of the AI route does.
    fn common(&mut self) -> Result<[CommonProperties; 2]> {
        let wrong = |text: String| Error::new(ErrorKind::Config, text);
        let mut properties = Vec::new();
        for (key, value) in self.super_properties.drain(..) {
            if matches!(key.as_str(), "$lib" | "$lib_version" | "$is_server" | "$geoip_disable" | "$groups") {
                return Err(wrong(format!("super_property: {key} has a setting of its own")));
            }
            let json = value.map_err(|reason| {
                let why = if reason == LossReason::NotFinite {
                    "a number is not finite"
                } else {
                    "not JSON that a receiver can read"
                };
                wrong(format!("super_property {key}: {why}"))
            })?;
            let is_bool = matches!(json.as_slice(), b"true" | b"false");
            if key == "$cookieless_mode" && !is_bool {
                return Err(wrong("super_property: $cookieless_mode must be a boolean".to_owned()));
            }
            properties.push((key, json));
        }
        if properties.len() > MAX_COMMON - 10 {
            return Err(wrong(format!("super_property: at most {}", MAX_COMMON - 10)));
        }
        let text = |text: &str| serde_json::to_vec(text).unwrap_or_default();
        let (name, version) = &self.library;
        if name.trim().is_empty() || version.trim().is_empty() || name.len() + version.len() > 199 {
            return Err(wrong("library: name and version must have 1 to 199 bytes together".to_owned()));
        }
        let library = [("$lib".to_owned(), text(name)), ("$lib_version".to_owned(), text(version))];
        if self.protocol != Protocol::Legacy {
            properties.push(("$is_server".to_owned(), self.says_server().to_string().into_bytes()));
        }
        if self.geoip_disable {
            properties.push(("$geoip_disable".to_owned(), b"true".to_vec()));
        }
        let is_v1 = self.protocol == Protocol::V1 && self.envelope.is_none();
        let with_library = [properties.as_slice(), &library].concat();
        // V1 has the library in a header, which wins over properties.
        let of_events = if is_v1 { &properties } else { &with_library };
        let rules = Rules { counts_bytes: is_v1, knows_shared_ids: is_v1 };
        let events = CommonProperties::new(&self.groups, of_events).with_rules(rules);
        Ok([events, CommonProperties::new(&self.groups, &with_library)])
    }
}

/// Refuses a name from which neither variables nor a directory can be made.
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

/// Refuses a notice that tells nobody anything.
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
