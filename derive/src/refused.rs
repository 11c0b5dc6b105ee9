//! What a derive generates beside an error: empty implementations, so the compiler does not complain about every use of
//! the type as well.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Lit, Meta, Path, Token, parse_quote};

/// Implements `Event` and `Catalogued` beside an error.
pub(crate) fn event(input: &DeriveInput, error: &Error) -> TokenStream {
    let (candor, error) = (candor(&input.attrs), error.to_compile_error());
    let (implement, types, clause) = input.generics.split_for_impl();
    let ident = &input.ident;
    quote! {
        #error

        #[automatically_derived]
        impl #implement #candor::schema::Catalogued for #ident #types #clause {
            const SCHEMA: &'static #candor::schema::Schema = {
                let text = #candor::schema::FieldType::Text(#candor::schema::TextPolicy::Context);
                let id = #candor::schema::FieldSchema::new("distinct_id", "", text, true);
                &#candor::schema::Schema::new("", "", "", id, &[], &[])
            };
        }

        #[automatically_derived]
        impl #implement #candor::Event for #ident #types #clause {
            fn name(&self) -> &::core::primitive::str {
                ""
            }

            fn encode(&self, _: &mut #candor::encode::Encoder<'_>) {}
        }
    }
}

/// Implements `Properties` beside an error.
pub(crate) fn properties(input: &DeriveInput, error: &Error) -> TokenStream {
    let (candor, error) = (candor(&input.attrs), error.to_compile_error());
    let (implement, types, clause) = input.generics.split_for_impl();
    let (ident, field) = (&input.ident, field(input, &quote!(Object(&[]))));
    quote! {
        #error
        #field

        #[automatically_derived]
        impl #implement #candor::Properties for #ident #types #clause {
            const FIELDS: &'static [#candor::schema::FieldSchema] = &[];
        }
    }
}

/// Implements `Label`, and `ClosedLabel` for an enum, beside an error.
pub(crate) fn label(input: &DeriveInput, error: &Error) -> TokenStream {
    let (candor, error) = (candor(&input.attrs), error.to_compile_error());
    let (implement, types, clause) = input.generics.split_for_impl();
    let ident = &input.ident;
    let field = field(input, &quote!(Label(&<Self as #candor::Label>::LABELS)));
    let closed = matches!(&input.data, Data::Enum(_) if input.generics.params.is_empty()).then(|| {
        quote! {
            #[automatically_derived]
            impl #candor::schema::ClosedLabel for #ident {
                const ALL: &'static [Self] = &[];

                fn from_label(_: &::core::primitive::str) -> ::core::option::Option<Self> {
                    ::core::option::Option::None
                }
            }
        }
    });
    quote! {
        #error
        #field
        #closed

        #[automatically_derived]
        impl #implement #candor::Label for #ident #types #clause {
            const LABELS: #candor::schema::Labels =
                #candor::schema::Labels::Closed { words: &[], other: ::core::option::Option::None };

            fn label(&self) -> &::core::primitive::str {
                ""
            }
        }
    }
}

/// Implements `Field` and what it needs.
fn field(input: &DeriveInput, kind: &TokenStream) -> TokenStream {
    let candor = candor(&input.attrs);
    let (implement, types, clause) = input.generics.split_for_impl();
    let ident = &input.ident;
    quote! {
        #[automatically_derived]
        impl #implement #candor::__private::Encode for #ident #types #clause {
            fn write(&self, _: &mut #candor::__private::ValueWriter<'_>) -> #candor::__private::Written {
                ::core::unreachable!()
            }
        }

        #[automatically_derived]
        impl #implement #candor::encode::Field for #ident #types #clause {
            const KIND: #candor::schema::FieldType = #candor::schema::FieldType::#kind;
        }
    }
}

/// Returns the path of the crate `candor`, even if other attributes are wrong.
fn candor(attributes: &[Attribute]) -> Path {
    let ours = attributes.iter().filter(|attribute| {
        ["event", "properties", "label"].iter().any(|name| attribute.path().is_ident(name))
    });
    let metas = ours.filter_map(|attribute| {
        attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()
    });
    let named = metas.flatten().find_map(|meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident("crate") => match pair.value {
            Expr::Lit(literal) => match literal.lit {
                Lit::Str(path) => path.parse().ok(),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    named.unwrap_or_else(|| parse_quote!(::candor))
}
