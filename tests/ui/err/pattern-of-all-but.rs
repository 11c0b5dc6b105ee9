//~ `[^...]` matches nearly anything

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(pattern = "[^/]+")]
    text: String,
}

fn main() {}
