//! Tests of your own events: `testing::capture` returns what a closure captured. Run them with
//! `cargo test --example test_your_events`.
//!
//! For everybody who captures events: a renamed property breaks a dashboard just as a renamed column breaks a query.

/// The code under test: it places an order, and captures an event.
fn place_order(user: &str, items: u32) -> u32 {
    candor::event!("order placed", distinct_id = user, items = items, currency = "EUR");
    items * 10
}

fn main() {
    let events = candor::testing::capture(|| {
        place_order("user_1", 3);
    });
    println!("{:#}", events[0].json);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_told_with_its_items() {
        let events = candor::testing::capture(|| {
            assert_eq!(place_order("user_1", 3), 30);
        });
        let [event] = &events[..] else { panic!("one event, not {events:?}") };
        assert_eq!((&*event.name, &*event.distinct_id), ("order placed", "user_1"));
        assert_eq!(event.properties["items"], 3);
        assert_eq!(event.properties["currency"], "EUR");
    }
}
