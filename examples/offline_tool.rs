//! A tool that is run twice, first without a network and then with one. No event is lost, and no run waits.
//!
//! `cargo run --example offline_tool`

use std::net::TcpListener;
use std::time::{Duration, Instant};

use candor::{Config, Consent, Env, Notice, Spool};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let state = std::env::temp_dir().join(format!("candor-offline-tool-{}", std::process::id()));
    // An address that nothing listens on yet.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(listener);
    let config = || {
        let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
        Config::new("offline-tool", "1.0.0")
            .env(Env::empty())
            .endpoint(format!("http://{address}"))
            .consent(consent.state_dir(&state))
            .spool(Spool::cli())
    };

    let run = candor::init(config())?;
    candor::event!("command finished", distinct_id = "install-7", command = "build", offline = true);
    let began = Instant::now();
    let flushed = run.client().shutdown(Duration::from_secs(2))?;
    println!("offline: {} on disk, ended in {:?}", flushed.stats.spooled, began.elapsed());

    let endpoint = endpoint::start(address)?;
    let run = candor::init(config())?;
    candor::event!("command finished", distinct_id = "install-7", command = "test", offline = false);
    // The command does its work, and meanwhile the first run's event is sent.
    while run.client().stats().sent == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    run.client().shutdown(Duration::from_secs(2))?;
    let stats = run.client().stats();
    println!("online:  {} sent from the previous run, {} on disk for the next", stats.sent, stats.spooled);
    drop(endpoint);
    std::fs::remove_dir_all(&state)?;
    Ok(())
}

/// A local endpoint that accepts everything.
mod endpoint {
    use std::io::{self, BufRead, BufReader, Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread::{self, JoinHandle};

    pub(super) fn start(address: SocketAddr) -> io::Result<JoinHandle<io::Result<()>>> {
        let listener = TcpListener::bind(address)?;
        Ok(thread::spawn(move || {
            let (stream, _) = listener.accept()?;
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            for line in reader.by_ref().lines() {
                let line = line?.to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                if line.is_empty() {
                    break;
                }
            }
            io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
            reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        }))
    }
}
