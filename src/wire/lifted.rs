//! Properties that v1 carries outside of the properties.
//!
//! Never rewrites a value: each keeps the bytes that it was captured with.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::WireEvent;
use crate::json::write_string;

/// Appends `"session_id":..,"window_id":..,"options":{..},"properties":{..}` of an event.
pub(super) fn write(event: &WireEvent<'_>, body: &mut Vec<u8>) {
    let mut object = Vec::new();
    event.write_properties(&mut object);
    let mut parser = serde_json::Deserializer::from_slice(&object);
    let Ok(members) = parser.deserialize_map(Members) else {
        // Only a faulty `Serialize` gets here; the receiver is the one to judge it.
        body.extend_from_slice(b"\"options\":{},\"properties\":");
        body.extend_from_slice(&object);
        return;
    };
    let (mut ids, mut options, mut properties) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in &members {
        let value = value.get().as_bytes();
        match place(key, value) {
            Place::Root(name) => member(&mut ids, name, value),
            Place::Options(name) => member(&mut options, name, value),
            Place::Properties => member(&mut properties, key, value),
        }
    }
    if !ids.is_empty() {
        body.extend_from_slice(&ids);
        body.push(b',');
    }
    body.extend_from_slice(b"\"options\":{");
    body.extend_from_slice(&options);
    body.extend_from_slice(b"},\"properties\":{");
    body.extend_from_slice(&properties);
    body.push(b'}');
}

enum Place {
    Root(&'static str),
    Options(&'static str),
    Properties,
}

/// States where a property belongs. One with a value of another type than the server takes stays where it is.
fn place(key: &str, value: &[u8]) -> Place {
    let is_bool = matches!(value, b"true" | b"false");
    let is_text = value.first() == Some(&b'"');
    match key {
        "$process_person_profile" if is_bool => Place::Options("process_person_profile"),
        "$cookieless_mode" if is_bool => Place::Options("cookieless_mode"),
        "$ignore_sent_at" if is_bool => Place::Options("disable_skew_correction"),
        "$product_tour_id" if is_text => Place::Options("product_tour_id"),
        "$session_id" if is_text => Place::Root("session_id"),
        "$window_id" if is_text => Place::Root("window_id"),
        _ => Place::Properties,
    }
}

fn member(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    if !out.is_empty() {
        out.push(b',');
    }
    write_string(out, key);
    out.push(b':');
    out.extend_from_slice(value);
}

/// The members of an object in their order; of two equal names the last stays.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            match members.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => members.push((key, value)),
            }
        }
        Ok(members)
    }
}
