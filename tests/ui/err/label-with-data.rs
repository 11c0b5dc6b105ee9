//~ the label `Other` holds data, which could be anything

#[derive(candor::Label)]
enum Provider {
    Aws,
    Other(String),
}

fn main() {}
