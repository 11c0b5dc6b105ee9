//! Settings as plain values, and where they come from.
//!
//! Never starts or sends anything.

mod account;
mod consent;
pub(crate) mod defaults;
pub(crate) mod document;
mod endpoint;
mod env;
mod groups;
mod key;
mod origin;

pub use account::Account;
pub(crate) use account::AccountAnswer;
pub use consent::{CiPolicy, Consent, Mode, Notice, Subject};
pub(crate) use document::{Members, set_bool};
pub(crate) use endpoint::Endpoint;
pub use env::Env;
pub(crate) use groups::{Batching, Http, Proxy, Retry};
pub use groups::{Compression, Overflow, Protocol};
pub(crate) use key::ApiKey;
pub(crate) use origin::{asks_for_debug, proxy, variable_prefix};
