//~ a field can have only one policy

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(hashed = "usr", raw = "reason")]
    text: String,
}

fn main() {}
