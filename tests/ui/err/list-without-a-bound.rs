//~ the list `sizes` is unbounded
//~ `#[event(items = 16)]`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    sizes: Vec<u32>,
}

fn main() {}
