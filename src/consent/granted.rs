//! The token of a granted decision. Only a decision creates one.

/// The token of a granted decision, without which no transport can be created.
///
/// It has no public constructor and cannot be cloned.
#[derive(Debug)]
pub struct Granted {
    _private: (),
}

impl Granted {
    pub(super) fn new() -> Self {
        Self { _private: () }
    }
}
