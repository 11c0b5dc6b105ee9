//~ the field `cause` has the type `dyn std::error::Error`
//~ #[event(hashed = "prefix")]
//~ #[event(pattern = "[a-z]+", max = 32)]
//~ #[event(raw = "reason")]

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    cause: Box<dyn std::error::Error>,
}

fn main() {}
