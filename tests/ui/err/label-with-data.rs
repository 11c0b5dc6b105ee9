//~ the label `Other` holds data, which could be anything
//~ 1 error

#[derive(candor::Label)]
enum Provider {
    Aws,
    Other(String),
}

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened<'a> {
    provider: Provider,
    #[event(label = Provider)]
    text: &'a str,
}

fn main() {}
