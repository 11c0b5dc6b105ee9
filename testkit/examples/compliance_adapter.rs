//! An HTTP server over this crate for PostHog's public SDK compliance harness.
//!
//! It reads the environment variables `PORT` (default 8080; 0 for any free port), `CAPTURE_MODE` (`v0` or `v1`;
//! default `v0`) and `COMPRESSION` (`gzip`, `deflate`, `br` or `zstd`; default `gzip`, which is the only one for v0).
//! It prints its address as soon as it listens:
//!
//! ```sh
//! PORT=8080 CAPTURE_MODE=v1 COMPRESSION=gzip cargo run --example compliance_adapter
//! ```

use std::net::TcpListener;
use std::process::ExitCode;

use candor::Env;
use testkit::adapter::{self, Settings};

fn main() -> ExitCode {
    let env = Env::from_process();
    let settings = match Settings::from_env(&env) {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("compliance_adapter: {why}");
            return ExitCode::from(2);
        }
    };
    match listen(&env) {
        Ok(listener) => {
            adapter::serve(&listener, settings);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("compliance_adapter: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(env: &Env) -> std::io::Result<TcpListener> {
    let wrong = |_| std::io::Error::other("PORT is not a port");
    let port: u16 = env.text("PORT").unwrap_or("8080").parse().map_err(wrong)?;
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
