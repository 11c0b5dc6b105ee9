//~ `raw` needs the reason, which the catalogue shows
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(raw)]
    value: String,
}

fn main() {}
