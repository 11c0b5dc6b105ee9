//! The proof that consent was granted.
//! Made from a granted decision only; taken by value by what would otherwise not be allowed to exist.
//! Never made by an application.

/// The token of a granted decision: without one, no transport can be made.
///
/// It has no public constructor and cannot be copied.
#[derive(Debug)]
pub struct Granted {
    _private: (),
}

impl Granted {
    pub(super) fn new() -> Self {
        Self { _private: () }
    }
}
