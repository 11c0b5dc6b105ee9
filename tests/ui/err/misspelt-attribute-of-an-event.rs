//~ unknown attribute: did you mean `distinct_id`? An event accepts
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinctid = "tool")]
struct Happened {}

fn main() {}
