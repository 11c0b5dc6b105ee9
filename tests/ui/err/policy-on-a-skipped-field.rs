//~ this attribute has no effect, because the field is not sent as a property: remove it
//~ 3 errors

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(skip, hashed = "usr")]
    user: String,
    #[event(timestamp, rename = "at")]
    started: std::time::SystemTime,
    #[event(uuid, since = "1.2")]
    id: u128,
}

fn main() {}
