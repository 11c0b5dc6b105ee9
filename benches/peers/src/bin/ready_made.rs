//! Sends ready-made bodies of candor's size directly through a socket, which shows the sink's capacity.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Instant;

use peers::{DISTINCT_ID, GROUP, MODE, NAME, Options, PROVIDER};
use serde_json::json;

/// A body with as many events as a batch of candor's, and of the same form and size.
fn body(first: u64, events: u64) -> String {
    let events: Vec<_> = (first..first + events)
        .map(|seq| {
            json!({
                "uuid": format!("01a0a3e4-7c00-7000-8000-{seq:012}"),
                "event": NAME, "distinct_id": DISTINCT_ID, "timestamp": "2026-11-20T08:00:00.000Z",
                "properties": {
                    "has_reason": true, "provider": PROVIDER, "requires_approval": true, "mode": MODE,
                    "seq": seq, "$groups": { GROUP.0: GROUP.1 },
                    "$lib": "candor", "$lib_version": "0.1.0", "$is_server": true, "$geoip_disable": true,
                },
            })
        })
        .collect();
    json!({ "api_key": "phc_loopback", "batch": events, "sent_at": "2026-11-20T08:00:00.000Z" }).to_string()
}

fn request(address: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /batch/ HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn main() -> std::io::Result<()> {
    let options = Options::from_args();
    let batch = options.batch as u64;
    let address = options.url.trim_start_matches("http://");
    let requests: Vec<String> = (0..options.events)
        .step_by(options.batch)
        .map(|first| request(address, &body(first, batch.min(options.events - first))))
        .collect();
    let started = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    for request in &requests {
        stream.write_all(request.as_bytes())?;
        read_answer(&mut reader)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "events_per_second": options.events as f64 / seconds }));
    Ok(())
}

/// Reads the sink's answer, whose body has no line break.
fn read_answer(reader: &mut impl BufRead) -> std::io::Result<()> {
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    reader.read_exact(&mut [0; 15])
}
