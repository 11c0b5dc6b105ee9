//~ unknown attribute: a field accepts

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(plain)]
    size: u64,
}

fn main() {}
