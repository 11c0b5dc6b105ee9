//! Ids that are numbers are hashed without being converted to text first.

use candor::Properties;

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened")]
struct Happened<'a, T> {
    #[event(distinct_id, hashed = "usr")]
    user_id: Option<u64>,
    #[event(group = "company", hashed = "com")]
    company_id: u16,
    #[event(hashed_hex = 16)]
    node_id: &'a i128,
    #[event(keyed = "req")]
    request_id: Option<std::num::NonZeroU32>,
    #[event(items = 3, hashed = "usr")]
    reviewed_by: Vec<u32>,
    #[event(hashed = "any")]
    any_id: T,
    inner: Inner,
}

#[derive(Properties)]
struct Inner {
    #[properties(hashed = "tsk")]
    task_id: usize,
}

fn main() {
    candor::capture(Happened {
        user_id: Some(7),
        company_id: 3,
        node_id: &-1,
        request_id: None,
        reviewed_by: vec![1, 2],
        any_id: "text",
        inner: Inner { task_id: 1 },
    });
}
