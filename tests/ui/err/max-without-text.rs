//~ `max` applies only together with `pattern` or `raw`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(max = 8)]
    size: u64,
}

fn main() {}
