//~ the event `Happened` has no name
//~ `#[event(name = "...")]`
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(distinct_id = "tool")]
struct Happened {
    size: u64,
}

const EVENTS: candor::Catalogue = candor::events![Happened];

fn main() {
    let _ = EVENTS;
    candor::capture(Happened { size: 1 });
}
