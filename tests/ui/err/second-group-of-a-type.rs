//~ an event has only one group of the type `company`: remove one of the fields

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(group = "company", hashed = "co")]
    seller: String,
    #[event(group = "company", hashed = "co")]
    buyer: String,
}

fn main() {}
