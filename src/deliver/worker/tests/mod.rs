//! The worker turn by turn: a clock that is moved by hand, a transport without a network, no thread.
//! Takes records and commands; compares requests, counts and replies.
//! Never sleeps.

mod bench;
mod properties;
mod turns;
