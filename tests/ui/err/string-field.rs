//~ the field `free_text` has the type `String`
//~ #[event(hashed = "prefix")]
//~ #[event(pattern = "[a-z]+", max = 32)]
//~ #[event(raw = "reason")]
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    free_text: String,
}

const EVENTS: candor::Catalogue = candor::events![Happened];

fn main() {
    let _ = EVENTS;
    candor::capture(Happened { free_text: String::new() });
}
