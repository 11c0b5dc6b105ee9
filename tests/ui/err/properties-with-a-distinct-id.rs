//~ only an event can have a distinct id
//~ 1 error

#[derive(candor::Properties)]
struct Machine {
    #[event(distinct_id, hashed = "usr")]
    user: String,
}

const EVENTS: candor::Catalogue = candor::events![].super_properties::<Machine>();

fn main() {
    let _ = EVENTS;
}
