//! JSON whose members keep their order. The order of a `serde_json` map depends on the features of the build.

/// A JSON value under construction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// JSON text.
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn string(text: &str) -> Self {
        Self::Text(serde_json::to_string(text).unwrap_or_default())
    }

    pub(super) fn plain(value: impl std::fmt::Display) -> Self {
        Self::Text(format!("{value}"))
    }

    pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    pub(super) fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Array(texts.into_iter().map(Self::string).collect())
    }

    /// Adds a member if this is an object.
    pub(super) fn with(mut self, name: &str, value: Json) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.to_owned(), value));
        }
        self
    }

    /// Returns the JSON with an indent of 2 spaces; arrays of plain values stay on one line.
    pub(super) fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    /// Returns the JSON without whitespace.
    pub(super) fn compact(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(Self::compact).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{}", Self::string(name).compact(), value.compact()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn write(&self, depth: usize, out: &mut String) {
        let indent = |depth: usize| format!("\n{}", "  ".repeat(depth));
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Array(items) if items.iter().all(|item| matches!(item, Self::Text(_))) => {
                let items: Vec<_> = items.iter().map(Self::compact).collect();
                out.push('[');
                out.push_str(&items.join(", "));
                out.push(']');
            }
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&indent(depth + 1));
                    item.write(depth + 1, out);
                }
                out.push_str(&indent(depth));
                out.push(']');
            }
            Self::Object(members) if members.is_empty() => out.push_str("{}"),
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&indent(depth + 1));
                    out.push_str(&Self::string(name).compact());
                    out.push_str(": ");
                    value.write(depth + 1, out);
                }
                out.push_str(&indent(depth));
                out.push('}');
            }
        }
    }
}
