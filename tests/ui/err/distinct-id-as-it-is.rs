//~ a field named `*_id` or `*_by` identifies someone
//~ node

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened {
    #[event(distinct_id)]
    node: u64,
}

fn main() {}
