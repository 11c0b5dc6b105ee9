//~ events must be structs with named fields
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
enum Happened {
    Now,
}

const EVENTS: candor::Catalogue = candor::events![Happened];

fn main() {
    let _ = EVENTS;
    candor::capture(Happened::Now);
}
