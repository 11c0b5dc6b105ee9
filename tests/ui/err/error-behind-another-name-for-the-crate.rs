//~ the event `Happened` has no name
//~ 1 error

extern crate candor as telemetry;

/// Something happened.
#[derive(telemetry::Event)]
#[event(crate = "telemetry", distinct_id = "tool")]
struct Happened {}

fn main() {
    telemetry::capture(Happened {});
}
