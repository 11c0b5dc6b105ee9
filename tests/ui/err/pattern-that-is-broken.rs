//~ unmatched `(`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(pattern = "(a|b")]
    text: String,
}

fn main() {}
