//~ this field identifies someone, and its `u32` would be sent as it is
//~ a field named `*_id` or `*_by`, a distinct id and a group key identify someone
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(rename = "account_id")]
    account: u32,
}

fn main() {}
