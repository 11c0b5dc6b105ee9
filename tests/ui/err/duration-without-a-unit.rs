//~ the duration `elapsed` does not name its unit
//~ `_seconds`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    elapsed: std::time::Duration,
}

fn main() {}
