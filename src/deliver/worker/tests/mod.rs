//! Tests of the worker turn by turn, with a manual clock and without a network. Never sleeps.

mod bench;
mod overlap;
mod properties;
mod turns;
