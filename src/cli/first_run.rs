//! The notice or the question of the first run, which is shown once and only to a person.

use std::io::{self, IsTerminal, Write};

use super::kit::Kit;
use super::prompt::{Answer, ask as put, is_machine, may_prompt};
use super::screen::{Screen, terminal_width};
use crate::client::Client;
use crate::consent::{ConsentState, Layer, Status, Vote};
use crate::consent::{Mode, Subject};
use crate::settings::Env;

/// Shows the notice if it is due and a person can read it; returns whether it was shown.
pub(super) fn show_notice(kit: &Kit, client: &Client) -> bool {
    let env = kit.env();
    let Some(text) = client.notice_due() else { return false };
    if !io::stderr().is_terminal() || is_machine(env) {
        return false;
    }
    let mut notice = String::new();
    screen(env).paragraph(&mut notice, "", text.trim_end());
    screen(env).paragraph(&mut notice, "", &commands(kit.app(), text));
    let mut out = io::stderr().lock();
    let shown = writeln!(out, "{notice}").and_then(|()| out.flush());
    if shown.is_err() {
        return false;
    }
    if let Err(error) = client.notice_shown() {
        log::debug!(target: "candor", "the notice was shown, but this could not be stored: {error}");
    }
    true
}

/// Asks the person at the terminal for consent, if only their answer is missing.
pub(super) fn ask(kit: &Kit, client: &Client) {
    if client.state() != ConsentState::Deferred || !may_prompt(kit.env()) || !io::stderr().is_terminal() {
        return;
    }
    if !waits_for_the_user(&client.status(), kit) {
        return;
    }
    let Some(answer) = put(&question(kit), &mut io::stdin().lock(), &mut io::stderr().lock()) else { return };
    let mut out = String::new();
    screen(kit.env()).paragraph(&mut out, "", &store(kit, answer));
    // The answer counts even if the terminal has been closed meanwhile.
    let _ = io::stderr().lock().write_all(out.as_bytes());
}

/// Stores the answer, and returns what to tell the person. The running client stays off until the next run.
fn store(kit: &Kit, answer: Answer) -> String {
    let (app, client) = (kit.app(), kit.unstarted());
    match answer {
        Answer::Yes => match client.opt_in() {
            Ok(result) => match result.reason() {
                None => {
                    format!(
                        "Thank you. Sending starts with the next run; `{app} telemetry off` turns it off."
                    )
                }
                Some(reason) => format!("Your consent is stored, but telemetry stays off: {reason}."),
            },
            Err(error) => format!("Telemetry stays off, because your consent could not be stored: {error}"),
        },
        Answer::No => match client.opt_out() {
            Ok(()) => {
                format!(
                    "Nothing is sent, and you will not be asked again. `{app} telemetry on` turns telemetry on."
                )
            }
            Err(error) => format!("This run sends nothing, but your refusal could not be stored: {error}"),
        },
    }
}

/// Returns the layout for standard error, which is known to be a terminal.
fn screen(env: &Env) -> Screen {
    Screen::new(env, true, terminal_width())
}

/// Returns whether only the user's answer is missing: they may grant consent, and have not answered.
fn waits_for_the_user(status: &Status, kit: &Kit) -> bool {
    let has_answered =
        status.layers.iter().any(|report| report.layer == Layer::User && report.vote != Vote::Abstain);
    status.mode == Mode::OptIn
        && status.state == ConsentState::Deferred
        && !has_answered
        && kit.facts().consent.may_grant(Subject::User)
        && kit.choice_file().is_some()
}

fn question(kit: &Kit) -> String {
    let app = kit.app();
    let endpoint = kit.status().endpoint.unwrap_or_default();
    let what = match kit.catalogue() {
        None => format!("{app} can report how it is used, to {endpoint}."),
        Some(catalogue) if catalogue.names_endpoint() => catalogue.notice(),
        Some(catalogue) => format!("{}\nEvents are sent to {endpoint}.", catalogue.notice()),
    };
    let mut out = "\n".to_owned();
    screen(kit.env()).paragraph(&mut out, "", &what);
    screen(kit.env()).paragraph(&mut out, "", &commands(app, &what));
    out + "Do you agree? (y/N): "
}

/// Names the commands that turn telemetry off and list every field, unless the text before already does.
fn commands(app: &str, text: &str) -> String {
    let does_not_name = |(command, _): &(String, &str)| !text.contains(command.as_str());
    let commands = [("off", "turns it off"), ("show", "lists every field")];
    let commands = commands.map(|(verb, does)| (format!("{app} telemetry {verb}"), does));
    let lines: Vec<_> = commands
        .into_iter()
        .filter(does_not_name)
        .map(|(command, does)| format!("`{command}` {does}."))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Answer, commands, question, store};
    use crate::cli::CommandFinished;
    use crate::cli::kit::Kit;
    use crate::config::Config;
    use crate::consent::Consent;
    use crate::event::DynamicEvent;
    use crate::settings::Env;

    #[test]
    fn the_question_says_who_receives_the_events_and_how_to_turn_them_off() {
        let config = || Config::new("forge", "1.0.0").env(Env::empty()).endpoint("https://t.example.com");
        let events = crate::events![CommandFinished].product("Forge");
        for config in [
            config(),
            config().catalogue(events),
            config().catalogue(events.endpoint("https://t.example.com")),
        ] {
            let question = question(&Kit::new(config));
            for part in ["https://t.example.com", "`forge telemetry off`", "`forge telemetry show`"] {
                assert_eq!(question.matches(part).count(), 1, "{part}: {question}");
            }
        }
    }

    #[test]
    fn a_command_that_the_text_names_is_not_repeated() {
        let both = "`forge telemetry off` turns it off.\n`forge telemetry show` lists every field.";
        assert_eq!(commands("forge", "We count."), both);
        assert_eq!(
            commands("forge", "Off: `forge telemetry off`."),
            "`forge telemetry show` lists every field."
        );
        assert_eq!(commands("forge", both), "");
    }
    #[test]
    fn a_yes_counts_from_the_next_run() {
        let dir = std::env::temp_dir().join(format!("candor-first-run-{}", std::process::id()));
        let kit = || {
            let consent = Consent::opt_in().state_dir(&dir).policy_file("");
            let config = Config::new("forge", "1.0.0").env(Env::empty()).consent(consent);
            // Nobody listens there, and nothing is captured that could be sent.
            let mut kit = Kit::new(config.endpoint("http://127.0.0.1:1"));
            kit.keep_client();
            kit
        };
        let first = kit();
        let client = first.client();
        assert!(!client.is_enabled());
        assert!(store(&first, Answer::Yes).starts_with("Thank you. Sending starts with the next run"));
        client.capture(DynamicEvent::new("happened", "node-7"));
        assert_eq!((client.is_enabled(), client.stats().captured), (false, 0));
        assert!(kit().client().is_enabled());
        assert!(store(&kit(), Answer::No).starts_with("Nothing is sent"));
        assert!(!kit().client().is_enabled());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
