//! `#[derive(Properties)]`: every value is written under its field's policy.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Result};

use crate::bounds::bounded;
use crate::container::Container;
use crate::event::member_name;
use crate::field::Role;
use crate::parts::{fields, is_property, patterns};
use crate::schema;
use crate::value::value;

/// Generates the implementations.
pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let container = Container::properties(&input.attrs)?;
    let candor = container.candor();
    let specs = fields(input, &container, "properties")?;
    if let Some(spec) = specs.iter().find(|spec| !matches!(spec.role, Role::Property | Role::Skip)) {
        return Err(Error::new(
            spec.span,
            "only an event can have a distinct id, groups, a timestamp and a uuid",
        ));
    }
    let generics = bounded(&input.generics, &specs, &candor);
    let (implement, types, clause) = generics.split_for_impl();
    let (ident, patterns) = (&input.ident, patterns(&specs, &candor));
    let schemas = schema::properties(&specs, &candor);
    let members = specs.iter().filter(|spec| is_property(spec)).map(|spec| {
        let (name, value) = (member_name(&spec.name, &candor), value(spec, &candor));
        quote!(object.field(#name, #value);)
    });
    Ok(quote! {
        const _: () = {
            #patterns

            #[automatically_derived]
            impl #implement #candor::__private::Encode for #ident #types #clause {
                #[inline]
                fn write(&self, writer: &mut #candor::__private::ValueWriter<'_>) -> #candor::__private::Written {
                    writer.object(|object| {
                        let _ = &object;
                        #(#members)*
                    })
                }
            }

            #[automatically_derived]
            impl #implement #candor::encode::Field for #ident #types #clause {
                const KIND: #candor::schema::FieldType =
                    #candor::schema::FieldType::Object(<Self as #candor::Properties>::FIELDS);
            }

            #[automatically_derived]
            impl #implement #candor::Properties for #ident #types #clause {
                const FIELDS: &'static [#candor::schema::FieldSchema] = #schemas;
            }
        };
    })
}
