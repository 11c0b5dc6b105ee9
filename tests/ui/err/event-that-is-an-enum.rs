//~ events must be structs with named fields

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
enum Happened {
    Now,
}

fn main() {}
