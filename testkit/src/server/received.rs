//! A request as it arrived.
//!
//! Never changes what arrived.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value;

/// One whole request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Counts requests from 0, in the order in which their heads were read.
    pub number: usize,
    /// Counts connections from 0.
    pub connection: usize,
    pub method: String,
    /// The request target: a path, or to a proxy a whole URL.
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// The body as it travelled.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns a header's value, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Returns the body without its compression.
    pub fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        match self.header("content-encoding") {
            Some("gzip") => GzDecoder::new(&*self.body).read_to_end(&mut plain).expect("gzip"),
            Some("deflate") => ZlibDecoder::new(&*self.body).read_to_end(&mut plain).expect("deflate"),
            _ => return self.body.clone(),
        };
        plain
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.plain()).expect("a JSON body")
    }

    /// Returns the events of a batch body.
    pub fn events(&self) -> Vec<Value> {
        self.json()["batch"].as_array().cloned().unwrap_or_default()
    }

    /// Returns the ids of the events of a batch body.
    pub fn uuids(&self) -> Vec<String> {
        self.events().iter().filter_map(|event| event["uuid"].as_str().map(str::to_owned)).collect()
    }
}
