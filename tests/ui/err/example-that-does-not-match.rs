//~ the example of `text` does not match its pattern

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(pattern = "[a-z]+", example = "A1")]
    text: String,
}

fn main() {}
