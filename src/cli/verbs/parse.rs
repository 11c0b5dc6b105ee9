//! Parses the verbs, for tools without clap.

use crate::settings::variable_prefix;

/// A verb with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Verb {
    Status { json: bool, exit_code: bool },
    On,
    Off,
    Show { event: Option<String>, pending: bool },
    Log { json: bool, bodies: bool },
    Forget,
}

/// Parses a verb and its arguments; the error is a message for people.
pub(in crate::cli) fn parse(verb: &str, arguments: &[&str]) -> Result<Verb, String> {
    let (flags, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    let known: (&[&str], usize) = match verb {
        "status" => (&["--json", "--exit-code"], 0),
        "show" => (&["--pending"], 1),
        "log" => (&["--json", "--bodies"], 0),
        "on" | "off" | "forget" => (&[], 0),
        _ => return Err(format!("there is no verb `{verb}`")),
    };
    if let Some(flag) = flags.iter().find(|flag| !known.0.contains(flag)) {
        return Err(format!("`{verb}` has no option `{flag}`"));
    }
    if let Some(word) = words.get(known.1) {
        return Err(format!("`{verb}` does not take `{word}`"));
    }
    let has = |flag| flags.contains(&flag);
    Ok(match verb {
        "status" => Verb::Status { json: has("--json"), exit_code: has("--exit-code") },
        "show" => {
            Verb::Show { event: words.first().map(|word| (*word).to_owned()), pending: has("--pending") }
        }
        "log" => Verb::Log { json: has("--json"), bodies: has("--bodies") },
        "on" => Verb::On,
        "off" => Verb::Off,
        _ => Verb::Forget,
    })
}

/// Returns the help text of the verbs.
pub(in crate::cli) fn usage(app: &str) -> String {
    let prefix = variable_prefix(app);
    format!(
        "usage: {app} telemetry VERB

  status [--json] [--exit-code]  whether telemetry is on, and who decided
                                 (--exit-code: 0 on, 1 off, 2 not asked yet)
  on                             turns telemetry on
  off                            turns telemetry off
  show [EVENT] [--pending]       everything that may be sent, one event, or
                                 the events waiting to be sent
  log [--json] [--bodies]        what has been sent from this machine
  forget                         deletes the data kept on this machine,
                                 except your answer

{prefix}_TELEMETRY=0 and DO_NOT_TRACK=1 turn telemetry off as well.
"
    )
}

#[cfg(test)]
mod tests {
    use super::{Verb, parse, usage};

    #[test]
    fn every_verb_is_parsed_with_its_options() {
        let read = |verb, arguments: &[&str]| parse(verb, arguments).unwrap();
        assert_eq!(read("status", &[]), Verb::Status { json: false, exit_code: false });
        assert_eq!(read("status", &["--exit-code", "--json"]), Verb::Status { json: true, exit_code: true });
        assert_eq!(
            (read("on", &[]), read("off", &[]), read("forget", &[])),
            (Verb::On, Verb::Off, Verb::Forget)
        );
        let event = Some("command finished".to_owned());
        assert_eq!(read("show", &["command finished"]), Verb::Show { event, pending: false });
        assert_eq!(read("show", &["--pending"]), Verb::Show { event: None, pending: true });
        assert_eq!(read("log", &["--bodies"]), Verb::Log { json: false, bodies: true });
    }

    #[test]
    fn unknown_words_are_named() {
        let wrong = |verb, arguments: &[&str]| parse(verb, arguments).unwrap_err();
        assert_eq!(wrong("enable", &[]), "there is no verb `enable`");
        assert_eq!(wrong("off", &["--json"]), "`off` has no option `--json`");
        assert_eq!(wrong("log", &["now"]), "`log` does not take `now`");
        assert_eq!(wrong("show", &["one", "two"]), "`show` does not take `two`");
    }

    #[test]
    fn the_help_names_every_verb_and_the_variables() {
        let usage = usage("my-tool");
        for word in
            ["status", "on ", "off ", "show", "log", "forget", "MY_TOOL_TELEMETRY=0", "DO_NOT_TRACK=1"]
        {
            assert!(usage.contains(word), "{word}");
        }
        assert!(usage.lines().all(|line| line.chars().count() <= 80), "{usage}");
    }
}
