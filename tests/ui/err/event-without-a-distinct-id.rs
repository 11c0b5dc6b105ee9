//~ the event `Happened` has no distinct id
//~ distinct_id, hashed
//~ `#[event(distinct_id = context)]`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened {
    size: u64,
}

fn main() {}
