//! An envelope of an application, with limits of its own.

use candor::wire::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent};

/// `{"batch":[..]}` to the path `/limited`, within the limits that it is given.
pub struct Limited(pub EnvelopeLimits);

impl Envelope for Limited {
    fn path(&self) -> &str {
        "/limited"
    }

    fn limits(&self) -> EnvelopeLimits {
        self.0
    }

    fn begin(&self, _: &BatchInfo, body: &mut Vec<u8>) {
        body.extend_from_slice(b"{\"batch\":[");
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        body.extend_from_slice(b"{\"properties\":");
        event.write_properties(body);
        body.push(b'}');
    }

    fn end(&self, _: &BatchInfo, _: Attempt, body: &mut Vec<u8>) {
        body.extend_from_slice(b"]}");
    }
}
