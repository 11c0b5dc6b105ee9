//! The worker turn by turn: a clock that is moved by hand, a transport without a network, no thread.
//!
//! Never sleeps.

mod bench;
mod properties;
mod turns;
