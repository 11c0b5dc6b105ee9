//! Settings in plain groups, their defaults, and what the environment says about them.

pub(crate) mod defaults;
mod endpoint;
mod env;
mod groups;
mod key;
mod origin;
mod spool;
mod user_agent;

pub(crate) use endpoint::{Endpoint, POSTHOG_EU, POSTHOG_US};
pub use env::Env;
pub use groups::Overflow;
pub(crate) use groups::{Batching, Http, Proxy, Retry};
pub(crate) use key::ApiKey;
pub(crate) use origin::{asks_for_debug, proxy, variable_prefix};
pub(crate) use spool::Durability;
pub use spool::{Sending, Spool};
pub(crate) use user_agent::token;
