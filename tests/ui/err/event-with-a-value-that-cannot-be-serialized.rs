//~ Serialize` is not satisfied
//~ 1 error

struct Plan;

fn main() {
    candor::event!("order placed", distinct_id = "user_123", plan = Plan);
}
