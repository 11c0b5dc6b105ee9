//~ `str` is not an event
//~ `candor::event!("server started", distinct_id = "node-7", replicas = 3)`
//~ `#[derive(candor::Event)]`
//~ 1 error

fn main() {
    candor::capture("server started");
}
