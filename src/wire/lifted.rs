//! Properties that a protocol carries outside the properties object, with the bytes they were captured with.

use serde_json::value::RawValue;

use super::WireEvent;
use crate::json::{parse_members, write_string};

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
    let Some(members) = distinct(&object) else {
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

/// Returns the members of an object in order; of those with the same name, the first place and the last value.
fn distinct(object: &[u8]) -> Option<Vec<(String, &RawValue)>> {
    let mut distinct: Vec<(String, &RawValue)> = Vec::new();
    for (key, value) in parse_members(object)? {
        match distinct.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => distinct.push((key, value)),
        }
    }
    Some(distinct)
}
