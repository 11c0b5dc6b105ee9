//~ may not leave the machine as it is
//~ #[event(raw = "reason")]

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened<T> {
    value: T,
}

fn main() {
    candor::capture(Happened { value: "ada@example.com" });
}
