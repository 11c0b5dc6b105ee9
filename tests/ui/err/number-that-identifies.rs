//~ a field named `*_id` or `*_by` identifies someone
//~ `#[event(hashed = "prefix")]`
//~ `#[event(raw = "reason")]`
//~ user_id

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    user_id: u64,
}

fn main() {}
