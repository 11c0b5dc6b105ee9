//~ `u16` is not a list, so `items` does not apply

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(items = 3)]
    size: u16,
}

fn main() {}
