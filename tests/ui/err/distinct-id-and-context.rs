//~ an event has only one distinct id: remove `distinct_id = context` and make this field an `Option`
//~ `None` uses the id of the context

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = context)]
struct Happened {
    #[event(distinct_id, hashed = "usr")]
    user: String,
}

fn main() {}
