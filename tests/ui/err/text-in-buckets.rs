//~ `String` is not a whole number, so `buckets` does not apply

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(buckets = [1, 10])]
    text: String,
}

fn main() {}
