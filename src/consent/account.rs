//! The state of an account's telemetry toggle, as reported by the application.

use std::time::Duration;

/// The state of an account's telemetry toggle, as the application last fetched it.
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
    /// Creates an account whose toggle is on.
    pub fn allow() -> Self {
        Self::new(AccountAnswer::Allow)
    }

    /// Creates an account whose toggle is off. Unlike a grant, a denial never becomes stale.
    pub fn deny() -> Self {
        Self::new(AccountAnswer::Deny)
    }

    /// Creates an account whose toggle could not be fetched.
    pub fn unknown() -> Self {
        Self::new(AccountAnswer::Unknown)
    }

    /// Sets how long ago the answer was fetched. The default is zero.
    #[must_use]
    pub fn fetched(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets the age beyond which a grant counts as unknown. The default is one day.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets whether an unknown or stale toggle denies. By default it denies only if a session is required.
    #[must_use]
    pub fn unknown_denies(mut self, denies: bool) -> Self {
        self.unknown_denies = Some(denies);
        self
    }

    fn new(answer: AccountAnswer) -> Self {
        Self { answer, age: Duration::ZERO, ttl: Duration::from_secs(24 * 60 * 60), unknown_denies: None }
    }
}
