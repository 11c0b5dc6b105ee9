//~ only an event can have a distinct id

#[derive(candor::Properties)]
struct Machine {
    #[event(distinct_id, hashed = "usr")]
    user: String,
}

fn main() {}
