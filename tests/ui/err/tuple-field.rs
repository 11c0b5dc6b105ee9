//~ which can hold anything
//~ free_text
//~ #[event(hashed = "prefix")]
//~ #[event(pattern = "[a-z]+", max = 32)]
//~ #[event(raw = "reason")]

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    free_text: (u8, u8),
}

fn main() {}
