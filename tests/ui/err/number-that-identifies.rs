//~ this field identifies someone, and its `u64` would be sent as it is
//~ a field named `*_id` or `*_by`, a distinct id and a group key identify someone
//~ 1 error
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
