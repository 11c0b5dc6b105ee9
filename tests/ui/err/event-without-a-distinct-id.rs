//~ the event `Happened` has no distinct id
//~ distinct_id, hashed
//~ `#[event(distinct_id = context)]`
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened {
    size: u64,
}

const EVENTS: candor::Catalogue = candor::events![Happened];

fn main() {
    let _ = EVENTS;
    candor::capture(Happened { size: 1 });
}
