//~ `u64` is not text, so a text policy does not apply
//~ size
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(pattern = "[0-9]+")]
    size: u64,
}

fn main() {}
