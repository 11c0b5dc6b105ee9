//! The worker turn by turn: a clock that is moved by hand, a transport without a network.
//!
//! Never sleeps.

mod bench;
mod overlap;
mod properties;
mod turns;
