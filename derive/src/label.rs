//! `#[derive(Label)]`: a type that could hold free text never becomes a label.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Ident, LitStr, Path, Result, Variant, parse_quote};

use crate::attributes::{Given, number, once, quote_json, text};
use crate::docs::Docs;
use crate::names::{self, Case};
use crate::value::option;

/// The attributes of the type.
#[derive(Default)]
struct Container {
    rename_all: Option<Given<Case>>,
    pattern: Option<Given<String>>,
    max: Option<Given<usize>>,
    candor: Option<Given<Path>>,
}

impl Container {
    fn read(input: &DeriveInput) -> Result<Self> {
        let mut container = Self::default();
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("label")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename_all") {
                    let literal: LitStr = meta.value()?.parse()?;
                    once(&mut container.rename_all, &meta, Case::parse(&literal.value(), literal.span())?)
                } else if meta.path.is_ident("pattern") {
                    once(&mut container.pattern, &meta, text(&meta)?)
                } else if meta.path.is_ident("max") {
                    once(&mut container.max, &meta, number(&meta, 1, 200)?)
                } else if meta.path.is_ident("crate") {
                    let literal: LitStr = meta.value()?.parse()?;
                    once(&mut container.candor, &meta, literal.parse()?)
                } else {
                    Err(meta.error(
                        "unknown attribute: a label accepts `rename_all`, `pattern`, `max` and `crate`",
                    ))
                }
            })?;
        }
        Ok(container)
    }
}

/// Generates the implementations.
pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let container = Container::read(input)?;
    let candor: Path =
        container.candor.as_ref().map_or_else(|| parse_quote!(::candor), |given| given.value.clone());
    match (&input.data, &container.pattern) {
        (Data::Enum(data), None) => closed(input, data, &container, &candor),
        (Data::Enum(_), Some(given)) => Err(Error::new(
            given.span,
            "an enum is already a closed set of words: `pattern` applies only to a struct with one text field, as in \
             `struct Rule(String)`",
        )),
        (Data::Struct(data), Some(pattern)) => open(input, &data.fields, pattern, &container, &candor),
        _ => Err(Error::new_spanned(
            &input.ident,
            format!(
                "`{}` is not a closed set of words: a label is an enum, or a struct with one text field and \
                 `#[label(pattern = \"...\")]`",
                input.ident
            ),
        )),
    }
}

/// One variant with its word.
struct Labelled<'a> {
    ident: &'a Ident,
    word: String,
    description: String,
    is_other: bool,
}

fn labelled(variant: &Variant, case: Case) -> Result<Labelled<'_>> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new(
            variant.span(),
            format!(
                "the label `{}` holds data, which could be anything: remove the data, since a label is only a word",
                variant.ident
            ),
        ));
    }
    let (mut name, mut other) = (None, None);
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("label")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") || meta.path.is_ident("rename") {
                once(&mut name, &meta, text(&meta)?)
            } else if meta.path.is_ident("other") {
                once(&mut other, &meta, ())
            } else {
                Err(meta.error("unknown attribute: a variant of a label accepts `name` and `other`"))
            }
        })?;
    }
    let word = name.map_or_else(|| case.apply(&variant.ident.to_string()), |given| given.value);
    names::check(&word, "label", variant.span())?;
    let description = Docs::read(&variant.attrs).first;
    Ok(Labelled { ident: &variant.ident, word, description, is_other: other.is_some() })
}

fn closed(input: &DeriveInput, data: &DataEnum, container: &Container, candor: &Path) -> Result<TokenStream> {
    let case = container.rename_all.as_ref().map_or(Case::Snake, |given| given.value);
    if let Some(given) = &container.max {
        return Err(Error::new(given.span, "`max` applies only together with `pattern`"));
    }
    let mut labels: Vec<Labelled<'_>> = Vec::new();
    for variant in &data.variants {
        let label = labelled(variant, case)?;
        if labels.iter().any(|known| known.word == label.word) {
            return Err(Error::new(
                variant.span(),
                format!("two variants are sent as `{}`: rename one of them", label.word),
            ));
        }
        if label.is_other && labels.iter().any(|known| known.is_other) {
            return Err(Error::new(variant.span(), "only one variant can be `other`"));
        }
        labels.push(label);
    }
    if labels.is_empty() {
        return Err(Error::new_spanned(&input.ident, "a label needs at least one variant"));
    }
    Ok(closed_impls(input, &labels, candor))
}

fn closed_impls(input: &DeriveInput, labels: &[Labelled<'_>], candor: &Path) -> TokenStream {
    let ident = &input.ident;
    let variants: Vec<_> = labels.iter().map(|label| label.ident).collect();
    let words: Vec<_> = labels.iter().map(|label| &label.word).collect();
    let descriptions = labels.iter().map(|label| &label.description);
    let quoted = words.iter().map(|word| quote_json(word));
    let other = labels.iter().find(|label| label.is_other);
    let other_word = option(other.map(|label| &label.word));
    let other_variant = option(other.map(|label| {
        let variant = label.ident;
        quote!(Self::#variant)
    }));
    let private = quote!(#candor::__private);
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #private::Encode for #ident {
                #[inline]
                fn write(&self, writer: &mut #private::ValueWriter<'_>) -> #private::Written {
                    writer.literal(match self { #(Self::#variants => #quoted),* })
                }
            }

            #[automatically_derived]
            impl #candor::encode::Field for #ident {
                const KIND: #candor::schema::FieldType = #candor::schema::FieldType::Label(&<Self as #candor::Label>::LABELS);
            }

            #[automatically_derived]
            impl #candor::Label for #ident {
                const LABELS: #candor::schema::Labels = #candor::schema::Labels::Closed {
                    words: &[#(#candor::schema::Word::new(#words, #descriptions)),*],
                    other: #other_word,
                };

                #[inline]
                fn label(&self) -> &::core::primitive::str {
                    match self { #(Self::#variants => #words),* }
                }

                #[inline]
                fn checked(&self) -> ::core::option::Option<&::core::primitive::str> {
                    ::core::option::Option::Some(<Self as #candor::Label>::label(self))
                }
            }

            #[automatically_derived]
            impl #candor::schema::ClosedLabel for #ident {
                const ALL: &'static [Self] = &[#(Self::#variants),*];

                fn from_label(text: &::core::primitive::str) -> ::core::option::Option<Self> {
                    match text {
                        #(#words => ::core::option::Option::Some(Self::#variants),)*
                        _ => #other_variant,
                    }
                }
            }
        };
    }
}

fn open(
    input: &DeriveInput,
    fields: &Fields,
    pattern: &Given<String>,
    container: &Container,
    candor: &Path,
) -> Result<TokenStream> {
    let inner = match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    };
    let Some(inner) = inner else {
        return Err(Error::new_spanned(
            &input.ident,
            "a label with a pattern must be a struct with one text field, as in `struct Rule(String)`",
        ));
    };
    if let Some(given) = &container.rename_all {
        let text =
            "`rename_all` applies only to an enum: the text of a label with a pattern is sent as it is";
        return Err(Error::new(given.span, text));
    }
    let max = container.max.as_ref().map_or(64, |given| given.value);
    let (source, span): (&str, Span) = (&pattern.value, pattern.span);
    let (ident, ty) = (&input.ident, &inner.ty);
    let (implement, types, clause) = input.generics.split_for_impl();
    let private = quote!(#candor::__private);
    let compiled = quote::quote_spanned! {span=>
        static PATTERN: #candor::schema::Pattern = #candor::schema::Pattern::new(#source);
    };
    Ok(quote! {
        const _: () = {
            #compiled

            #[automatically_derived]
            impl #implement #private::Encode for #ident #types #clause {
                fn write(&self, writer: &mut #private::ValueWriter<'_>) -> #private::Written {
                    <#ty as #private::Text>::write_label(&self.0, &<Self as #candor::Label>::LABELS, writer)
                }
            }

            #[automatically_derived]
            impl #implement #candor::encode::Field for #ident #types #clause {
                const KIND: #candor::schema::FieldType = #candor::schema::FieldType::Label(&<Self as #candor::Label>::LABELS);
                const OPTIONAL: ::core::primitive::bool = <#ty as #private::Text>::OPTIONAL;
            }

            #[automatically_derived]
            impl #implement #candor::Label for #ident #types #clause {
                const LABELS: #candor::schema::Labels = #candor::schema::Labels::Pattern { pattern: &PATTERN, max: #max };

                fn label(&self) -> &::core::primitive::str {
                    #private::Text::text(&self.0).unwrap_or("")
                }
            }
        };
    })
}
