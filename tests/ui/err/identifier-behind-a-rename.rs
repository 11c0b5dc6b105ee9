//~ a field named `*_id` or `*_by` identifies someone

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(rename = "account_id")]
    account: u32,
}

fn main() {}
