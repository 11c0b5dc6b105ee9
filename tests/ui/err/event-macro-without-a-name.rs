//~ the name of the event must come first, as in `event!("server started", distinct_id = "node-7", replicas = 3)`
//~ 1 error

fn main() {
    candor::event!(distinct_id = "node-7", replicas = 3);
}
