//~ unknown purpose: expected `usage`, `error` or `update_check`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool", purpose = "marketing")]
struct Happened {}

fn main() {}
