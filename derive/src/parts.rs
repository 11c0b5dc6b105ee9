//! The parsed and checked fields of a struct, and their patterns.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Fields, Ident, Path, Result};

use crate::check;
use crate::container::Container;
use crate::field::{Role, Spec};
use crate::policy::{PatternSource, Policy};

/// Returns the parsed and checked fields of a struct.
pub(crate) fn fields(input: &DeriveInput, container: &Container, what: &str) -> Result<Vec<Spec>> {
    let wrong = || Error::new_spanned(&input.ident, format!("{what} must be structs with named fields"));
    let Data::Struct(data) = &input.data else { return Err(wrong()) };
    let named = match &data.fields {
        Fields::Named(named) => named.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => return Err(wrong()),
    };
    let mut specs: Vec<Spec> = Vec::new();
    let mut errors: Option<Error> = None;
    for (index, field) in named.into_iter().enumerate() {
        match Spec::read(field, index, container).and_then(|spec| check::field(&spec).map(|()| spec)) {
            Ok(spec) => {
                if is_property(&spec)
                    && specs.iter().any(|other| is_property(other) && other.name == spec.name)
                {
                    combine(
                        &mut errors,
                        Error::new(
                            spec.span,
                            format!("two fields are sent as `{}`: rename one of them", spec.name),
                        ),
                    );
                }
                specs.push(spec);
            }
            Err(error) => combine(&mut errors, error),
        }
    }
    errors.map_or(Ok(specs), Err)
}

fn combine(errors: &mut Option<Error>, error: Error) {
    match errors {
        Some(errors) => errors.combine(error),
        None => *errors = Some(error),
    }
}

/// Returns whether a field is sent as a property.
pub(crate) fn is_property(spec: &Spec) -> bool {
    matches!(spec.role, Role::Property | Role::DistinctId { is_property: true })
}

/// Returns the pattern of a field, if it has one.
fn pattern(spec: &Spec) -> Option<&PatternSource> {
    match &spec.policy {
        Policy::Pattern { pattern, .. } => Some(pattern),
        Policy::Raw { pattern, .. } => pattern.as_ref(),
        _ => None,
    }
}

/// Returns the name of the static that holds a compiled pattern.
pub(crate) fn pattern_name(pattern: &PatternSource) -> Ident {
    format_ident!("PATTERN_{}", pattern.index)
}

/// Generates the compiled patterns, and checks that the examples match them.
pub(crate) fn patterns(specs: &[Spec], candor: &Path) -> TokenStream {
    let statics = specs.iter().filter_map(|spec| pattern(spec).map(|pattern| (spec, pattern))).map(
        |(spec, pattern)| {
            let (name, source) = (pattern_name(pattern), &pattern.source);
            let compiled = quote_spanned! {pattern.span=>
                static #name: #candor::schema::Pattern = #candor::schema::Pattern::new(#source);
            };
            let example = spec.example.as_ref().map(|example| {
                let text = example.value.trim_matches('"');
                let message = format!("the example of `{}` does not match its pattern", spec.ident);
                quote_spanned! {example.span=>
                    const _: () = ::core::assert!(#candor::schema::Pattern::new(#source).matches(#text), #message);
                }
            });
            quote!(#compiled #example)
        },
    );
    quote!(#(#statics)*)
}
