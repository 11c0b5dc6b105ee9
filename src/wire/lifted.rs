//! Properties that a protocol carries outside the properties object, with the bytes they were captured with.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::WireEvent;
use crate::json::write_string;

/// A property, and where a protocol carries it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifted {
    pub(super) property: &'static str,
    takes: Takes,
    destination: Destination,
}

/// The type that the server accepts there; a value of another type stays among the properties.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Bool,
    Text,
}

/// Where a property is carried, and under which name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Destination {
    Root(&'static str),
    Options(&'static str),
}

impl Lifted {
    pub(super) const fn new(property: &'static str, takes: Takes, destination: Destination) -> Self {
        Self { property, takes, destination }
    }

    /// Returns whether the key is this property's and the value has the type that the server accepts.
    fn holds(&self, key: &str, value: &[u8]) -> bool {
        self.property == key
            && match self.takes {
                Takes::Bool => matches!(value, b"true" | b"false"),
                Takes::Text => value.first() == Some(&b'"'),
            }
    }
}

/// Appends `"session_id":..,"window_id":..,"options":{..},"properties":{..}` of an event.
pub(super) fn write(event: &WireEvent<'_>, lifted: &[Lifted], body: &mut Vec<u8>) {
    let mut object = Vec::new();
    event.write_properties(&mut object);
    let mut parser = serde_json::Deserializer::from_slice(&object);
    let Ok(members) = parser.deserialize_map(Members) else {
        // Only a faulty `Serialize` gets here. It is sent unchanged, for the endpoint to judge.
        body.extend_from_slice(b"\"options\":{},\"properties\":");
        body.extend_from_slice(&object);
        return;
    };
    let (mut ids, mut options, mut properties) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in &members {
        let value = value.get().as_bytes();
        match lifted.iter().find(|lifted| lifted.holds(key, value)).map(|lifted| lifted.destination) {
            Some(Destination::Root(name)) => member(&mut ids, name, value),
            Some(Destination::Options(name)) => member(&mut options, name, value),
            None => member(&mut properties, key, value),
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

fn member(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    if !out.is_empty() {
        out.push(b',');
    }
    write_string(out, key);
    out.push(b':');
    out.extend_from_slice(value);
}

/// Reads the members of an object in order; of two with the same name, the last is kept.
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
