//! A loopback sink: it reads every body and counts its events during the run, and parses the events only after it, so
//! the client is measured and not the sink.
//!
//! While the clock runs, it copies each body into memory that was touched before, searches it for the key `uuid` to
//! count its events, and answers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use memchr::memmem;
use serde::Deserialize;
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"Ok\"}";

/// The behaviour of the sink.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The memory for the bodies of one run, touched before the run.
    pub room_mib: usize,
    /// The time between a request and its response.
    pub delay: Duration,
    /// Whether it accepts connections and never answers.
    pub stalls: bool,
}

impl Manner {
    /// Parses the command line of the sink.
    pub fn from_args() -> Self {
        let mut manner = Self { room_mib: 16, delay: Duration::ZERO, stalls: false };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg}: no value"));
            match arg.as_str() {
                "--room-mib" => manner.room_mib = crate::number(&value()),
                "--delay-ms" => manner.delay = Duration::from_millis(crate::number(&value())),
                "--stalls" => manner.stalls = true,
                _ => panic!("{arg}: unknown"),
            }
        }
        manner
    }
}

struct Arrived {
    memory: Vec<u8>,
    used: usize,
    /// The position of each body, and whether it is compressed.
    bodies: Vec<(usize, usize, bool)>,
    /// The events counted during the run, in bodies that are not compressed.
    counted: usize,
}

/// The relevant parts of a request's head.
struct Head {
    line: String,
    length: usize,
    is_gzip: bool,
}

/// Prints the address, and serves forever.
pub fn serve(manner: Manner) -> std::io::Result<()> {
    let memory = vec![1; manner.room_mib * MIB];
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    if manner.stalls {
        // Kept open, and never read from.
        let held: Vec<TcpStream> = listener.incoming().flatten().collect();
        drop(held);
        return Ok(());
    }
    let arrived = Mutex::new(Arrived { memory, used: 0, bodies: Vec::new(), counted: 0 });
    thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            scope.spawn(|| {
                // A client that disconnects only ends its own connection.
                let _ = converse(stream, &arrived, manner.delay);
            });
        }
    });
    Ok(())
}

fn converse(stream: TcpStream, arrived: &Mutex<Arrived>, delay: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    while let Some(head) = read_head(&mut reader)? {
        if head.line.starts_with("GET /report") {
            let report = take_report(&mut arrived.lock().unwrap()).to_string();
            write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{report}", report.len())?;
        } else {
            arrived.lock().unwrap().read(&mut reader, &head)?;
            thread::sleep(delay);
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
        let place = self.used..self.used + head.length;
        let body = self.memory.get_mut(place).expect("room for the bodies of one run");
        reader.read_exact(body)?;
        if !head.is_gzip {
            self.counted += memmem::find_iter(body, b"\"uuid\":\"").count();
        }
        self.bodies.push((self.used, head.length, head.is_gzip));
        self.used += head.length;
        Ok(())
    }
}

/// The relevant parts of a body.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    batch: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    uuid: Option<Cow<'a, str>>,
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    seq: Option<u64>,
}

/// Reports the events that have arrived since the last report, and discards them.
fn take_report(arrived: &mut Arrived) -> Value {
    let (mut events, mut inflated, mut uuids, mut seqs) = (0, 0, HashSet::new(), HashSet::new());
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
        let body: Body = serde_json::from_slice(body).expect("a batch");
        events += body.batch.len();
        if is_gzip {
            inflated += body.batch.len();
        }
        for event in body.batch {
            uuids.extend(event.uuid.map(Cow::into_owned));
            seqs.extend(event.properties.seq);
        }
    }
    let bytes = std::mem::take(&mut arrived.used);
    let counted = std::mem::take(&mut arrived.counted);
    json!({
        "events": events, "counted": counted + inflated, "uuids": uuids.len(), "seqs": seqs.len(),
        "bodies": bodies, "bytes": bytes,
    })
}
