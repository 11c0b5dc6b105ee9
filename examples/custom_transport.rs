//! A custom transport: batches are written to a file, one per line, instead of sent over HTTP.
//!
//! For programs that send events by other means: a message queue, a sidecar, a proxy with its own client. The factory
//! is called only once consent is granted, with a token that proves it.

use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Config, Consent, Env, Notice};

struct ToFile(Mutex<File>);

impl Transport for ToFile {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let mut file = self.0.lock().map_err(|_| SendError::NotSent("a writer panicked".into()))?;
        let written = file.write_all(request.body).and_then(|()| file.write_all(b"\n"));
        // The batch is retried later, as after any failure.
        written.map_err(|error| SendError::NotSent(error.to_string()))?;
        Ok(Response::status(200))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("candor-custom-transport-{}.jsonl", std::process::id()));
    let file_path = path.clone();
    let guard = candor::init(
        Config::new("custom-transport", env!("CARGO_PKG_VERSION"))
            .endpoint("https://t.example.com")
            .env(Env::empty())
            .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")))
            .transport(move |_granted| {
                let file = File::create(&file_path)
                    .map_err(|error| candor::Error::new(candor::ErrorKind::Transport, error.to_string()))?;
                Ok(Box::new(ToFile(Mutex::new(file))))
            }),
    )?;
    candor::event!("server started", distinct_id = "node-7", replicas = 3, tls = true);
    guard.client().shutdown(Duration::from_secs(5))?;
    println!("{}\n{}", std::fs::read_to_string(&path)?, guard.client().stats());
    std::fs::remove_file(path)?;
    Ok(())
}
