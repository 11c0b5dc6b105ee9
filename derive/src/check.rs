//! Checks on a field that need only the source. Types that the source does not reveal are left to the trait bounds.

use syn::{Error, Result};

use crate::field::{Role, Spec};
use crate::policy::Policy;
use crate::types::{last_name_through_option, unsafe_inside};

/// Checks one field.
pub(crate) fn field(spec: &Spec) -> Result<()> {
    if matches!(spec.role, Role::Skip | Role::Timestamp | Role::Uuid) {
        return Ok(());
    }
    text(spec)?;
    list(spec)?;
    identifier(spec)?;
    distinct_id(spec)
}

fn text(spec: &Spec) -> Result<()> {
    if !matches!(spec.policy, Policy::Typed) {
        return Ok(());
    }
    let Some(found) = unsafe_inside(&spec.ty) else { return Ok(()) };
    Err(Error::new_spanned(
        &spec.ty,
        format!(
            "the field `{}` has the type `{found}`, which can hold anything, so it may not leave the machine as it is; make \
             it safe in one of three ways: `#[event(hashed = \"prefix\")]` sends a hash, \
             `#[event(pattern = \"[a-z]+\", max = 32)]` sends matching text and drops the rest, \
             `#[event(raw = \"reason\")]` sends it as it is and shows the reason in the catalogue",
            spec.ident
        ),
    ))
}

fn list(spec: &Spec) -> Result<()> {
    let is_list = matches!(last_name_through_option(&spec.ty).as_deref(), Some("Vec" | "VecDeque" | "["));
    if is_list && spec.items.is_none() {
        return Err(Error::new_spanned(
            &spec.ty,
            format!(
                "the list `{}` is unbounded: set the maximum number of items, as in `#[event(items = 16)]`",
                spec.ident
            ),
        ));
    }
    Ok(())
}

fn identifier(spec: &Spec) -> Result<()> {
    let is_safe = matches!(
        spec.policy,
        Policy::Hashed(_) | Policy::Hex(_) | Policy::Keyed(_) | Policy::Raw { .. } | Policy::Typed
    );
    if is_safe || !spec.is_identifier() {
        return Ok(());
    }
    Err(Error::new(
        spec.span,
        format!(
            "the field `{}` identifies someone, judging by its name; use `hashed = \"prefix\"` or \
             `keyed = \"prefix\"`, or give a reason with `raw = \"reason\"`, which the catalogue shows",
            spec.ident
        ),
    ))
}

fn distinct_id(spec: &Spec) -> Result<()> {
    let what = match &spec.role {
        Role::DistinctId { .. } => "distinct id",
        Role::Group(_) => "group key",
        _ => return Ok(()),
    };
    let is_text = !matches!(spec.policy, Policy::Bucket { .. } | Policy::Duration(_) | Policy::Number);
    if spec.items.is_some() || !is_text {
        return Err(Error::new(
            spec.span,
            format!("a {what} is a single text: `items`, `buckets`, `as_number` and durations do not apply"),
        ));
    }
    Ok(())
}
