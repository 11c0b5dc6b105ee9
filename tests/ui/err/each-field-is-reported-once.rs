//~ `Provider` may not leave the machine as it is
//~ `Provider` is not a set of labels
//~ `Provider` cannot be sent raw
//~ `f64` cannot be hashed
//~ this field identifies someone, and its `u64` would be sent as it is
//~ `String` is not a whole number, so `buckets` does not apply
//~ `u8` is not text, so a text policy does not apply
//~ 8 errors

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Provider {
    Aws,
}

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened<'a> {
    provider: Option<Provider>,
    #[event(label = Provider)]
    label: &'a str,
    #[event(items = 3)]
    list: Vec<Provider>,
    #[event(hashed = "usr")]
    node_id: f64,
    #[event(raw = "why")]
    inner: Provider,
    other_id: u64,
    #[event(buckets = [1, 10])]
    size: String,
    #[event(pattern = "[a-z]+")]
    pattern: u8,
}

fn main() {}
