//! A program that does nothing, which shows the cost of a process on this machine.

fn main() {}
