//~ `name` needs a name, as in `name = "order placed"`
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name, distinct_id = "tool")]
struct Happened {}

fn main() {}
