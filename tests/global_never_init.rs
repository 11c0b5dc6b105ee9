//! Without `init` the free functions do nothing, return an error if they return a `Result`, and never panic.
//! This is a separate binary because `init` affects the whole process.

use std::time::Duration;

use candor::{DynamicEvent, ErrorKind, Stats};

fn evaluated() -> u32 {
    panic!("an argument was evaluated without a client")
}

#[test]
fn free_functions_without_init_are_harmless() {
    candor::capture(DynamicEvent::new("name", "id"));
    candor::event!("name", distinct_id = "id", n = evaluated());
    assert!(candor::client().is_none());
    assert_eq!(candor::stats(), Stats::default());
    let minute = Duration::from_secs(60);
    assert_eq!(candor::flush(minute).unwrap_err().kind(), ErrorKind::NotRunning);
    assert_eq!(candor::shutdown(minute).unwrap_err().kind(), ErrorKind::NotRunning);
}
