//! One client under test. It does not depend on the machine: its environment is empty, and its consent is granted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use candor::{Client, Config, Consent, DynamicEvent, Env, LossReason, Notice, Timestamp};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::Settings;

/// The maximum time that a flush waits for retries.
const FLUSH: Duration = Duration::from_secs(20);

pub struct Session {
    client: Client,
    last_error: Arc<Mutex<Option<String>>>,
}

impl Session {
    pub fn start(settings: Settings, wishes: &Value, test_id: Option<&str>) -> Result<Self, String> {
        let last_error: Arc<Mutex<Option<String>>> = Arc::default();
        let kept = Arc::clone(&last_error);
        let text = |key: &str| wishes[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| wishes[key].as_u64();
        let flag = |key: &str| wishes[key].as_bool();
        let mut config = Config::new("compliance-adapter", "1.0.0")
            .env(Env::empty())
            .consent(Consent::opt_out(Notice::documented("https://posthog.com/docs")).policy_file(""))
            .endpoint(text("host"))
            .api_key(text("api_key"))
            .protocol(settings.protocol)
            .max_retries(number("max_retries").and_then(|n| u32::try_from(n).ok()).unwrap_or(3))
            .historical_migration(flag("historical_migration").unwrap_or(false))
            .on_error(move |error| {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            });
        if let Some(events) = number("flush_at").and_then(|n| usize::try_from(n).ok()) {
            config = config.flush_at(events.max(1));
        }
        if let Some(millis) = number("flush_interval_ms") {
            config = config.flush_interval(Duration::from_millis(millis.max(1)));
        }
        if flag("enable_compression") == Some(true) {
            config = config.compression(settings.codec);
        }
        if let Some(disable) = flag("disable_geoip") {
            config = config.geoip_disable(disable);
        }
        if let Some(test_id) = test_id {
            config = config.header("X-Test-Id", test_id);
        }
        if let Some((first, longest)) = settings.delays {
            config = config.retry_delays(first, longest);
        }
        let client = Client::new(config).map_err(|error| error.to_string())?;
        match client.disabled_reason() {
            Some(why) => Err(format!("off: {why}")),
            None => Ok(Self { client, last_error }),
        }
    }

    pub fn capture(&self, wishes: &Value) -> Result<Value, String> {
        let (event, uuid) = event(wishes)?;
        let refused = self.client.preview(&event).err();
        self.client.capture(event);
        answer(uuid, refused)
    }

    pub fn capture_ai(&self, wishes: &Value) -> Result<Value, String> {
        let (event, uuid) = event(wishes)?;
        // The route for AI events accepts larger events than a preview does.
        let refused = self.client.preview(&event).err().filter(|why| *why != LossReason::TooLarge);
        self.client.capture_ai(event);
        answer(uuid, refused)
    }

    pub fn flush(&self) -> Result<Value, String> {
        let flushed = self.client.flush(FLUSH).map_err(|error| error.to_string())?;
        Ok(json!({ "success": true, "events_flushed": flushed.delivered }))
    }

    pub fn state(&self) -> Value {
        let stats = self.client.stats();
        let last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "pending_events": stats.queued,
            "total_events_captured": stats.captured,
            "total_events_sent": stats.sent,
            "total_retries": stats.retries,
            "last_error": *last_error,
        })
    }

    /// Ends the client without sending what is left.
    pub fn end(&self) {
        // A second shutdown has nothing to do.
        let _ = self.client.shutdown(Duration::ZERO);
    }
}

/// Answers a capture with the id that is sent, or with the reason that nothing is.
fn answer(uuid: Uuid, refused: Option<LossReason>) -> Result<Value, String> {
    match refused {
        None => Ok(json!({ "success": true, "uuid": uuid.to_string() })),
        Some(why) => Err(format!("the event is dropped: {why}")),
    }
}

/// The state before a session exists.
pub fn nothing() -> Value {
    json!({
        "pending_events": 0,
        "total_events_captured": 0,
        "total_events_sent": 0,
        "total_retries": 0,
        "last_error": null,
    })
}

/// Creates the event that the harness describes, with the id that is sent.
fn event(wishes: &Value) -> Result<(DynamicEvent, Uuid), String> {
    let text = |key: &str| wishes[key].as_str().ok_or_else(|| format!("{key}: expected a string"));
    let uuid = match wishes["uuid"].as_str() {
        Some(text) => Uuid::parse_str(text).map_err(|_| "uuid: not a UUID".to_owned())?,
        None => Uuid::now_v7(),
    };
    let mut event = DynamicEvent::new(text("event")?.to_owned(), text("distinct_id")?).uuid(uuid);
    for (key, value) in object(wishes, "properties")? {
        event = match (key.as_str(), value.as_object()) {
            ("$groups", Some(groups)) => with_groups(event, groups),
            _ => event.property(key.clone(), value),
        };
    }
    for (key, value) in object(wishes, "options")? {
        let property = match key.as_str() {
            "disable_skew_correction" => "$ignore_sent_at".to_owned(),
            other => format!("${other}"),
        };
        if !value.is_null() {
            event = event.property(property, value);
        }
    }
    match &wishes["timestamp"] {
        Value::Null => Ok((event, uuid)),
        at => {
            let at = at.as_str().and_then(instant).ok_or("timestamp: not RFC 3339")?;
            Ok((event.timestamp(at), uuid))
        }
    }
}

fn with_groups(event: DynamicEvent, groups: &Map<String, Value>) -> DynamicEvent {
    groups.iter().fold(event, |event, (kind, key)| match key {
        Value::String(key) => event.group(kind.clone(), key.clone()),
        other => event.group(kind.clone(), other.to_string()),
    })
}

fn object<'a>(wishes: &'a Value, key: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    match &wishes[key] {
        Value::Null => Ok(None.into_iter().flatten()),
        Value::Object(members) => Ok(Some(members).into_iter().flatten()),
        _ => Err(format!("{key}: expected an object or null")),
    }
}

/// Parses a timestamp; one without an offset is in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    read(text).or_else(|| read(&format!("{text}Z"))).map(Into::into)
}
