//! The loopback sink, in its own process.

fn main() -> std::io::Result<()> {
    peers::sink::serve(peers::sink::Manner::from_args())
}
