//~ `u64` is not text
//~ size

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(hashed = "usr")]
    size: u64,
}

fn main() {}
