//~ unknown attribute: a field accepts
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(plain)]
    size: u64,
}

const EVENTS: candor::Catalogue = candor::events![Happened];

fn main() {
    let _ = EVENTS;
    candor::capture(Happened { size: 1 });
}
