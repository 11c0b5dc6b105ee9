//! `#[derive(Event)]`: every value is written under its field's policy.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Path, Result};

use crate::attributes::quote_json;
use crate::bounds::bounded;
use crate::container::{Container, EventId};
use crate::docs::Docs;
use crate::field::{Role, Spec};
use crate::parts::{fields, is_property, patterns};
use crate::schema;
use crate::value::{option, value};

/// Generates the implementations.
pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let container = Container::event(&input.attrs)?;
    let candor = container.candor();
    let Some(name) = container.name.as_ref().map(|given| &given.value) else {
        return Err(Error::new_spanned(
            &input.ident,
            format!(
                "the event `{}` has no name: add one with `#[event(name = \"...\")]`; renaming the type then does \
                 not change what is sent",
                input.ident
            ),
        ));
    };
    let specs = fields(input, &container, "events")?;
    roles(input, &container, &specs)?;
    let generics = bounded(&input.generics, &specs, &candor);
    let (implement, types, clause) = generics.split_for_impl();
    let (ident, patterns) = (&input.ident, patterns(&specs, &candor));
    let schema = schema_of(name, input, &container, &specs);
    let encode = encode(&container, &specs, &candor);
    Ok(quote! {
        const _: () = {
            #patterns

            #[automatically_derived]
            impl #implement #candor::schema::Catalogued for #ident #types #clause {
                const SCHEMA: &'static #candor::schema::Schema = &#schema;
            }

            #[automatically_derived]
            impl #implement #candor::Event for #ident #types #clause {
                #[inline]
                fn name(&self) -> &::core::primitive::str {
                    #name
                }

                #[inline]
                fn encode(&self, event: &mut #candor::encode::Encoder<'_>) {
                    #encode
                }

                #[inline]
                fn schema(&self) -> ::core::option::Option<&'static #candor::schema::Schema> {
                    ::core::option::Option::Some(<Self as #candor::schema::Catalogued>::SCHEMA)
                }
            }
        };
    })
}

/// Checks that the event has exactly one distinct id, at most one timestamp, one uuid and one group of each type, and no
/// groups if it has `no_groups`.
fn roles(input: &DeriveInput, container: &Container, specs: &[Spec]) -> Result<()> {
    let ids: Vec<&Spec> = specs.iter().filter(|spec| matches!(spec.role, Role::DistinctId { .. })).collect();
    if let Some(second) = ids.get(usize::from(container.distinct_id.is_none())) {
        let why = match container.distinct_id.as_ref().map(|given| &given.value) {
            Some(EventId::Context) => {
                "an event has only one distinct id: remove `distinct_id = context` and make this field an `Option`; \
                 `None` uses the id of the context"
            }
            _ => "an event has only one distinct id",
        };
        return Err(Error::new(second.span, why));
    }
    if ids.is_empty() && container.distinct_id.is_none() {
        return Err(Error::new_spanned(
            &input.ident,
            format!(
                "the event `{}` has no distinct id: mark one field with `#[event(distinct_id, hashed = \"usr\")]`, \
                 use the id of the request's context with `#[event(distinct_id = context)]`, or give the event a \
                 fixed id with `#[event(distinct_id = \"...\")]`",
                input.ident
            ),
        ));
    }
    let groups = specs.iter().find(|spec| matches!(spec.role, Role::Group(_)));
    if let (Some(group), true) = (groups, container.no_groups.is_some()) {
        return Err(Error::new(group.span, "an event with `no_groups` cannot have a `group` field"));
    }
    for (index, spec) in specs.iter().enumerate() {
        let what = match &spec.role {
            Role::Timestamp => "timestamp".to_owned(),
            Role::Uuid => "uuid".to_owned(),
            Role::Group(kind) => format!("group of the type `{kind}`"),
            Role::Property | Role::DistinctId { .. } | Role::Skip => continue,
        };
        if specs.iter().take(index).any(|before| before.role == spec.role) {
            return Err(Error::new(
                spec.span,
                format!("an event has only one {what}: remove one of the fields"),
            ));
        }
    }
    Ok(())
}

fn schema_of(name: &str, input: &DeriveInput, container: &Container, specs: &[Spec]) -> TokenStream {
    let candor = container.candor();
    let docs = Docs::read(&input.attrs);
    let description = docs.first;
    let why = container.why.as_ref().map_or(docs.rest, |given| given.value.clone());
    let own_id = specs.iter().find(|spec| matches!(spec.role, Role::DistinctId { .. }));
    let distinct_id = match own_id {
        Some(spec) => schema::named(spec, "distinct_id", &candor),
        None => event_id(container, &candor),
    };
    // An optional id falls back to the id of the context.
    let from_context = match own_id {
        Some(spec) => schema::optional(spec, &candor),
        None => quote!(false),
    };
    let groups = specs
        .iter()
        .filter(|spec| matches!(spec.role, Role::Group(_)))
        .map(|spec| schema::field(spec, &candor));
    let fields = schema::properties(specs, &candor);
    let no_groups = container.no_groups.as_ref().map(|_| quote!(.without_client_groups()));
    let purpose = match &container.purpose {
        Some(given) => quote::format_ident!("{}", given.value),
        None => quote::format_ident!("Usage"),
    };
    let link = option(container.link.as_ref().map(|given| &given.value));
    let since = option(container.since.as_ref().map(|given| &given.value));
    quote! {
        #candor::schema::Schema::new(#name, #description, #why, #distinct_id, const { &[#(#groups),*] }, #fields)
            .with(#candor::schema::Purpose::#purpose, #link, #since)
            .or_id_of_context(#from_context)
            #no_groups
    }
}

/// Returns the schema of the distinct id if no field holds it.
fn event_id(container: &Container, candor: &Path) -> TokenStream {
    let text = quote!(#candor::schema::TextPolicy);
    let policy = match container.distinct_id.as_ref().map(|given| &given.value) {
        Some(EventId::Context) => quote!(#text::Context),
        Some(EventId::Fixed(id)) => quote!(#text::Constant(#id)),
        None => quote!(#text::Constant("")),
    };
    quote!(#candor::schema::FieldSchema::new("distinct_id", "", #candor::schema::FieldType::Text(#policy), true))
}

fn encode(container: &Container, specs: &[Spec], candor: &Path) -> TokenStream {
    let constant = container.distinct_id.as_ref().and_then(|given| match &given.value {
        EventId::Fixed(id) => Some(quote!(event.distinct_id(#id);)),
        EventId::Context => None,
    });
    let no_groups = container.no_groups.as_ref().map(|_| quote!(event.without_groups();));
    let parts = specs.iter().map(|spec| part(spec, candor));
    let properties = specs.iter().filter(|spec| is_property(spec)).map(|spec| property(spec, candor));
    quote! {
        #constant
        #no_groups
        #(#parts)*
        #(#properties)*
    }
}

/// Returns the statement that writes a field other than a property: an id, a group, the timestamp or the uuid.
fn part(spec: &Spec, candor: &Path) -> TokenStream {
    let ident = &spec.ident;
    match &spec.role {
        Role::DistinctId { .. } => {
            let value = value(spec, candor);
            quote!(event.identify(#value);)
        }
        Role::Group(kind) => {
            let (value, name) = (value(spec, candor), member_name(kind, candor));
            quote!(event.group_field(#kind, #name, #value);)
        }
        Role::Timestamp => quote!(#candor::__private::set_timestamp(&self.#ident, event);),
        Role::Uuid => quote!(#candor::__private::set_uuid(&self.#ident, event);),
        Role::Property | Role::Skip => TokenStream::new(),
    }
}

fn property(spec: &Spec, candor: &Path) -> TokenStream {
    let key = &spec.name;
    if matches!(spec.role, Role::DistinctId { .. }) {
        let quoted = quoted(key);
        return quote!(event.identity(#key, #quoted););
    }
    let (name, value) = (member_name(key, candor), value(spec, candor));
    quote!(event.field(#key, #name, #value);)
}

/// Returns a name joined with its comma, its colon and either boolean, so they are written as one piece.
pub(crate) fn member_name(name: &str, candor: &Path) -> TokenStream {
    let lead = format!(",{}", quoted(name));
    let (on, off) = (format!("{lead}true"), format!("{lead}false"));
    quote!(const { #candor::__private::MemberName::new(#lead, #on, #off) })
}

/// Returns the name as it appears in JSON: in quotes, with a colon.
fn quoted(name: &str) -> String {
    quote_json(name) + ":"
}
