//~ this field identifies someone, and its `u64` would be sent as it is
//~ a field named `*_id` or `*_by`, a distinct id and a group key identify someone
//~ 1 error
//~ node

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened {
    #[event(distinct_id)]
    node: u64,
}

fn main() {}
