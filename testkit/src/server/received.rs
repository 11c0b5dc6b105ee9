//! A request as it arrived.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value;

/// One whole request.
#[derive(Clone, Debug)]
pub struct Received {
    /// The number of the request, from 0, in the order in which heads were read.
    pub number: usize,
    /// The number of the connection, from 0.
    pub connection: usize,
    pub method: String,
    /// The request target: a path, or a whole URL if the server is a proxy.
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// The body as sent, possibly compressed.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns the value of a header; the case of its name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Returns the decompressed body.
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
