//! The schemas of fields, for the catalogue.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Path;

use crate::field::{Role, Spec};
use crate::parts::{is_property, pattern_name};
use crate::policy::Policy;
use crate::value::{bucket_labels, by_bound, identifies, option, trait_of};

/// Returns the schema of a field; a group is named after its type.
pub(crate) fn field(spec: &Spec, candor: &Path) -> TokenStream {
    let name = match &spec.role {
        Role::Group(kind) => kind,
        _ => &spec.name,
    };
    named(spec, name, candor)
}

/// Returns the schema of a field under the given name.
pub(crate) fn named(spec: &Spec, name: &str, candor: &Path) -> TokenStream {
    let (description, kind, required) = (&spec.description, kind(spec, candor), required(spec, candor));
    let raw = option(match &spec.policy {
        Policy::Raw { reason, .. } => Some(reason),
        _ => None,
    });
    let example = option(spec.example.as_ref().map(|given| &given.value));
    let since = option(spec.since.as_ref());
    quote! {
        #candor::schema::FieldSchema::new(#name, #description, #kind, #required).with(#raw, #example, #since)
    }
}

/// Returns the schemas of all properties, in the order of the fields.
pub(crate) fn properties(specs: &[Spec], candor: &Path) -> TokenStream {
    let fields = specs.iter().filter(|spec| is_property(spec)).map(|spec| named(spec, &spec.name, candor));
    quote!(const { &[#(#fields),*] })
}

fn kind(spec: &Spec, candor: &Path) -> TokenStream {
    let one = one(spec, candor);
    match spec.items {
        Some(max) => quote!(#candor::schema::FieldType::List { of: const { &#one }, max: #max }),
        None => one,
    }
}

fn one(spec: &Spec, candor: &Path) -> TokenStream {
    let kind = quote!(#candor::schema::FieldType);
    let text = quote!(#candor::schema::TextPolicy);
    let by = trait_of(spec, candor);
    match &spec.policy {
        Policy::Typed if identifies(spec) => quote!(#by::IDENTIFIER_KIND),
        Policy::Typed => quote!(#by::KIND),
        Policy::Hashed(prefix) => {
            quote!(#kind::Text(#text::Hashed { prefix: ::core::option::Option::Some(#prefix) }))
        }
        Policy::Hex(digits) => quote!(#kind::Text(#text::Hex { digits: #digits })),
        Policy::Keyed(prefix) => quote!(#kind::Text(#text::Keyed { prefix: #prefix })),
        Policy::Pattern { pattern, max, other } => {
            let (name, other) = (pattern_name(pattern), option(other.as_deref()));
            quote!(#kind::Text(#text::Pattern { pattern: &#name, max: #max, other: #other }))
        }
        Policy::Label(label) => {
            let labels = by_bound(label, &quote!(#candor::Label));
            quote!(#kind::Label(&#labels::LABELS))
        }
        Policy::Raw { max, pattern, .. } => {
            let pattern = option(pattern.as_ref().map(pattern_name).map(|name| quote!(&#name)));
            quote!(#candor::__private::raw_kind(#by::KIND, #max, #pattern))
        }
        Policy::Bucket { bounds, unit } => {
            let labels = bucket_labels(bounds);
            let unit = option(unit.map(|unit| {
                let unit = format_ident!("{}", unit.variant());
                quote!(#candor::schema::Unit::#unit)
            }));
            quote!(#kind::Bucket { labels: &[#(#labels),*], unit: #unit })
        }
        Policy::Duration(unit) => {
            let unit = format_ident!("{}", unit.variant());
            quote!(#kind::Duration { unit: #candor::schema::Unit::#unit })
        }
        Policy::Number => quote!(#kind::ZeroOrOne),
    }
}

fn required(spec: &Spec, candor: &Path) -> TokenStream {
    let optional = optional(spec, candor);
    match &spec.policy {
        Policy::Label(label) if spec.items.is_none() => {
            let labels = by_bound(label, &quote!(#candor::Label));
            quote!(!#optional && #labels::LABELS.other().is_some())
        }
        _ => quote!(!#optional),
    }
}

/// Returns an expression that tells whether the value can be absent.
pub(crate) fn optional(spec: &Spec, candor: &Path) -> TokenStream {
    let by = match spec.items {
        Some(_) => by_bound(&spec.ty, &quote!(#candor::__private::Items)),
        None => trait_of(spec, candor),
    };
    let is_identifier = matches!(spec.policy, Policy::Typed) && spec.items.is_none() && identifies(spec);
    if is_identifier { quote!(#by::IDENTIFIER_OPTIONAL) } else { quote!(#by::OPTIONAL) }
}
