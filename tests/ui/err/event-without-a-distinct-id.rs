//~ the event `Happened` does not say whom it is about
//~ distinct_id, hashed
//~ `#[event(distinct_id = context)]`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened {
    size: u64,
}

fn main() {}
