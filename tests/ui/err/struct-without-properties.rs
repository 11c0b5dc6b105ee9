//~ `Details` may not leave the machine as it is
//~ #[derive(candor::Properties)]
//~ free_text
//~ #[event(hashed = "prefix")]
//~ #[event(pattern = "[a-z]+", max = 32)]
//~ #[event(raw = "reason")]

struct Details { text: String }

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    free_text: Details,
}

fn main() {}
