//~ this text must not be blank

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(raw = " ")]
    text: String,
}

fn main() {}
