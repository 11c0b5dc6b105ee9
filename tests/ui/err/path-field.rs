//~ Path` may not leave the machine as it is
//~ free_text
//~ #[event(hashed = "prefix")]
//~ #[event(pattern = "[a-z]+", max = 32)]
//~ #[event(raw = "reason")]

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened<'a> {
    free_text: &'a std::path::Path,
}

fn main() {}
