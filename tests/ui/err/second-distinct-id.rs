//~ an event has only one distinct id

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(distinct_id, hashed = "usr")]
    user: String,
}

fn main() {}
