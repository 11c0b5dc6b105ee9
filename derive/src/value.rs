//! How a field is written.
//!
//! Never copies the value, never allocates.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::attributes::quote_json;
use crate::check;
use crate::field::{Role, Spec};
use crate::parts::pattern_name;
use crate::policy::{Policy, Unit};

/// Returns an expression that implements `Encode` for the field of `self`.
pub(crate) fn value(spec: &Spec, candor: &Path) -> TokenStream {
    let private = quote!(#candor::__private);
    let ident = &spec.ident;
    // In the place of the type, so that the compiler points at the field.
    let whole = quote_spanned!(spec.ty.span()=> &self.#ident);
    if let Some(max) = spec.items {
        let item = write(spec, candor, &quote!(item));
        return quote! { &#private::list(#whole, #max, |item, writer| #item) };
    }
    if matches!(spec.policy, Policy::Typed) {
        return typed(spec, candor, &whole);
    }
    let put = write(spec, candor, &whole);
    quote! { &#private::write_with(|writer: &mut #private::ValueWriter<'_>| #put) }
}

/// Returns a value whose type must say that it is safe.
fn typed(spec: &Spec, candor: &Path, value: &TokenStream) -> TokenStream {
    let identifies = check::is_identifier(spec) || !matches!(spec.role, Role::Property);
    let bound = if identifies { format_ident!("identifier") } else { format_ident!("typed") };
    quote_spanned! {spec.ty.span()=> #candor::__private::#bound(#value) }
}

/// Returns an expression that writes one value into `slot`.
fn write(spec: &Spec, candor: &Path, value: &TokenStream) -> TokenStream {
    let private = quote!(#candor::__private);
    match &spec.policy {
        Policy::Typed => {
            let typed = typed(spec, candor, value);
            quote!(#private::Encode::write(#typed, writer))
        }
        Policy::Hashed(prefix) => quote!(#private::write_hashed(#value, #prefix, writer)),
        Policy::Hex(digits) => quote!(#private::write_hashed_hex(#value, #digits, writer)),
        Policy::Keyed(prefix) => quote!(#private::write_keyed(#value, #prefix, writer)),
        Policy::Pattern { pattern, max, other } => {
            let (name, other) = (pattern_name(pattern), option(other.as_deref()));
            quote!(#private::write_pattern(#value, &#name, #max, #other, writer))
        }
        Policy::Label(label) => quote!(#private::write_label::<#label, _>(#value, writer)),
        Policy::Raw { max, pattern, .. } => {
            let pattern = option(pattern.as_ref().map(pattern_name).map(|name| quote!(&#name)));
            quote!(#private::Raw::write_raw(#value, #max, #pattern, writer))
        }
        Policy::Bucket { bounds, unit } => {
            let value = unit.map_or_else(|| value.clone(), |unit| duration(candor, value, unit));
            let labels = bucket_labels(bounds).into_iter().map(|label| quote_json(&label));
            quote!(#private::write_bucket(#value, &[#(#bounds),*], &[#(#labels),*], writer))
        }
        Policy::Duration(unit) => {
            let value = duration(candor, value, *unit);
            quote!(#private::Encode::write(#value, writer))
        }
        Policy::Number => quote!(#private::write_zero_or_one(#value, writer)),
    }
}

fn duration(candor: &Path, value: &TokenStream, unit: Unit) -> TokenStream {
    let unit = format_ident!("{}", unit.variant());
    quote!(&#candor::__private::duration(#value, #candor::Unit::#unit))
}

/// Writes an option as an expression.
pub(crate) fn option<T: quote::ToTokens>(value: Option<T>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// Returns the labels of buckets: one more than there are bounds.
pub(crate) fn bucket_labels(bounds: &[i64]) -> Vec<String> {
    let to = if bounds.iter().any(|bound| *bound < 0) { " to " } else { "-" };
    let mut labels: Vec<String> = bounds.first().map(|first| format!("<{first}")).into_iter().collect();
    for pair in bounds.windows(2) {
        if let [from, next] = pair {
            let last = next - 1;
            labels.push(if *from == last { from.to_string() } else { format!("{from}{to}{last}") });
        }
    }
    labels.extend(bounds.last().map(|last| format!(">={last}")));
    labels
}
