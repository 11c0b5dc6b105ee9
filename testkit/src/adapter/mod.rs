//! The adapter for PostHog's compliance harness: maps its requests to calls of the crate.

mod http;
mod session;

use std::collections::HashMap;
use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use candor::{Compression, Env, Protocol};
use serde_json::{Value, json};

use http::Call;
use session::Session;

/// The settings of all sessions of an adapter.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub protocol: Protocol,
    /// The codec for sessions that request compression.
    pub codec: Compression,
    /// The first and the longest wait between attempts, if they differ from the crate's defaults.
    pub delays: Option<(Duration, Duration)>,
}

impl Settings {
    /// Reads `CAPTURE_MODE` and `COMPRESSION`.
    pub fn from_env(env: &Env) -> Result<Self, String> {
        let protocol = match env.text("CAPTURE_MODE").unwrap_or("v0") {
            "v0" => Protocol::V0,
            "v1" => Protocol::V1,
            other => return Err(format!("CAPTURE_MODE: expected v0 or v1, found {other:?}")),
        };
        let codec = match env.text("COMPRESSION").unwrap_or("gzip") {
            "gzip" => Compression::Gzip,
            "deflate" => Compression::Deflate,
            "br" => Compression::Brotli,
            "zstd" => Compression::Zstd,
            other => return Err(format!("COMPRESSION: expected gzip, deflate, br or zstd, found {other:?}")),
        };
        if protocol == Protocol::V0 && codec != Compression::Gzip {
            return Err("COMPRESSION: v0 supports only gzip".to_owned());
        }
        Ok(Self { protocol, codec, delays: None })
    }

    fn capabilities(self) -> Vec<&'static str> {
        if self.protocol == Protocol::V0 {
            return vec!["capture_v0", "capture_ai_v0", "encoding_gzip"];
        }
        let encoding = match self.codec {
            Compression::Deflate => "encoding_deflate",
            Compression::Brotli => "encoding_br",
            Compression::Zstd => "encoding_zstd",
            _ => "encoding_gzip",
        };
        vec!["capture_v1", encoding]
    }
}

/// Serves until the listener is closed, with one thread for each connection.
pub fn serve(listener: &TcpListener, settings: Settings) {
    let adapter = Arc::new(Adapter { settings, sessions: Mutex::default() });
    for stream in listener.incoming().flatten() {
        let adapter = Arc::clone(&adapter);
        thread::spawn(move || adapter.talk(&stream));
    }
}

struct Adapter {
    settings: Settings,
    /// One client for each `test_id`.
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl Adapter {
    fn talk(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Ok(Some(call)) = http::read(&mut reader) {
            let answer = self.answer(&call).unwrap_or_else(|why| json!({ "success": false, "error": why }));
            if http::write(stream, &answer).is_err() {
                return;
            }
        }
    }

    fn answer(&self, call: &Call) -> Result<Value, String> {
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/health") => Ok(self.health()),
            ("POST", "/init") => self.init(call),
            ("POST", "/capture") => self.session(call)?.capture(&call.json()?),
            ("POST", "/capture_ai") => self.session(call)?.capture_ai(&call.json()?),
            ("POST", "/flush") => self.session(call)?.flush(),
            ("GET", "/state") => Ok(self.session(call).map_or_else(|_| session::nothing(), |it| it.state())),
            ("POST", "/reset") => {
                if let Some(session) = self.take(call) {
                    session.end();
                }
                Ok(json!({ "success": true }))
            }
            (method, path) => Err(format!("unknown request: {method} {path}")),
        }
    }

    fn health(&self) -> Value {
        json!({
            "sdk_name": "candor",
            "sdk_version": env!("CARGO_PKG_VERSION"),
            "adapter_version": "1.0.0",
            "supports_parallel": true,
            "capabilities": self.settings.capabilities(),
        })
    }

    fn init(&self, call: &Call) -> Result<Value, String> {
        let session = Arc::new(Session::start(self.settings, &call.json()?, call.test_id())?);
        let before = self.sessions().insert(call.key(), session);
        if let Some(before) = before {
            before.end();
        }
        Ok(json!({ "success": true }))
    }

    fn session(&self, call: &Call) -> Result<Arc<Session>, String> {
        self.sessions().get(&call.key()).cloned().ok_or_else(|| "not initialised".to_owned())
    }

    fn take(&self, call: &Call) -> Option<Arc<Session>> {
        self.sessions().remove(&call.key())
    }

    /// Locks the sessions; the lock is only held for a lookup, never while a session works.
    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
