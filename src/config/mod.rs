//! Settings as plain values, and where they come from.
//! Takes what the host, the environment and files say; gives back checked groups of settings.
//! Never starts or sends anything.

mod consent;
pub(crate) mod document;
mod env;

pub(crate) use consent::AccountAnswer;
pub use consent::{Account, CiPolicy, Consent, Mode, Notice, Subject};
pub use env::Env;
