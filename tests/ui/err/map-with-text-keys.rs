//~ `String` is not a set of labels
//~ free_text

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    free_text: std::collections::BTreeMap<String, u32>,
}

fn main() {}
