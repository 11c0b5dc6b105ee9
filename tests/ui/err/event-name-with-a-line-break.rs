//~ the event name `a\nb` contains a quote, a backslash or a control character

/// Something happened.
#[derive(candor::Event)]
#[event(name = "a\nb", distinct_id = "tool")]
struct Happened {}

fn main() {}
