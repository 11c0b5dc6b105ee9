//! A macro of the application may generate events: types that it passes on are recognised.

#![deny(warnings)]

use std::time::Duration;

macro_rules! event {
    ($event:ident, $name:literal, { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? }) => {
        /// Something happened.
        #[derive(candor::Event)]
        #[event(name = $name, distinct_id = "tool")]
        struct $event {
            $($(#[$attribute])* $field: $type,)*
        }
    };
}

event!(Happened, "happened", {
    took_ms: Duration,
    waited_ms: Option<Duration>,
    #[event(buckets = [1, 10])]
    lasted_seconds: Duration,
    #[event(items = 3)]
    sizes: Vec<u8>,
    #[event(pattern = "v[0-9]+", max = 8)]
    version: Option<String>,
});

fn main() {
    let time = Duration::from_secs(1);
    let (sizes, version) = (vec![1], None);
    candor::capture(Happened { took_ms: time, waited_ms: None, lasted_seconds: time, sizes, version });
}
