//! What is wrong with a field, as far as the source tells.
//!
//! Never accepts a type: what it cannot see through is left to the trait bounds.

use quote::ToTokens;
use syn::{Error, GenericArgument, Ident, PathArguments, Result, Type};

use crate::field::{Role, Spec};
use crate::policy::Policy;

/// Types of the standard library that hold text, places or addresses. Names that an application may well give to
/// a type of its own are left out: the trait bounds see those.
const UNSAFE: [&str; 13] = [
    "String",
    "str",
    "OsString",
    "OsStr",
    "CString",
    "CStr",
    "PathBuf",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
];

/// Types of the standard library that hold another.
const WRAPPERS: [&str; 6] = ["Option", "Vec", "Box", "Cow", "Arc", "Rc"];

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
            "the field `{}` is a `{found}`, which can hold anything, and may not leave the machine as it is; make \
             it safe in one of three ways: `#[event(hashed = \"prefix\")]` sends a hash, \
             `#[event(pattern = \"[a-z]+\", max = 32)]` sends what matches and drops the rest, \
             `#[event(raw = \"reason\")]` sends it as it is and tells the reason to everybody",
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
                "the list `{}` has no bound: say how many items are sent at most, as in `#[event(items = 16)]`",
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
            "the field `{}` identifies someone by its name; use `hashed = \"prefix\"` or `keyed = \"prefix\"`, or \
             `raw = \"reason\"`, which the catalogue shows",
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
        return Err(Error::new(spec.span, format!("a {what} is one text")));
    }
    Ok(())
}

/// Returns the name of a type that can hold anything, at whatever depth.
fn unsafe_inside(ty: &Type) -> Option<String> {
    match ty {
        Type::Reference(reference) => unsafe_inside(&reference.elem),
        Type::Slice(slice) => unsafe_inside(&slice.elem),
        Type::Array(array) => unsafe_inside(&array.elem),
        Type::Paren(inner) => unsafe_inside(&inner.elem),
        Type::Group(inner) => unsafe_inside(&inner.elem),
        Type::Tuple(_) | Type::TraitObject(_) => Some(written(ty)),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if UNSAFE.iter().any(|name| last.ident == name) {
                return Some(last.ident.to_string());
            }
            if !WRAPPERS.iter().any(|name| last.ident == name) {
                return None;
            }
            arguments(&last.arguments).find_map(unsafe_inside)
        }
        _ => None,
    }
}

/// Writes a type as people do: tokens by themselves have a blank around each.
fn written(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(" :: ", "::").replace(" ,", ",")
}

/// Returns the last name of a type, seen through references and `Option`.
pub(crate) fn last_name_inside(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Reference(reference) => last_name_inside(&reference.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if last.ident == "Option" {
                return arguments(&last.arguments).find_map(last_name_inside);
            }
            Some(last.ident.clone())
        }
        _ => None,
    }
}

fn last_name_through_option(ty: &Type) -> Option<String> {
    match ty {
        Type::Reference(reference) if matches!(*reference.elem, Type::Slice(_)) => Some("[".to_owned()),
        Type::Reference(reference) => last_name_through_option(&reference.elem),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option") => {
            let last = path.path.segments.last()?;
            arguments(&last.arguments).find_map(last_name_through_option)
        }
        _ => last_name_inside(ty).map(|ident| ident.to_string()),
    }
}

fn arguments(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let list = match arguments {
        PathArguments::AngleBracketed(list) => Some(&list.args),
        _ => None,
    };
    list.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
