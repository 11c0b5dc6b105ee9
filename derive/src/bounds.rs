//! Bounds of generic types.
//!
//! Never bounds a parameter itself: only what is sent.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Generics, Path, WherePredicate, parse_quote};

use crate::check;
use crate::field::{Role, Spec};
use crate::policy::Policy;

/// Returns the generics with a bound for each field that depends on a parameter.
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
    let private = quote!(#candor::__private);
    let bound = match &spec.policy {
        Policy::Typed if check::is_identifier(spec) || !matches!(spec.role, Role::Property) => {
            quote!(#candor::Identifier)
        }
        Policy::Typed => quote!(#candor::Field),
        Policy::Raw { .. } => quote!(#private::Raw),
        Policy::Number => quote!(#private::Switch),
        Policy::Duration(_) | Policy::Bucket { unit: Some(_), .. } => quote!(#private::DurationField),
        Policy::Bucket { unit: None, .. } => quote!(#private::IntegerField),
        _ => quote!(#private::Text),
    };
    if spec.items.is_some() {
        return vec![
            parse_quote!(#ty: #private::Items),
            parse_quote!(<#ty as #private::Items>::Item: #bound),
        ];
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
