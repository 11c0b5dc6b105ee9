//~ `u32` is not sent as text, so `pattern` and `max` do not apply to it
//~ `Outcome` is not sent as text
//~ 2 errors

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(raw = "the number of the ticket", pattern = "[0-9]+")]
    ticket_id: u32,
    #[event(raw = "how it ended", max = 8)]
    outcome: Outcome,
}

#[derive(candor::Label)]
enum Outcome {
    Success,
}

fn main() {}
