//~ `Provider` is not a closed set of words

#[derive(candor::Label)]
struct Provider(String);

fn main() {}
