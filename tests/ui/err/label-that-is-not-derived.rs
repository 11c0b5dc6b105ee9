//~ `Provider` may not leave the machine as it is
//~ use an enum with `#[derive(candor::Label)]` for a closed set of words
//~ 1 error

enum Provider {
    Aws,
    Gcp,
}

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
struct Happened {
    provider: Provider,
}

fn main() {
    candor::capture(Happened { provider: Provider::Aws });
}
