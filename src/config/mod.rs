//! Settings as plain values, and where they come from.
//! Takes what the host, the environment and files say; gives back checked groups of settings.
//! Never starts or sends anything.

mod env;

pub use env::Env;
