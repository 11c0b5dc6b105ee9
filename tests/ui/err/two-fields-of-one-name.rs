//~ two fields are sent as `size`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    size: u64,
    #[event(rename = "size")]
    length: u64,
}

fn main() {}
