//! Names as they are sent.
//!
//! Never lets a name through that JSON would have to escape.

use proc_macro2::Span;
use syn::{Error, Result};

/// How identifiers are spelt when they are sent.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Snake,
    Kebab,
    Camel,
    Pascal,
    ScreamingSnake,
    Lower,
    Upper,
}

impl Case {
    /// Reads the name of a rule.
    pub(crate) fn parse(text: &str, span: Span) -> Result<Self> {
        Ok(match text {
            "snake_case" => Self::Snake,
            "kebab-case" => Self::Kebab,
            "camelCase" => Self::Camel,
            "PascalCase" => Self::Pascal,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            _ => {
                return Err(Error::new(
                    span,
                    "`rename_all` is `snake_case`, `kebab-case`, `camelCase`, `PascalCase`, \
                     `SCREAMING_SNAKE_CASE`, `lowercase` or `UPPERCASE`",
                ));
            }
        })
    }

    /// Spells an identifier of either convention.
    pub(crate) fn apply(self, identifier: &str) -> String {
        let words = words(identifier);
        let capital = |word: &String| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        };
        match self {
            Self::Snake => words.join("_"),
            Self::Kebab => words.join("-"),
            Self::Lower => words.concat(),
            Self::Upper => words.concat().to_uppercase(),
            Self::ScreamingSnake => words.join("_").to_uppercase(),
            Self::Pascal => words.iter().map(capital).collect::<Vec<String>>().concat(),
            Self::Camel => {
                let rest: Vec<String> = words.iter().skip(1).map(capital).collect();
                words.first().cloned().unwrap_or_default() + &rest.concat()
            }
        }
    }
}

/// Splits an identifier into words in lower case: at underscores, and before a capital.
fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    let mut letters = identifier.trim_start_matches("r#").chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_lower = letters.peek().is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase()
            && (before.is_lowercase() || before.is_ascii_digit() || (before.is_uppercase() && next_is_lower));
        if letter == '_' || begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Checks a name that is sent: 1 to 200 characters that JSON need not escape, not blank at its ends.
pub(crate) fn check(name: &str, what: &str, span: Span) -> Result<()> {
    let wrong = if name.trim() != name || name.is_empty() {
        "is empty, or begins or ends with white space"
    } else if name.chars().count() > 200 {
        "has more than 200 characters"
    } else if name.chars().any(|character| character.is_control() || matches!(character, '"' | '\\')) {
        "holds a quote, a backslash or a control character"
    } else {
        return Ok(());
    };
    Err(Error::new(span, format!("the {what} `{}` {wrong}", name.escape_debug())))
}

/// Checks the name of a property: some are the library's own.
pub(crate) fn check_property(name: &str, span: Span) -> Result<()> {
    check(name, "name", span)?;
    let instead = match name {
        "$groups" => "use `#[event(group = \"..\")]` on a field",
        "$lib" | "$lib_version" => "use `Config::library`",
        _ => return Ok(()),
    };
    Err(Error::new(span, format!("the property `{name}` is set by the library: {instead}")))
}

/// Checks a prefix of hashes: letters and digits.
pub(crate) fn check_prefix(prefix: &str, span: Span) -> Result<()> {
    if prefix.chars().all(|character| character.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(Error::new(span, "a prefix has letters and digits only, as in `hashed = \"usr\"`"))
    }
}

/// Returns whether a field of this name identifies someone or something.
pub(crate) fn identifies(name: &str) -> bool {
    ["_id", "_by", "Id", "By", "-id", "-by", "_ID", "_BY"].iter().any(|end| name.ends_with(end))
}
