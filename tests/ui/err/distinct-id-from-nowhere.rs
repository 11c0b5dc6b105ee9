//~ expected a fixed id, as in `distinct_id = "nightly job"`
//~ `distinct_id = context` for the id of the request's context

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = session)]
struct Happened {}

fn main() {}
