//! The rules of one vendor's edge for request bodies.

use candor::Catalogue;
use candor::schema::{FieldSchema, Schema};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::allow::{Cleaned, clean};

/// The form of a request.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// `{"batch":[..]}` in the format of PostHog's old libraries, with these group types.
    Batch(&'static [&'static str]),
    /// One object with the event in its own member, as CDK Insights names them.
    Nested,
    /// One flat object about an account, with the time in milliseconds as `ts`.
    Record,
}

/// The rules of one vendor's edge.
#[derive(Clone, Debug)]
pub struct Rules {
    pub path: &'static str,
    pub catalogue: Catalogue,
    pub form: Form,
    pub needs_bearer: bool,
    /// Whether the sender's address and its country are stored.
    pub keeps_address: bool,
    pub max_body_bytes: usize,
    /// The number of days that a record is kept.
    pub days: i64,
}

/// A record that may be stored.
#[derive(Debug)]
pub struct Accepted {
    pub event: String,
    pub id: String,
    pub uuid: Option<String>,
    pub at: OffsetDateTime,
    pub record: Value,
    pub dropped: Vec<String>,
}

impl Rules {
    /// Accepts all records of a body, or refuses the body.
    pub fn validate(&self, body: &[u8]) -> Result<Vec<Accepted>, String> {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else {
            return Err("not a JSON object".to_owned());
        };
        match self.form {
            Form::Batch(groups) => {
                let Some(Value::Array(batch)) = body.remove("batch") else {
                    return Err("batch is missing".to_owned());
                };
                batch.into_iter().map(|event| self.batched(event, groups)).collect()
            }
            Form::Nested => Ok(vec![self.nested(body)?]),
            Form::Record => Ok(vec![self.record(body)?]),
        }
    }

    fn schema(&self, name: &str) -> Result<&'static Schema, String> {
        self.catalogue.event(name).ok_or_else(|| "an event that the catalogue does not know".to_owned())
    }

    fn batched(&self, event: Value, groups: &[&str]) -> Result<Accepted, String> {
        let Value::Object(mut event) = event else { return Err("an event is not an object".to_owned()) };
        let name = text(&mut event, "event")?;
        let schema = self.schema(&name)?;
        let id = checked_id(schema, event.remove("distinct_id"))?;
        let timestamp = text(&mut event, "timestamp")?;
        let at = instant(&timestamp)?;
        let uuid = event.remove("uuid").and_then(|uuid| uuid.as_str().map(str::to_owned));
        if !matches!(
            event.remove("type").as_ref().map(Value::as_str),
            None | Some(Some("capture" | "identify"))
        ) {
            return Err("type is not one of its values".to_owned());
        }
        let Some(Value::Object(mut properties)) = event.remove("properties") else {
            return Err("properties is missing".to_owned());
        };
        if let Some(set) = event.remove("$set") {
            properties.insert("$set".to_owned(), set);
        }
        let library = ["$lib", "$lib_version"].map(|name| (name, properties.remove(name)));
        let belongs = properties.remove("$groups");
        event.remove("library");
        event.remove("library_version");
        let fields = schema.fields().iter().chain(self.catalogue.common_fields());
        let Cleaned { mut object, mut dropped } = clean(fields, properties)?;
        dropped.extend(event.into_iter().map(|(name, _)| name));
        if let Some(Value::Object(belongs)) = belongs {
            let known = |(kind, key): &(String, Value)| groups.contains(&kind.as_str()) && key.is_string();
            object.insert("$groups".to_owned(), belongs.into_iter().filter(known).collect());
        }
        for (name, value) in library {
            if let Some(value) = value.filter(Value::is_string) {
                object.insert(name.to_owned(), value);
            }
        }
        // Forwarded events ask PostHog not to derive a location.
        object.insert("$geoip_disable".to_owned(), Value::Bool(true));
        let record =
            json!({ "event": name, "distinct_id": id, "timestamp": timestamp, "properties": object });
        Ok(Accepted { event: name, id, uuid, at, record, dropped })
    }

    fn nested(&self, mut body: Map<String, Value>) -> Result<Accepted, String> {
        let Some(Value::Object(mut event)) = body.remove("event") else {
            return Err("event is missing".to_owned());
        };
        let name = text(&mut event, "type")?;
        let schema = self.schema(&name)?;
        let id = checked_id(schema, body.remove("hashedLicenseId"))?;
        let emitted = text(&mut body, "emittedAt")?;
        let at = instant(&emitted)?;
        let outer = clean(self.catalogue.common_fields().iter(), body)?;
        let mut inner = clean(schema.fields().iter(), event)?;
        inner.object.insert("type".to_owned(), Value::String(name.clone()));
        let mut record = outer.object;
        record.insert("hashedLicenseId".to_owned(), Value::String(id.clone()));
        record.insert("emittedAt".to_owned(), Value::String(emitted));
        record.insert("event".to_owned(), Value::Object(inner.object));
        let dropped = [outer.dropped, inner.dropped].concat();
        Ok(Accepted { event: name, id, uuid: None, at, record: Value::Object(record), dropped })
    }

    fn record(&self, body: Map<String, Value>) -> Result<Accepted, String> {
        let [schema] = self.catalogue.events() else { return Err("no catalogue".to_owned()) };
        let Cleaned { object, dropped } = clean(schema.fields().iter(), body)?;
        let id = checked_id(schema, object.get("account").cloned())?;
        let millis = object.get("ts").and_then(Value::as_i64).ok_or("ts is missing")?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
        let at = at.map_err(|_| "ts is no time")?;
        let uuid = object.get("run_id").and_then(Value::as_str).map(str::to_owned);
        let event = schema.name().to_owned();
        Ok(Accepted { event, id, uuid, at, record: Value::Object(object), dropped })
    }
}

fn text(object: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(format!("{name} is missing")),
    }
}

fn instant(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "a time that is none".to_owned())
}

fn checked_id(schema: &Schema, id: Option<Value>) -> Result<String, String> {
    let field: &FieldSchema = schema.distinct_id();
    match id {
        Some(Value::String(id)) if !id.is_empty() && field.kind().admits(&Value::String(id.clone())) => {
            Ok(id)
        }
        _ => Err("the id is not of its form".to_owned()),
    }
}
