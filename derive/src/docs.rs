//! Text for the catalogue, taken word for word from doc comments.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of a doc comment.
#[derive(Default)]
pub(crate) struct Docs {
    /// The first paragraph: the description.
    pub(crate) first: String,
    /// The other paragraphs: why it is sent.
    pub(crate) rest: String,
}

impl Docs {
    /// Reads the doc comment from the attributes and joins the lines of each paragraph.
    pub(crate) fn read(attributes: &[Attribute]) -> Self {
        let mut paragraphs = vec![String::new()];
        for line in attributes.iter().filter_map(line) {
            for line in line.lines().map(str::trim) {
                if line.is_empty() {
                    paragraphs.push(String::new());
                } else if let Some(paragraph) = paragraphs.last_mut() {
                    if !paragraph.is_empty() {
                        paragraph.push(' ');
                    }
                    paragraph.push_str(line);
                }
            }
            if line.trim().is_empty() {
                paragraphs.push(String::new());
            }
        }
        let mut filled = paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty());
        Self { first: filled.next().unwrap_or_default(), rest: filled.collect::<Vec<_>>().join(" ") }
    }
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}
