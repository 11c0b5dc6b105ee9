//! The derived code does not depend on the names in scope.

#![no_implicit_prelude]
#![deny(warnings)]
#![allow(dead_code, non_camel_case_types, unused_macros)]

extern crate std;

macro_rules! assert {
    () => {};
}

mod candor {}
mod core {}
mod alloc {}

trait Event {}
trait Field {}
trait Label {}
trait Properties {}
struct str;
struct bool;
struct u32;
struct String;
enum Option {
    None,
    Some,
}
enum Result {
    Err,
    Ok,
}

/// Something happened.
#[derive(::candor::Event)]
#[event(name = "happened")]
struct Happened<'event, 'writer, F>
where
    F: ::candor::Label,
{
    #[event(distinct_id, hashed = "usr")]
    writer: &'writer std::primitive::str,
    event: F,
    out: Details,
    #[event(pattern = "[a-z]+", max = 8, example = "abc")]
    value: &'event std::primitive::str,
    #[event(items = 2)]
    schema: &'writer [Written],
}

#[derive(::candor::Properties)]
struct Details {
    name: std::primitive::u32,
    fields: std::option::Option<std::primitive::bool>,
}

#[derive(::candor::Label)]
enum Written {
    Some,
    None,
    Ok,
    #[label(other)]
    Err,
}

#[derive(::candor::Label)]
#[label(pattern = "R[0-9]", max = 2)]
struct Rule<'rule>(&'rule std::primitive::str);

fn main() {
    let out = Details { name: 1, fields: std::option::Option::None };
    let schema = &[Written::Some, Written::None, Written::Ok];
    ::candor::capture(Happened { writer: "a", event: Rule("R1"), out, value: "b", schema });
}
