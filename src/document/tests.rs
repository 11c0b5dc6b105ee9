//! Tests of the readers with plain, wrong and hostile text.

use std::fmt::Write;

use proptest::prelude::*;

use crate::document::{Format, Found, Node, read};

const KEY: &str = "deployment.parameters.AnalyticsDisabled";

fn yaml(text: &str) -> Result<Node, &'static str> {
    read(Format::Yaml, text.as_bytes())
}

fn value_of(value: &str) -> Node {
    let tree = yaml(&format!("deployment:\n  parameters:\n    AnalyticsDisabled: {value}\n")).unwrap();
    match tree.at(KEY) {
        Found::Value(node) => node.clone(),
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
#[cfg(feature = "yaml")]
fn yaml_values_have_the_types_of_the_core_schema() {
    for (text, wanted) in [
        ("\"true\"", Node::Text("true".into())),
        ("'0'", Node::Text("0".into())),
        ("yes", Node::Text("yes".into())),
        ("true", Node::Bool(true)),
        ("False", Node::Bool(false)),
        ("0", Node::Number),
        ("-1", Node::Number),
        ("0x1f", Node::Number),
        ("1e3", Node::Number),
        ("null", Node::Null),
        ("~", Node::Null),
        ("", Node::Nothing),
        ("[true]", Node::List),
        ("{}", Node::map(std::collections::BTreeMap::new())),
        ("!!str true", Node::Opaque),
        ("|\n      true", Node::Text("true".into())),
    ] {
        let wanted = if text.starts_with('|') { Node::Text("true\n".into()) } else { wanted };
        assert_eq!(value_of(text), wanted, "{text}");
    }
}

#[test]
#[cfg(feature = "yaml")]
fn a_yaml_path_ends_at_a_missing_value_and_fails_at_another_type() {
    for text in ["", "# nothing\n", "other: 1\n", "deployment:\n  parameters:\n", "deployment: {}\n"] {
        assert_eq!(yaml(text).unwrap().at(KEY), Found::Missing, "{text}");
    }
    for text in [
        "deployment: null\n",
        "deployment: text\n",
        "deployment: [1]\n",
        "- deployment\n",
        "x: &a {parameters: {AnalyticsDisabled: 'true'}}\ndeployment: *a\n",
        "x: &a {AnalyticsDisabled: 'true'}\ndeployment:\n  parameters:\n    <<: *a\n",
    ] {
        assert!(matches!(yaml(text).unwrap().at(KEY), Found::Wrong(_)), "{text}");
    }
    let merged = "x: &a {b: 1}\ndeployment:\n  parameters:\n    <<: *a\n    AnalyticsDisabled: 'true'\n";
    assert!(matches!(yaml(merged).unwrap().at(KEY), Found::Value(Node::Text(_))));
}

#[test]
#[cfg(feature = "yaml")]
fn a_dotted_name_may_be_all_or_part_of_a_key() {
    for text in [
        "deployment.parameters.AnalyticsDisabled: 'true'\n",
        "deployment.parameters:\n  AnalyticsDisabled: 'true'\n",
        "deployment:\n  parameters.AnalyticsDisabled: 'true'\n",
        "deployment:\n  other: 1\ndeployment.parameters.AnalyticsDisabled: 'true'\n",
    ] {
        assert_eq!(yaml(text).unwrap().at(KEY), Found::Value(&Node::Text("true".into())), "{text}");
    }
    let twice = "deployment.parameters.AnalyticsDisabled: 'true'\ndeployment: {parameters: {AnalyticsDisabled: ''}}\n";
    assert!(matches!(yaml(twice).unwrap().at(KEY), Found::Wrong(_)));
    let beside = "deployment.parameters.AnalyticsDisabled: 'true'\ndeployment: text\n";
    assert!(matches!(yaml(beside).unwrap().at(KEY), Found::Wrong(_)));
}

#[test]
#[cfg(feature = "yaml")]
fn unclear_yaml_is_rejected() {
    for text in [
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "a: 1\n---\na: 2\n",
        "a: [1\n",
        "a: \"\n",
        "\t- a: {\n",
        "? [a]\n: b\n",
        "a: &x [*x]\nb: *y\n",
    ] {
        assert!(yaml(text).is_err(), "{text}");
    }
    assert!(read(Format::Yaml, b"a: \xff\n").is_err());
}

#[test]
fn json_duplicates_and_trailing_text_are_rejected_at_any_depth() {
    for text in [
        "",
        "{",
        "{}{}",
        r#"{"a":1,"a":2}"#,
        r#"{"x":[{"b":1,"b":1}]}"#,
        r#"{"a":1,}"#,
        r#"{"a":tru}"#,
        "\"\u{1}\"",
    ] {
        assert!(read(Format::Json, text.as_bytes()).is_err(), "{text}");
    }
    let tree = read(Format::Json, "\u{feff}{\"telemetry\":{\"enabled\":true}}".as_bytes()).unwrap();
    assert_eq!(tree.at("telemetry.enabled"), Found::Value(&Node::Bool(true)));
    assert_eq!(tree.at("telemetry.other"), Found::Missing);
    assert!(matches!(tree.at("telemetry.enabled.deeper"), Found::Wrong(_)));
    let null = read(Format::Json, br#"{"telemetry":null}"#).unwrap();
    assert!(matches!(null.at("telemetry.enabled"), Found::Wrong(_)));
}

#[test]
#[cfg(feature = "toml")]
fn toml_is_read_and_its_duplicates_are_rejected() {
    let tree = read(Format::Toml, b"[telemetry]\nenabled = false\nsize = 3\n").unwrap();
    assert_eq!(tree.at("telemetry.enabled"), Found::Value(&Node::Bool(false)));
    assert_eq!(tree.at("telemetry.size"), Found::Value(&Node::Number));
    for text in ["a = 1\na = 2\n", "[a]\n[a]\n", "a = \n", "a = [1", "= 1"] {
        assert!(read(Format::Toml, text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn bombs_are_rejected_without_a_deep_stack() {
    let size = 32 * 1024;
    let aliases = {
        let mut text = String::from("a0: &a0 [x, x]\n");
        for level in 1..20 {
            let below = level - 1;
            writeln!(text, "a{level}: &a{level} [*a{below}, *a{below}, *a{below}]").unwrap();
        }
        text
    };
    let deep = [
        (Format::Json, "[".repeat(size)),
        (Format::Json, "{\"a\":".repeat(size / 5)),
        (Format::Yaml, "[".repeat(size)),
        (Format::Yaml, "{a: ".repeat(size / 4)),
        (Format::Yaml, "- ".repeat(size / 2)),
        (Format::Toml, format!("a = {}", "[".repeat(size))),
        (Format::Toml, format!("a = {}", "{a=".repeat(size / 3))),
        (Format::Toml, format!("{}a = 1", "a.".repeat(size / 2))),
        (Format::Toml, format!("[{}a]\nb = 1", "a.".repeat(size / 2))),
    ];
    // Unbounded recursion would overflow the default stack of a thread.
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let refused = small.spawn(move || {
        // Aliases are not expanded, so this one stays small.
        let aliases = read(Format::Yaml, aliases.as_bytes());
        assert_eq!(aliases.is_ok(), cfg!(feature = "yaml"));
        deep.iter().all(|(format, text)| read(*format, text.as_bytes()).is_err())
    });
    assert!(refused.unwrap().join().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in [Format::Json, Format::Toml, Format::Yaml] {
            let _ = read(format, &bytes);
        }
    }

    #[test]
    fn no_punctuation_makes_a_reader_panic(text in "[\\[\\]{}:,.=\"'#&*!|>?%@~ \n\ta0-]{0,300}") {
        for format in [Format::Json, Format::Toml, Format::Yaml] {
            if let Ok(tree) = read(format, text.as_bytes()) {
                let _ = tree.at("a.a.a");
            }
        }
    }
}
