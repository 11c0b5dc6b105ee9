//! Trait bounds for generic types: on the fields that are sent, never on the parameters themselves.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Path, WherePredicate, parse_quote};

use crate::field::{Role, Spec};
use crate::value;

/// Returns the generics with a bound added for each sent field that mentions a type parameter.
pub(crate) fn bounded(generics: &Generics, specs: &[Spec], candor: &Path) -> Generics {
    let mut bounded = generics.clone();
    let parameters: Vec<String> = generics.type_params().map(|given| given.ident.to_string()).collect();
    if parameters.is_empty() {
        return bounded;
    }
    let sent = specs.iter().filter(|spec| !matches!(spec.role, Role::Skip | Role::Timestamp | Role::Uuid));
    for spec in sent.filter(|spec| mentions(spec.ty.to_token_stream(), &parameters)) {
        let clause = bounded.make_where_clause();
        clause.predicates.extend(predicates(spec, candor));
    }
    bounded
}

fn predicates(spec: &Spec, candor: &Path) -> Vec<WherePredicate> {
    let ty = &spec.ty;
    let (list, bound) = (quote!(#candor::__private::Items), value::needed(spec, candor));
    if spec.items.is_some() {
        return vec![parse_quote!(#ty: #list), parse_quote!(<#ty as #list>::Item: #bound)];
    }
    vec![parse_quote!(#ty: #bound)]
}

fn mentions(tokens: TokenStream, names: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}
