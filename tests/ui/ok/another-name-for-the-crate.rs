//! An application may re-export the crate.

mod telemetry {
    pub use candor as sdk;
}

/// The program started.
#[derive(telemetry::sdk::Event)]
#[event(name = "started", distinct_id = "tool", crate = "crate::telemetry::sdk")]
struct Started {
    mode: Mode,
}

#[derive(telemetry::sdk::Label)]
#[label(crate = "crate::telemetry::sdk")]
enum Mode {
    Fast,
}

fn main() {
    telemetry::sdk::capture(Started { mode: Mode::Fast });
}
