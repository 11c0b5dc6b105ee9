//! A program that does nothing: what starting and ending a process costs on this machine.

fn main() {}
