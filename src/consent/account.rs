//! What the account's toggle says.
//!
//! Never judges whether the answer is too old: the gate does.

use std::time::Duration;

/// What the account's toggle says, as the application last heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub(crate) answer: AccountAnswer,
    pub(crate) age: Duration,
    pub(crate) ttl: Duration,
    pub(crate) unknown_denies: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountAnswer {
    Allow,
    Deny,
    Unknown,
}

impl Account {
    /// Declares that the toggle is on.
    pub fn allow() -> Self {
        Self::new(AccountAnswer::Allow)
    }

    /// Declares that the toggle is off. This never grows stale.
    pub fn deny() -> Self {
        Self::new(AccountAnswer::Deny)
    }

    /// Declares that the toggle could not be learned.
    pub fn unknown() -> Self {
        Self::new(AccountAnswer::Unknown)
    }

    /// States how long ago the answer was fetched. The default is now.
    #[must_use]
    pub fn fetched(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets the age after which an answer counts as unknown. The default is one day.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets whether an unknown or stale toggle denies. The default is yes if a session is required, no otherwise.
    #[must_use]
    pub fn unknown_denies(mut self, denies: bool) -> Self {
        self.unknown_denies = Some(denies);
        self
    }

    fn new(answer: AccountAnswer) -> Self {
        Self { answer, age: Duration::ZERO, ttl: Duration::from_secs(24 * 60 * 60), unknown_denies: None }
    }
}
