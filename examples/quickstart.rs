//! Sends a few events of an imaginary server to a collector on the loopback interface, and prints the batch as it
//! arrived and what became of each event.
//!
//! It decides on an empty environment, so it also works where `CI` or `DO_NOT_TRACK` is set.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use candor::{Config, Consent, Env, Notice};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let collector = thread::spawn(move || receive(&listener));

    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let config = Config::new("quickstart", "1.0.0").endpoint(url).consent(consent);
    let real = candor::status(&config);
    let config = config.env(Env::empty());
    println!("# What consent decided\n\n{}", candor::status(&config));
    println!(
        "In your environment it would be {}, decided by {}.\n",
        real.state.name(),
        real.decided_by.name()
    );

    let guard = candor::init(config)?;
    candor::event!("server started", distinct_id = "node-7", replicas = 3, tls = true);
    candor::event!("review ended", distinct_id = "node-7", minutes = 2, groups = { team = "blue" });
    candor::event!("never sent", distinct_id = "", share = 0.5);
    let flushed = guard.client().shutdown(Duration::from_secs(5))?;
    assert_eq!(flushed.delivered, 2, "{flushed}");

    let body = collector.join().map_err(|_| "the collector panicked")??;
    let batch: serde_json::Value = serde_json::from_slice(&body)?;
    println!("# The batch as it arrived\n\n{batch:#}\n");
    println!("# What became of the events\n\n{}", guard.client().stats());
    println!("The event without a distinct id was dropped on purpose, to show that each loss is counted.");
    Ok(())
}

/// Receives one request, responds as PostHog does, and returns its body.
fn receive(listener: &TcpListener) -> io::Result<Vec<u8>> {
    let (mut stream, _) = listener.accept()?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > "\r\n".len() {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"status\":\"Ok\"}")?;
    Ok(body)
}
