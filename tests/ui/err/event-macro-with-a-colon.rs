//~ expected a name, followed by properties, as in `event!("server started", distinct_id = "node-7", replicas = 3)`
//~ 1 error

fn main() {
    let x = 1;
    candor::event!(x: 1);
}
