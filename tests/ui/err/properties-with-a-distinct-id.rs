//~ only an event has a distinct id

#[derive(candor::Properties)]
struct Machine {
    #[event(distinct_id, hashed = "usr")]
    user: String,
}

fn main() {}
