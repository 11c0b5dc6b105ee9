//! A first look: captures a handful of events of a make-believe server through the real worker and real
//! HTTP, into a collector on the loopback interface, and shows everything that happened. Ends by itself.
//!
//! It decides on an environment of its own, so that it also works where `CI` or `DO_NOT_TRACK` is set,
//! and shows beside it what the real environment would have decided.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use candor::{Config, Consent, Env, Notice};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let collector = collect_one(listener);

    let real = candor::status(&configuration(&url));
    let config = configuration(&url).env(Env::empty());
    println!("# What consent decided\n\n{}", candor::status(&config));
    println!(
        "In the real environment it would be {}, decided by {}.\n",
        real.state.name(),
        real.decided_by.name()
    );

    let guard = candor::init(config)?;
    candor::event!("server started", distinct_id = "node-7", replicas = 3, tls = true);
    for minutes in [2, 5, 11] {
        candor::event!(
            "request reviewed",
            distinct_id = "node-7",
            pending_minutes = minutes,
            approved = minutes < 10,
            groups = { deployment = "dep_123" }
        );
    }
    candor::event!("never sent", distinct_id = "", share = 0.5);
    let flushed = guard.client().shutdown(Duration::from_secs(5))?;

    let body = collector.join().map_err(|_| "the collector panicked")??;
    let batch: serde_json::Value = serde_json::from_slice(&body)?;
    println!("# The batch as it arrived at {url}/batch/\n\n{batch:#}\n");
    println!("# What became of the events\n\n{}", guard.client().stats());
    if flushed.delivered != 4 {
        return Err(format!("4 events should have been delivered, not {}", flushed.delivered).into());
    }
    Ok(())
}

fn configuration(url: &str) -> Config {
    Config::new("quickstart", "1.0.0")
        .endpoint(url)
        .group("deployment", "dep_example")
        .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")))
}

/// Takes one request, answers it as PostHog does, and returns its body.
fn collect_one(listener: TcpListener) -> JoinHandle<std::io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let body = read_body(&stream)?;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"Ok\"}";
        (&stream).write_all(answer)?;
        Ok(body)
    })
}

fn read_body(stream: &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}
