//~ an event has only one timestamp: remove one of the fields

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(timestamp)]
    began: std::time::SystemTime,
    #[event(timestamp)]
    ended: std::time::SystemTime,
}

fn main() {}
