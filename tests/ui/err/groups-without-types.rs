//~ `groups` takes group types, each with a key, as in `groups = { company = "acme" }`
//~ 1 error

fn main() {
    candor::event!("happened", distinct_id = "tool", groups = "acme");
}
