//~ the property `$lib` is set by the library
//~ `Config::library`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(rename = "$lib")]
    library: u32,
}

fn main() {}
