//~ this attribute has no effect, because a distinct id has a name only with `property`: remove it
//~ this attribute has no effect, because a group is sent under its type: remove it

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened {
    #[event(distinct_id, hashed = "usr", rename = "user")]
    user: String,
    #[event(group = "company", hashed = "co", rename = "customer")]
    company: String,
}

fn main() {}
