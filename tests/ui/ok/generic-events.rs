//! Generic events have trait bounds for the fields that they send.

/// A value changed.
#[derive(candor::Event)]
#[event(name = "changed", distinct_id = "tool")]
struct Changed<T, U, const N: usize> {
    value: Option<T>,
    values: [T; N],
    #[event(hashed = "usr")]
    by: U,
}

#[derive(candor::Properties)]
struct Pair<A, B> {
    one: A,
    two: Option<B>,
}

/// Something was renamed.
#[derive(candor::Event)]
#[event(name = "renamed", distinct_id = "tool")]
struct Renamed<T> {
    #[event(raw = "the public name of a project", max = 40)]
    name: T,
    #[event(raw = "their public names", pattern = "[a-z]+", items = 3)]
    others: Vec<T>,
}

fn main() {
    candor::capture(Renamed { name: "one", others: vec!["two"] });
    candor::capture(Changed { value: Some(1_u8), values: [1, 2], by: "ada" });
    candor::capture(Changed { value: Some(Pair { one: true, two: Some(2) }), values: [], by: String::new() });
}
