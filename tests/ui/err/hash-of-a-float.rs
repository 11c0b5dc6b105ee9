//~ `f64` cannot be hashed
//~ expected text, a whole number or a `Uuid`
//~ convert another value to text first
//~ 1 error

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(hashed = "usr")]
    user_id: f64,
}

fn main() {}
