//! The derive macros of candor. Users do not depend on this crate: `candor` re-exports and documents the macros.

mod attributes;
mod bounds;
mod check;
mod container;
mod docs;
mod event;
mod field;
mod known;
mod label;
mod names;
mod parts;
mod policy;
mod properties;
mod refused;
mod schema;
mod types;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `candor::Event`; documented on its re-export.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input).unwrap_or_else(|error| refused::event(&input, &error)).into()
}

/// Implements `candor::Properties`; documented on its re-export.
#[proc_macro_derive(Properties, attributes(event, properties))]
pub fn derive_properties(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    properties::derive(&input).unwrap_or_else(|error| refused::properties(&input, &error)).into()
}

/// Implements `candor::Label`; documented on its re-export.
#[proc_macro_derive(Label, attributes(label))]
pub fn derive_label(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    label::derive(&input).unwrap_or_else(|error| refused::label(&input, &error)).into()
}
