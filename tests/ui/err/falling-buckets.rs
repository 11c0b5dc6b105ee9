//~ `buckets` takes whole numbers in ascending order

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(buckets = [10, 1])]
    size: u64,
}

fn main() {}
