//~ `hashed` needs a prefix, as in `hashed = "usr"`
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(hashed)]
    value: String,
}

fn main() {}
