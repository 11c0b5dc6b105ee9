//! An event without fields.

/// The program started.
#[derive(candor::Event)]
#[event(name = "started", distinct_id = "tool", no_groups)]
struct Started;

#[derive(candor::Properties)]
struct Nothing {}

fn main() {
    candor::capture(Started);
    let _ = Nothing {};
}
