//~ a prefix can contain only ASCII letters and digits

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(hashed = "the user")]
    text: String,
}

fn main() {}
