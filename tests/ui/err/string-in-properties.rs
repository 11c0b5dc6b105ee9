//~ the field `host_name` has the type `String`
//~ #[event(hashed = "prefix")]
//~ #[event(pattern = "[a-z]+", max = 32)]
//~ #[event(raw = "reason")]

#[derive(candor::Properties)]
struct Machine {
    host_name: String,
}

fn main() {}
