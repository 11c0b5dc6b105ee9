//! Facts about a type that its source reveals. A type behind an alias is left to the trait bounds.

use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, Type};

/// Types of the standard library that hold text, paths or addresses. Names that an application is likely to use for
/// its own types are left out: the trait bounds check those.
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

/// Types of the standard library that wrap another type.
const WRAPPERS: [&str; 6] = ["Option", "Vec", "Box", "Cow", "Arc", "Rc"];

/// Returns the name of a type that can hold anything, at any depth.
pub(crate) fn unsafe_inside(ty: &Type) -> Option<String> {
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

/// Returns the type as people write it, without the spaces that tokens are printed with.
fn written(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(" :: ", "::").replace(" ,", ",")
}

/// Returns the last segment of a type's path, looking through references and `Option`.
pub(crate) fn last_name_inside(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Paren(inner) => last_name_inside(&inner.elem),
        Type::Group(inner) => last_name_inside(&inner.elem),
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

/// Returns the last segment of a type's path, looking through references and `Option`; a slice is `[`.
pub(crate) fn last_name_through_option(ty: &Type) -> Option<String> {
    match ty {
        Type::Paren(inner) => last_name_through_option(&inner.elem),
        Type::Group(inner) => last_name_through_option(&inner.elem),
        Type::Reference(reference) if matches!(*reference.elem, Type::Slice(_)) => Some("[".to_owned()),
        Type::Reference(reference) => last_name_through_option(&reference.elem),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option") => {
            let last = path.path.segments.last()?;
            arguments(&last.arguments).find_map(last_name_through_option)
        }
        _ => last_name_inside(ty).map(|ident| ident.to_string()),
    }
}

/// Returns the types in angle brackets.
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
