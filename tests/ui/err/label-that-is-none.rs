//~ `u8` is not a set of labels

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(label = u8)]
    text: String,
}

fn main() {}
