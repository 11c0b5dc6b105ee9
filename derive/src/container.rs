//! The attributes of a struct: `#[event(...)]` and `#[properties(...)]`.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Path, Result, parse_quote};

use crate::attributes::{Given, once, text};
use crate::known;
use crate::names::{self, Case};

/// The distinct id of every event of a type that has no field for it.
#[derive(Clone)]
pub(crate) enum EventId {
    /// A fixed id.
    Fixed(String),
    /// The distinct id of the context that is active during the capture.
    Context,
}

/// The attributes of a struct, parsed.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) name: Option<Given<String>>,
    pub(crate) distinct_id: Option<Given<EventId>>,
    pub(crate) purpose: Option<Given<&'static str>>,
    pub(crate) why: Option<Given<String>>,
    pub(crate) link: Option<Given<String>>,
    pub(crate) since: Option<Given<String>>,
    pub(crate) rename_all: Option<Given<Case>>,
    pub(crate) no_groups: Option<Given<()>>,
    candor: Option<Given<Path>>,
}

impl Container {
    /// Parses the attributes of a struct that derives `Event`.
    pub(crate) fn event(attributes: &[Attribute]) -> Result<Self> {
        Self::read(attributes, &["event"], true)
    }

    /// Parses the attributes of a struct that derives `Properties`.
    pub(crate) fn properties(attributes: &[Attribute]) -> Result<Self> {
        Self::read(attributes, &["event", "properties"], false)
    }

    fn read(attributes: &[Attribute], names: &[&str], is_event: bool) -> Result<Self> {
        let mut container = Self::default();
        for attribute in attributes {
            if names.iter().any(|name| attribute.path().is_ident(name)) {
                attribute.parse_nested_meta(|meta| container.entry(&meta, is_event))?;
            }
        }
        Ok(container)
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>, is_event: bool) -> Result<()> {
        known::has_value(meta, known::EVENT)?;
        if meta.path.is_ident("rename_all") {
            let literal: syn::LitStr = meta.value()?.parse()?;
            return once(&mut self.rename_all, meta, Case::parse(&literal.value(), literal.span())?);
        }
        if meta.path.is_ident("crate") {
            let literal: syn::LitStr = meta.value()?.parse()?;
            return once(&mut self.candor, meta, literal.parse()?);
        }
        if !is_event {
            return Err(
                meta.error("unknown attribute: a struct of properties accepts `rename_all` and `crate`")
            );
        }
        if meta.path.is_ident("name") {
            let name = meta.value()?.parse::<syn::LitStr>()?;
            names::check(&name.value(), "event name", name.span())?;
            once(&mut self.name, meta, name.value())
        } else if meta.path.is_ident("distinct_id") {
            let id = event_id(meta)?;
            once(&mut self.distinct_id, meta, id)
        } else if meta.path.is_ident("purpose") {
            let purpose = purpose(meta)?;
            once(&mut self.purpose, meta, purpose)
        } else if meta.path.is_ident("why") {
            once(&mut self.why, meta, text(meta)?)
        } else if meta.path.is_ident("link") {
            once(&mut self.link, meta, text(meta)?)
        } else if meta.path.is_ident("since") {
            once(&mut self.since, meta, text(meta)?)
        } else if meta.path.is_ident("no_groups") {
            once(&mut self.no_groups, meta, ())
        } else {
            Err(known::unknown(
                meta,
                known::EVENT,
                "an event accepts `name`, `distinct_id`, `purpose`, `why`, `link`, `since`, `rename_all`, \
                 `no_groups` and `crate`",
            ))
        }
    }

    /// Returns the path of the crate `candor`.
    pub(crate) fn candor(&self) -> Path {
        self.candor.as_ref().map_or_else(|| parse_quote!(::candor), |given| given.value.clone())
    }

    /// Returns the name under which a field is sent, unless the field is renamed.
    pub(crate) fn spell(&self, identifier: &str) -> String {
        match &self.rename_all {
            Some(case) => case.value.apply(identifier),
            None => identifier.trim_start_matches("r#").to_owned(),
        }
    }
}

/// Parses `= "text"` or `= context`.
fn event_id(meta: &ParseNestedMeta<'_>) -> Result<EventId> {
    let value = meta.value()?;
    if value.peek(syn::LitStr) {
        let id: syn::LitStr = value.parse()?;
        names::check(&id.value(), "distinct id", id.span())?;
        return Ok(EventId::Fixed(id.value()));
    }
    let word: syn::Ident = value.parse()?;
    if word == "context" {
        return Ok(EventId::Context);
    }
    Err(syn::Error::new(
        word.span(),
        "expected a fixed id, as in `distinct_id = \"nightly job\"`, or `distinct_id = context` for the id of the \
         request's context",
    ))
}

fn purpose(meta: &ParseNestedMeta<'_>) -> Result<&'static str> {
    let literal: syn::LitStr = meta.value()?.parse()?;
    match literal.value().as_str() {
        "usage" => Ok("Usage"),
        "error" => Ok("Error"),
        "update_check" => Ok("UpdateCheck"),
        _ => Err(syn::Error::new(
            literal.span(),
            "unknown purpose: expected `usage`, `error` or `update_check`",
        )),
    }
}
