//! One connection: requests in, replies out. The server closes its socket at the end.

use super::reply::{Manner, Reply};
use super::{PATIENCE, Received, Shared};
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

/// Serves requests until either side closes the connection.
pub fn serve(shared: &Shared, mut stream: TcpStream, connection: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(head) = read_head(&mut stream)? {
        let mut received = parse_head(&head, connection);
        if received.method == "CONNECT" {
            return tunnel(shared, stream, received);
        }
        let (number, mut reply) = shared.next_reply();
        received.number = number;
        if matches!(reply.manner, Manner::ResetBeforeBody) {
            return reset(&stream);
        }
        if matches!(reply.manner, Manner::StallBeforeBody) {
            while shared.pause(PATIENCE) {}
            return Ok(());
        }
        let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        read_body(shared, &mut stream, length, reply.reads_slowly, &mut received.body)?;
        if let Manner::Judged(judge) = &reply.manner {
            reply = judge(&received);
        }
        shared.record(received);
        if matches!(reply.manner, Manner::ResetAfterBody) {
            return reset(&stream);
        }
        if length > 0 {
            stream.read_exact(&mut [0])?;
        }
        if reply.is_held && !shared.wait_for_release() || !answer(shared, &mut stream, &reply)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends the reply, and returns whether the connection stays open.
fn answer(shared: &Shared, stream: &mut TcpStream, reply: &Reply) -> io::Result<bool> {
    match reply.manner {
        Manner::Plain => {
            let mut bytes = head_of(reply, Some(reply.body.len()));
            bytes.extend_from_slice(&reply.body);
            stream.write_all(&bytes)?;
            return Ok(!reply.closes);
        }
        Manner::Half => {
            let mut bytes = head_of(reply, Some(reply.body.len() * 2 + 1));
            bytes.extend_from_slice(&reply.body);
            stream.write_all(&bytes)?;
        }
        Manner::Stall => while shared.pause(PATIENCE) {},
        Manner::Trickle(pause) => {
            for byte in head_of(reply, Some(0)) {
                stream.write_all(&[byte])?;
                if !shared.pause(pause) {
                    break;
                }
            }
        }
        Manner::Garbage => stream.write_all(b"\x00\xffnot HTTP\r\n\r\n")?,
        Manner::Raw => stream.write_all(&reply.body)?,
        Manner::Endless => {
            stream.write_all(&head_of(reply, None))?;
            loop {
                stream.write_all(&[b'x'; 8192])?;
            }
        }
        Manner::ResetBeforeBody | Manner::StallBeforeBody | Manner::ResetAfterBody | Manner::Judged(_) => {
            unreachable!("handled before the reply")
        }
    }
    Ok(false)
}

fn head_of(reply: &Reply, length: Option<usize>) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if reply.closes {
        text.push_str("Connection: close\r\n");
    }
    if let Some(length) = length.filter(|_| reply.status != 204) {
        let _ = write!(text, "Content-Length: {length}\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Prepares a reset: the system sends one if a socket is closed with unread bytes.
fn reset(stream: &TcpStream) -> io::Result<()> {
    stream.peek(&mut [0]).map(drop)
}

/// Reads up to the blank line and no further. Returns `None` if the other side has closed the connection.
fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::new();
    let mut ahead = [0; 4096];
    loop {
        let seen = stream.peek(&mut ahead)?;
        if seen == 0 {
            return Ok(None);
        }
        let before = head.len();
        head.extend_from_slice(&ahead[..seen]);
        let end = head.windows(END.len()).position(|bytes| bytes == END).map(|at| at + END.len());
        let taken = end.unwrap_or(head.len()) - before;
        stream.read_exact(&mut ahead[..taken])?;
        if let Some(end) = end {
            head.truncate(end);
            return Ok(Some(head));
        }
    }
}

fn parse_head(head: &[u8], connection: usize) -> Received {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Received { number: 0, connection, method, target, headers, body: Vec::new() }
}

/// Reads the body, but leaves its last byte unread in the socket, so a reset is still possible.
fn read_body(
    shared: &Shared,
    stream: &mut TcpStream,
    length: usize,
    pause: Option<Duration>,
    body: &mut Vec<u8>,
) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    body.resize(length, 0);
    let (last, others) = body.split_last_mut().ok_or(ErrorKind::InvalidData)?;
    for piece in others.chunks_mut(4096) {
        stream.read_exact(piece)?;
        if pause.is_some_and(|pause| !shared.pause(pause)) {
            return Err(ErrorKind::ConnectionAborted.into());
        }
    }
    let mut ahead = [0];
    if stream.peek(&mut ahead)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    *last = ahead[0];
    Ok(())
}

/// Acts as a proxy for one connection: records the `CONNECT` request and copies bytes both ways.
fn tunnel(shared: &Shared, mut inner: TcpStream, head: Received) -> io::Result<()> {
    let mut outer = TcpStream::connect(&head.target)?;
    shared.record(head);
    inner.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut from_inner, mut to_outer) = (inner.try_clone()?, outer.try_clone()?);
    thread::scope(|scope| {
        scope.spawn(move || {
            let _ = io::copy(&mut from_inner, &mut to_outer);
            let _ = to_outer.shutdown(Shutdown::Both);
        });
        let _ = io::copy(&mut outer, &mut inner);
        let _ = inner.shutdown(Shutdown::Both);
    });
    Ok(())
}
