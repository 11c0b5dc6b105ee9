//~ the property `$lib` is set by the library
//~ `Config::library`

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    #[event(name = "$lib")]
    library: u32,
}

fn main() {}
