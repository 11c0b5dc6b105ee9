//! Parsers for the values of attributes.

use std::fmt::Write;

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitInt, LitStr, Result, Token, UnOp, bracketed};

/// A value with its span.
#[derive(Clone)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// Stores the value of an attribute that may be given only once.
pub(crate) fn once<T>(writer: &mut Option<Given<T>>, meta: &ParseNestedMeta<'_>, value: T) -> Result<()> {
    let span = meta.path.span();
    if writer.is_some() {
        return Err(Error::new(span, "this attribute is given twice: remove one of them"));
    }
    *writer = Some(Given { value, span });
    Ok(())
}

/// Parses `= "text"`; the text must not be blank.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    let literal: LitStr = meta.value()?.parse()?;
    let text = literal.value();
    if text.trim().is_empty() {
        return Err(Error::new(literal.span(), "this text must not be blank"));
    }
    Ok(text)
}

/// Parses `= 16`; the number must be within the bounds.
pub(crate) fn number(meta: &ParseNestedMeta<'_>, min: usize, max: usize) -> Result<usize> {
    let literal: LitInt = meta.value()?.parse()?;
    let number = literal.base10_parse()?;
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(Error::new(literal.span(), format!("expected a number from {min} to {max}")))
    }
}

/// Parses `= [1, 10, 100]`: whole numbers in ascending order.
pub(crate) fn rising(meta: &ParseNestedMeta<'_>) -> Result<Vec<i64>> {
    let value = meta.value()?;
    let inside;
    let bracket = bracketed!(inside in value);
    let elements = Punctuated::<Expr, Token![,]>::parse_terminated(&inside)?;
    let bounds = elements.iter().map(whole).collect::<Option<Vec<_>>>();
    match bounds {
        Some(bounds) if !bounds.is_empty() && bounds.is_sorted_by(|one, two| one < two) => Ok(bounds),
        _ => Err(Error::new(
            bracket.span.join(),
            "`buckets` takes whole numbers in ascending order, as in `buckets = [1, 10, 100]`",
        )),
    }
}

fn whole(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => literal.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => whole(expr).map(|number: i64| -number),
        _ => None,
    }
}

/// Parses `= literal` and returns it as JSON.
pub(crate) fn json(meta: &ParseNestedMeta<'_>) -> Result<String> {
    let expression: Expr = meta.value()?.parse()?;
    json_of(&expression)
        .ok_or_else(|| Error::new(expression.span(), "`example` takes a string, a number, `true` or `false`"))
}

fn json_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(quote_json(&text.value())),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Some(number.base10_digits().to_owned()),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => Some(number.base10_digits().to_owned()),
        Expr::Lit(ExprLit { lit: Lit::Bool(on), .. }) => Some(on.value().to_string()),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Some(format!("-{}", json_of(expr)?)),
        _ => None,
    }
}

/// Returns text as a JSON string, in quotes.
pub(crate) fn quote_json(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            ' '.. => json.push(character),
            _ => {
                // Writing to a `String` cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
        }
    }
    json.push('"');
    json
}
