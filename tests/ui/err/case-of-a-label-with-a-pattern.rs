//~ `rename_all` applies only to an enum

#[derive(candor::Label)]
#[label(pattern = "[a-z]+", rename_all = "kebab-case")]
struct Rule(String);

fn main() {}
