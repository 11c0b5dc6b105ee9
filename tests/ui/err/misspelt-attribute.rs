//~ unknown attribute: did you mean `hashed`? A field accepts
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(hash = "usr")]
    value: String,
}

fn main() {}
