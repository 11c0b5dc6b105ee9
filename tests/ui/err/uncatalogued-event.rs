//~ `Happened` has no schema
//~ derive it: `#[derive(candor::Event)]`

struct Happened;

impl candor::Event for Happened {
    fn name(&self) -> &str {
        "happened"
    }

    fn encode(&self, event: &mut candor::encode::Encoder<'_>) {
        event.distinct_id("tool");
    }
}

const EVENTS: candor::Catalogue = candor::events![Happened];

fn main() {
    let _ = EVENTS;
}
