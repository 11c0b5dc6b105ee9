//~ the field `created_by` identifies someone, judging by its name
//~ `raw = "reason"`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(pattern = "[a-z]+", max = 8)]
    created_by: String,
}

fn main() {}
