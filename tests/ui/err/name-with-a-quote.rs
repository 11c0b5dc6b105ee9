//~ contains a quote

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(rename = "a\"b")]
    size: u64,
}

fn main() {}
