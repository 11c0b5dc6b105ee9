//! A minimal HTTP/1.1 server for the harness.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// The maximum number of bytes of a body that are read.
const MAX: u64 = 64 * 1024 * 1024;

/// One request of the harness.
pub struct Call {
    pub method: String,
    pub path: String,
    query: String,
    body: Vec<u8>,
}

impl Call {
    /// Returns the `test_id` in the query.
    pub fn test_id(&self) -> Option<&str> {
        let value = |pair: &'_ str| pair.strip_prefix("test_id=").map(str::len);
        self.query.split('&').find_map(|pair| value(pair).map(|length| &pair[pair.len() - length..]))
    }

    /// Returns the name of the session: the `test_id`, or an empty string if there is only one session.
    pub fn key(&self) -> String {
        self.test_id().unwrap_or_default().to_owned()
    }

    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("body: {error}"))
    }
}

/// Reads a request. Returns `None` if the other side has closed the connection.
pub fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Call>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path.trim_end_matches('/').to_owned();
    let (length, is_chunked, expects) = read_headers(reader)?;
    if expects {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if is_chunked {
        read_chunks(reader, &mut body)?;
    } else {
        reader.take(length.min(MAX)).read_to_end(&mut body)?;
    }
    Ok(Some(Call { method, path, query: query.to_owned(), body }))
}

/// Returns the length of the body, whether it is chunked, and whether the other side expects `100 Continue`.
fn read_headers(reader: &mut impl BufRead) -> io::Result<(u64, bool, bool)> {
    let (mut length, mut is_chunked, mut expects) = (0, false, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok((length, is_chunked, expects));
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| ErrorKind::InvalidData)?,
            "transfer-encoding" => is_chunked = value.trim().eq_ignore_ascii_case("chunked"),
            "expect" => expects = true,
            _ => {}
        }
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(|_| ErrorKind::InvalidData)?;
        if size > MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        reader.take(size).read_to_end(body)?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(());
        }
    }
}

pub fn write(mut stream: &TcpStream, answer: &Value) -> io::Result<()> {
    let body = answer.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())
}
