//! The expressions that write the values of fields.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::attributes::quote_json;
use crate::field::{Role, Spec};
use crate::parts::pattern_name;
use crate::policy::{Policy, Unit};

/// Returns an expression that implements `Encode` for the field of `self`.
pub(crate) fn value(spec: &Spec, candor: &Path) -> TokenStream {
    let private = quote!(#candor::__private);
    // With the span of the type, so the compiler points at the field.
    let span = spec.ty.span();
    let (receiver, ident) = (quote_spanned!(Span::call_site().located_at(span)=> &self), &spec.ident);
    let whole = quote_spanned!(span=> #receiver.#ident);
    let put = match spec.items {
        Some(max) => {
            let (bound, item) =
                (by_bound(&spec.ty, &quote!(#private::Items)), write(spec, candor, &quote!(item)));
            let each = quote_spanned!(Span::call_site().located_at(span)=> |item, writer|);
            quote!(#bound::write_items(#whole, #max, #each #item, writer))
        }
        None => write(spec, candor, &whole),
    };
    if matches!(spec.policy, Policy::Typed) && spec.items.is_none() && !identifies(spec) {
        let by = trait_of(spec, candor);
        return quote! {
            &#private::write_typed(
                |writer: &mut #private::ValueWriter<'_>| #put,
                || #by::switch_field(#whole),
            )
        };
    }
    quote!(&#private::write_with(|writer: &mut #private::ValueWriter<'_>| #put))
}

/// Returns an expression that writes one value into `writer` with a method of the trait that its policy requires.
///
/// The schema uses the same trait for the same type, so a type that lacks it is reported only once.
fn write(spec: &Spec, candor: &Path, value: &TokenStream) -> TokenStream {
    let by = trait_of(spec, candor);
    match &spec.policy {
        Policy::Typed if identifies(spec) => quote!(#by::write_identifier(#value, writer)),
        Policy::Typed => quote!(#by::write_field(#value, writer)),
        Policy::Hashed(prefix) => quote!(#by::write_hashed(#value, #prefix, writer)),
        Policy::Hex(digits) => quote!(#by::write_hashed_hex(#value, #digits, writer)),
        Policy::Keyed(prefix) => quote!(#by::write_keyed(#value, #prefix, writer)),
        Policy::Pattern { pattern, max, other } => {
            let (name, other) = (pattern_name(pattern), option(other.as_deref()));
            quote!(#by::write_pattern(#value, &#name, #max, #other, writer))
        }
        Policy::Label(label) => {
            let labels = by_bound(label, &quote!(#candor::Label));
            quote!(#by::write_label(#value, &#labels::LABELS, writer))
        }
        Policy::Raw { max, pattern, is_limited, .. } => {
            let pattern = option(pattern.as_ref().map(pattern_name).map(|name| quote!(&#name)));
            let write = if *is_limited {
                quote_spanned!(spec.ty.span()=> #candor::__private::write_raw_text)
            } else {
                quote!(#by::write_raw)
            };
            quote!(#write(#value, #max, #pattern, writer))
        }
        Policy::Bucket { bounds, unit } => {
            let labels = bucket_labels(bounds).into_iter().map(|label| quote_json(&label));
            let (bounds, labels) = (quote!(&[#(#bounds),*]), quote!(&[#(#labels),*]));
            match unit {
                Some(unit) => {
                    let unit = unit_of(candor, *unit);
                    quote!(#by::write_duration_bucket(#value, #unit, #bounds, #labels, writer))
                }
                None => quote!(#by::write_bucket(#value, #bounds, #labels, writer)),
            }
        }
        Policy::Duration(unit) => {
            let unit = unit_of(candor, *unit);
            quote!(#by::write_duration(#value, #unit, writer))
        }
        Policy::Number => quote!(#by::write_zero_or_one(#value, writer)),
    }
}

/// Returns the trait that the policy requires of a value.
pub(crate) fn bound(spec: &Spec, candor: &Path) -> TokenStream {
    let private = quote!(#candor::__private);
    match &spec.policy {
        Policy::Typed if identifies(spec) => quote!(#candor::encode::Identifier),
        Policy::Typed => quote!(#candor::encode::Field),
        Policy::Hashed(_) | Policy::Hex(_) | Policy::Keyed(_) => quote!(#private::Hashable),
        Policy::Pattern { .. } | Policy::Label(_) => quote!(#private::Text),
        Policy::Raw { .. } => quote!(#private::Raw),
        Policy::Number => quote!(#private::Switch),
        Policy::Duration(_) | Policy::Bucket { unit: Some(_), .. } => quote!(#private::DurationField),
        Policy::Bucket { unit: None, .. } => quote!(#private::IntegerField),
    }
}

/// Returns the trait that a generic value must have.
pub(crate) fn needed(spec: &Spec, candor: &Path) -> TokenStream {
    match &spec.policy {
        Policy::Raw { is_limited: true, .. } => quote!(#candor::__private::RawText),
        _ => bound(spec, candor),
    }
}

/// Returns `<Type as Trait>` for one item, or for the field if it is not a list.
pub(crate) fn trait_of(spec: &Spec, candor: &Path) -> TokenStream {
    let (ty, bound) = (&spec.ty, bound(spec, candor));
    if spec.items.is_none() {
        return by_bound(ty, &bound);
    }
    let list = by_bound(ty, &quote!(#candor::__private::Items));
    by_bound(&quote_spanned!(ty.span()=> #list::Item), &bound)
}

/// Returns `<Type as Trait>` with the span of the type.
pub(crate) fn by_bound(ty: &impl ToTokens, bound: &TokenStream) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as #bound>)
}

/// Returns whether the field identifies someone, so its value must be safe as an identifier.
pub(crate) fn identifies(spec: &Spec) -> bool {
    spec.is_identifier() || !matches!(spec.role, Role::Property)
}

fn unit_of(candor: &Path, unit: Unit) -> TokenStream {
    let unit = format_ident!("{}", unit.variant());
    quote!(#candor::schema::Unit::#unit)
}

/// Returns an option as an expression.
pub(crate) fn option<T: quote::ToTokens>(value: Option<T>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// Returns the labels of the buckets, one more than there are bounds.
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
