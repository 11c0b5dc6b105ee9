//~ expected `key = value` with an identifier or a string literal as the key
//~ 1 error

fn main() {
    candor::event!("server started", distinct_id = "node-7", replicas: 3);
}
