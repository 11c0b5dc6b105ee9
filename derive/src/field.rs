//! The attributes of a field: `#[event(...)]` and `#[properties(...)]`. `check` then judges the field's type.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{Error, Field, Ident, Result, Type};

use crate::attributes::{Given, json, number, once, rising, text};
use crate::container::Container;
use crate::docs::Docs;
use crate::known;
use crate::names;
use crate::policy::{PatternSource, Policy, Unit};
use crate::types::last_name_inside;

/// The default maximum length of text that matches a pattern.
const PATTERN_MAX: usize = 64;
/// The default maximum length of raw text.
const RAW_MAX: usize = 1000;

/// What a field is for.
#[derive(PartialEq)]
pub(crate) enum Role {
    Property,
    DistinctId { is_property: bool },
    Group(String),
    Timestamp,
    Uuid,
    Skip,
}

/// One field with its parsed attributes.
pub(crate) struct Spec {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The name under which it is sent.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) role: Role,
    pub(crate) policy: Policy,
    /// The maximum number of items of a list.
    pub(crate) items: Option<usize>,
    pub(crate) example: Option<Given<String>>,
    pub(crate) since: Option<String>,
    pub(crate) span: Span,
}

/// The attributes of a field as written, before they are checked against each other.
#[derive(Default)]
struct Written {
    distinct_id: Option<Given<()>>,
    property: Option<Given<()>>,
    group: Option<Given<String>>,
    timestamp: Option<Given<()>>,
    uuid: Option<Given<()>>,
    skip: Option<Given<()>>,
    hashed: Option<Given<String>>,
    hashed_hex: Option<Given<usize>>,
    keyed: Option<Given<String>>,
    pattern: Option<Given<String>>,
    max: Option<Given<usize>>,
    other: Option<Given<String>>,
    raw: Option<Given<String>>,
    label: Option<Given<Type>>,
    items: Option<Given<usize>>,
    buckets: Option<Given<Vec<i64>>>,
    as_number: Option<Given<()>>,
    rename: Option<Given<String>>,
    example: Option<Given<String>>,
    since: Option<Given<String>>,
}

impl Spec {
    /// Parses a field; `index` is its position in the struct.
    pub(crate) fn read(field: &Field, index: usize, container: &Container) -> Result<Self> {
        let ident = field.ident.clone().ok_or_else(|| Error::new_spanned(field, "expected a named field"))?;
        let span = ident.span();
        let mut written = Written::default();
        for attribute in &field.attrs {
            if attribute.path().is_ident("event") || attribute.path().is_ident("properties") {
                attribute.parse_nested_meta(|meta| written.entry(&meta))?;
            }
        }
        let name = match &written.rename {
            Some(given) => given.value.clone(),
            None => container.spell(&ident.to_string()),
        };
        names::check_property(&name, span)?;
        let role = written.role(span)?;
        written.has_effect(&role)?;
        let is_distinct_id = matches!(role, Role::DistinctId { .. });
        let policy = written.policy(index, &name, &field.ty, is_distinct_id)?;
        Ok(Self {
            ident,
            ty: field.ty.clone(),
            name,
            description: Docs::read(&field.attrs).first,
            role,
            policy,
            items: written.items.map(|given| given.value),
            example: written.example,
            since: written.since.map(|given| given.value),
            span,
        })
    }

    /// Returns whether the name, in the source or as sent, suggests an identifier.
    pub(crate) fn is_identifier(&self) -> bool {
        names::identifies(&self.ident.to_string()) || names::identifies(&self.name)
    }
}

impl Written {
    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let Some(name) = meta.path.get_ident().map(ToString::to_string) else {
            return Err(meta.error("unknown attribute of a field"));
        };
        known::has_value(meta, known::FIELD)?;
        match name.as_str() {
            "distinct_id" => once(&mut self.distinct_id, meta, ()),
            "property" => once(&mut self.property, meta, ()),
            "group" => once(&mut self.group, meta, text(meta)?),
            "timestamp" => once(&mut self.timestamp, meta, ()),
            "uuid" => once(&mut self.uuid, meta, ()),
            "skip" => once(&mut self.skip, meta, ()),
            "hashed" => once(&mut self.hashed, meta, text(meta)?),
            "hashed_hex" => once(&mut self.hashed_hex, meta, number(meta, 8, 64)?),
            "keyed" => once(&mut self.keyed, meta, text(meta)?),
            "pattern" => once(&mut self.pattern, meta, text(meta)?),
            "max" => once(&mut self.max, meta, number(meta, 1, 10_000)?),
            "other" => once(&mut self.other, meta, text(meta)?),
            "raw" => once(&mut self.raw, meta, text(meta)?),
            "label" => once(&mut self.label, meta, meta.value()?.parse()?),
            "items" => once(&mut self.items, meta, number(meta, 1, 10_000)?),
            "buckets" => once(&mut self.buckets, meta, rising(meta)?),
            "as_number" => once(&mut self.as_number, meta, ()),
            "rename" => once(&mut self.rename, meta, text(meta)?),
            "example" => once(&mut self.example, meta, json(meta)?),
            "since" => once(&mut self.since, meta, text(meta)?),
            _ => Err(known::unknown(
                meta,
                known::FIELD,
                "a field accepts `distinct_id`, `property`, `group`, `timestamp`, `uuid`, `skip`; `hashed`, \
                 `hashed_hex`, `keyed`, `pattern` with `max` and `other`, `label`, `raw`; `items`, `buckets`, \
                 `as_number`; `rename`, `example`, `since`",
            )),
        }
    }

    fn role(&self, span: Span) -> Result<Role> {
        let roles = [
            self.distinct_id.is_some(),
            self.group.is_some(),
            self.timestamp.is_some(),
            self.uuid.is_some(),
            self.skip.is_some(),
        ];
        if roles.iter().filter(|given| **given).count() > 1 {
            return Err(Error::new(
                span,
                "a field can be only one of `distinct_id`, `group`, `timestamp`, `uuid` and `skip`",
            ));
        }
        if self.property.is_some() && self.distinct_id.is_none() {
            return Err(Error::new(
                span,
                "`property` applies only to a `distinct_id`; other fields are properties anyway",
            ));
        }
        if let Some(kind) = &self.group {
            names::check(&kind.value, "group type", kind.span)?;
            return Ok(Role::Group(kind.value.clone()));
        }
        Ok(if self.distinct_id.is_some() {
            Role::DistinctId { is_property: self.property.is_some() }
        } else if self.timestamp.is_some() {
            Role::Timestamp
        } else if self.uuid.is_some() {
            Role::Uuid
        } else if self.skip.is_some() {
            Role::Skip
        } else {
            Role::Property
        })
    }

    /// Checks that every attribute has an effect on a field of this role.
    fn has_effect(&self, role: &Role) -> Result<()> {
        let span = |given: &Option<Given<String>>| given.as_ref().map(|given| given.span);
        let rename = span(&self.rename);
        let (useless, why) = match role {
            Role::Property | Role::DistinctId { is_property: true } => return Ok(()),
            Role::DistinctId { .. } => (rename, "a distinct id has a name only with `property`"),
            Role::Group(_) => (rename, "a group is sent under its type"),
            Role::Timestamp | Role::Uuid | Role::Skip => {
                let limits = [&self.max, &self.items].map(|given| given.as_ref().map(|given| given.span));
                let texts = [&self.other, &self.example, &self.since].map(span);
                let all = self.policies().into_iter().chain(limits).chain(texts).chain([rename]);
                (all.flatten().next(), "the field is not sent as a property")
            }
        };
        match useless {
            Some(span) => {
                Err(Error::new(span, format!("this attribute has no effect, because {why}: remove it")))
            }
            None => Ok(()),
        }
    }

    fn policy(&self, index: usize, name: &str, ty: &Type, is_distinct_id: bool) -> Result<Policy> {
        self.one_policy()?;
        let pattern = self.pattern.as_ref().map(|given| PatternSource {
            source: given.value.clone(),
            span: given.span,
            index,
        });
        let max = |default| self.max.as_ref().map_or(default, |given| given.value);
        if let Some(given) = &self.raw {
            // An event whose distinct id is too long is rejected later, with its own loss reason.
            let default = if is_distinct_id { 10_000 } else { RAW_MAX };
            let is_limited = self.max.is_some() || pattern.is_some();
            return Ok(Policy::Raw { reason: given.value.clone(), max: max(default), pattern, is_limited });
        }
        if let Some(given) = &self.hashed {
            names::check_prefix(&given.value, given.span)?;
            return Ok(Policy::Hashed(given.value.clone()));
        }
        if let Some(given) = &self.keyed {
            names::check_prefix(&given.value, given.span)?;
            return Ok(Policy::Keyed(given.value.clone()));
        }
        if let Some(given) = &self.hashed_hex {
            return Ok(Policy::Hex(given.value));
        }
        if let Some(pattern) = pattern {
            let other = self.other.as_ref().map(|given| given.value.clone());
            return Ok(Policy::Pattern { pattern, max: max(PATTERN_MAX), other });
        }
        if let Some(given) = &self.label {
            return Ok(Policy::Label(Box::new(given.value.clone())));
        }
        if self.as_number.is_some() {
            return Ok(Policy::Number);
        }
        let unit = duration(name, ty)?;
        Ok(match (&self.buckets, unit) {
            (Some(bounds), unit) => Policy::Bucket { bounds: bounds.value.clone(), unit },
            (None, Some(unit)) => Policy::Duration(unit),
            (None, None) => Policy::Typed,
        })
    }

    /// Returns the spans of all policies; `raw` and `pattern` together count as one.
    fn policies(&self) -> [Option<Span>; 8] {
        [
            self.hashed.as_ref().map(|given| given.span),
            self.hashed_hex.as_ref().map(|given| given.span),
            self.keyed.as_ref().map(|given| given.span),
            self.pattern.as_ref().filter(|_| self.raw.is_none()).map(|given| given.span),
            self.raw.as_ref().map(|given| given.span),
            self.label.as_ref().map(|given| given.span),
            self.buckets.as_ref().map(|given| given.span),
            self.as_number.as_ref().map(|given| given.span),
        ]
    }

    fn one_policy(&self) -> Result<()> {
        if let Some(second) = self.policies().into_iter().flatten().nth(1) {
            return Err(Error::new(
                second,
                "a field can have only one policy, except that `raw` and `pattern` can be combined",
            ));
        }
        if let Some(given) = self.max.as_ref().filter(|_| self.pattern.is_none() && self.raw.is_none()) {
            return Err(Error::new(given.span, "`max` applies only together with `pattern` or `raw`"));
        }
        if let Some(given) = self.other.as_ref().filter(|_| self.pattern.is_none() || self.raw.is_some()) {
            return Err(Error::new(
                given.span,
                "`other` applies only together with `pattern`, and not with `raw`",
            ));
        }
        if let Some(given) = &self.other {
            names::check(&given.value, "text", given.span)?;
        }
        Ok(())
    }
}

/// Returns the unit of a field of type `Duration`, which its name must end with.
fn duration(name: &str, ty: &Type) -> Result<Option<Unit>> {
    if last_name_inside(ty).is_none_or(|ident| ident != "Duration") {
        return Ok(None);
    }
    Unit::of_name(name).map(Some).ok_or_else(|| {
        Error::new_spanned(
            ty,
            format!(
                "the duration `{name}` does not name its unit: end the name with `_us`, `_ms`, `_seconds`, \
                 `_minutes`, `_hours` or `_days`"
            ),
        )
    })
}
