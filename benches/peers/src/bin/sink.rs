//! The loopback sink, in a process of its own.

fn main() -> std::io::Result<()> {
    peers::sink::serve()
}
