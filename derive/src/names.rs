//! Names as they are sent. A name that JSON would have to escape is refused.

use proc_macro2::Span;
use syn::{Error, Result};

/// The case convention of the names that are sent.
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
    /// Parses the value of `rename_all`.
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
                    "`rename_all` takes `snake_case`, `kebab-case`, `camelCase`, `PascalCase`, \
                     `SCREAMING_SNAKE_CASE`, `lowercase` or `UPPERCASE`",
                ));
            }
        })
    }

    /// Converts an identifier, written in snake case or camel case, to this case.
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

/// Splits an identifier into lower-case words at underscores and before capitals.
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

/// Checks a name that is sent: 1 to 200 characters, none of which JSON escapes, without whitespace at either end.
pub(crate) fn check(name: &str, what: &str, span: Span) -> Result<()> {
    let wrong = if name.trim() != name || name.is_empty() {
        "is empty, or begins or ends with whitespace"
    } else if name.chars().count() > 200 {
        "has more than 200 characters"
    } else if name.chars().any(|character| character.is_control() || matches!(character, '"' | '\\')) {
        "contains a quote, a backslash or a control character"
    } else {
        return Ok(());
    };
    Err(Error::new(span, format!("the {what} `{}` {wrong}", name.escape_debug())))
}

/// Checks the name of a property: some names are reserved for the library.
pub(crate) fn check_property(name: &str, span: Span) -> Result<()> {
    check(name, "name", span)?;
    let instead = match name {
        "$groups" => "use `#[event(group = \"..\")]` on a field",
        "$lib" | "$lib_version" => "use `Config::library`",
        _ => return Ok(()),
    };
    Err(Error::new(span, format!("the property `{name}` is set by the library: {instead}")))
}

/// Checks the prefix of a hash: ASCII letters and digits only.
pub(crate) fn check_prefix(prefix: &str, span: Span) -> Result<()> {
    if prefix.chars().all(|character| character.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(Error::new(span, "a prefix can contain only ASCII letters and digits, as in `hashed = \"usr\"`"))
    }
}

/// Returns whether the name suggests that the field identifies someone or something.
pub(crate) fn identifies(name: &str) -> bool {
    ["_id", "_by", "Id", "By", "-id", "-by", "_ID", "_BY"].iter().any(|end| name.ends_with(end))
}
