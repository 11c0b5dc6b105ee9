//~ two variants are sent as `aws`

#[derive(candor::Label)]
enum Provider {
    Aws,
    #[label(name = "aws")]
    Amazon,
}

fn main() {}
