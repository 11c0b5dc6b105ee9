//~ the event `Happened` has no name
//~ `#[event(name = "...")]`

/// Something happened.
#[derive(candor::Event)]
#[event(distinct_id = "tool")]
struct Happened {
    size: u64,
}

fn main() {}
