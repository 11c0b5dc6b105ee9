//! A loopback sink: it reads every body during the run, and parses the events only after it, so the client is measured
//! and not the sink.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use serde_json::{Value, json};

/// The memory for the bodies of one run, touched before the run.
const ROOM: usize = 512 * 1024 * 1024;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"Ok\"}";

struct Arrived {
    memory: Vec<u8>,
    used: usize,
    /// The position of each body, and whether it is compressed.
    bodies: Vec<(usize, usize, bool)>,
}

/// The relevant parts of a request's head.
struct Head {
    line: String,
    length: usize,
    is_gzip: bool,
}

/// Prints the address, and serves forever.
pub fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let arrived = Mutex::new(Arrived { memory: vec![1; ROOM], used: 0, bodies: Vec::new() });
    std::thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            scope.spawn(|| {
                // A client that disconnects only ends its own connection.
                let _ = converse(stream, &arrived);
            });
        }
    });
    Ok(())
}

fn converse(stream: TcpStream, arrived: &Mutex<Arrived>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    while let Some(head) = read_head(&mut reader)? {
        if head.line.starts_with("GET /report") {
            let report = take_report(&mut arrived.lock().unwrap()).to_string();
            write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{report}", report.len())?;
        } else {
            arrived.lock().unwrap().read(&mut reader, &head)?;
            writer.write_all(ANSWER)?;
        }
    }
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut head = Head { line: String::new(), length: 0, is_gzip: false };
    if reader.read_line(&mut head.line)? == 0 {
        return Ok(None);
    }
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            return Ok(Some(head));
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            head.length = value.trim().parse().expect("a length");
        } else if name.eq_ignore_ascii_case("content-encoding") {
            head.is_gzip = value.trim() == "gzip";
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            panic!("the sink only reads bodies with a length");
        }
    }
}

impl Arrived {
    fn read(&mut self, reader: &mut impl Read, head: &Head) -> std::io::Result<()> {
        let body = self.used..self.used + head.length;
        reader.read_exact(self.memory.get_mut(body).expect("room for the bodies of one run"))?;
        self.bodies.push((self.used, head.length, head.is_gzip));
        self.used += head.length;
        Ok(())
    }
}

/// Reports the events that have arrived since the last report, and discards them.
fn take_report(arrived: &mut Arrived) -> Value {
    let (mut events, mut nameless, mut uuids, mut seqs) = (0_u64, 0_u64, HashSet::new(), HashSet::new());
    let bodies = arrived.bodies.len();
    for (start, length, is_gzip) in arrived.bodies.drain(..) {
        let body = &arrived.memory[start..start + length];
        let mut plain = Vec::new();
        let body = if is_gzip {
            flate2::read::GzDecoder::new(body).read_to_end(&mut plain).expect("gzip");
            &plain
        } else {
            body
        };
        let body: Value = serde_json::from_slice(body).expect("JSON");
        for event in body["batch"].as_array().expect("a batch") {
            events += 1;
            match event["uuid"].as_str() {
                Some(uuid) => drop(uuids.insert(uuid.to_owned())),
                None => nameless += 1,
            }
            seqs.extend(event["properties"]["seq"].as_u64());
        }
    }
    let bytes = std::mem::take(&mut arrived.used);
    json!({
        "events": events, "uuids": uuids.len(), "seqs": seqs.len(),
        "without_uuid": nameless, "bodies": bodies, "bytes": bytes,
    })
}
