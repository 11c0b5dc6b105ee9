//~ `Provider` may not leave the machine as it is
//~ a closed set of words is an enum with `#[derive(candor::Label)]`
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
