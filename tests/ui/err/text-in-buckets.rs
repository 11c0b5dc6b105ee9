//~ `String` is not an integer

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(buckets = [1, 10])]
    text: String,
}

fn main() {}
