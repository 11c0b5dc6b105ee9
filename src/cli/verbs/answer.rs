//! `telemetry on` and `telemetry off`: the user's answer.

use super::said::Said;
use crate::cli::kit::Kit;
use crate::cli::screen::{Colour, Screen};

pub(super) fn on(kit: &Kit, screen: Screen) -> Said {
    let result = match kit.client_of_answers().opt_in() {
        Ok(result) => result,
        Err(error) => {
            let text = format!("Telemetry is unchanged, because your consent could not be stored: {error}");
            return Said::complaint(lines(screen, &text));
        }
    };
    let Some(reason) = result.reason() else {
        let mut out = format!("Telemetry is {}.\n", screen.paint(Colour::Green, "on"));
        stored(kit, screen, &mut out, "consent");
        let app = kit.app();
        let text = format!("`{app} telemetry show` lists what is sent; `{app} telemetry off` turns it off.");
        screen.paragraph(&mut out, "", &text);
        return Said::text(out);
    };
    let mut out = format!("Telemetry stays {}.\n", screen.paint(Colour::Red, "off"));
    stored(kit, screen, &mut out, "consent");
    screen.paragraph(&mut out, "", &format!("Reason: {reason}."));
    Said::text(out)
}

pub(super) fn off(kit: &Kit, screen: Screen) -> Said {
    match kit.client_of_answers().opt_out() {
        Ok(()) => {
            let mut out = format!("Telemetry is {}.\n", screen.paint(Colour::Red, "off"));
            stored(kit, screen, &mut out, "refusal");
            screen.paragraph(&mut out, "", "Events that were waiting to be sent have been deleted.");
            let app = kit.app();
            if kit.sent_lines().is_ok_and(|lines| lines.is_some()) {
                let text = format!(
                    "`{app} telemetry log` still shows what was sent before; `{app} telemetry forget` deletes that log."
                );
                screen.paragraph(&mut out, "", &text);
            }
            Said::text(out)
        }
        Err(error) => Said::complaint(lines(screen, &format!("Your refusal could not be stored: {error}"))),
    }
}

fn stored(kit: &Kit, screen: Screen, out: &mut String, answer: &str) {
    if let Some(path) = kit.choice_file() {
        screen.paragraph(out, "", &format!("Your {answer} is stored in {}.", path.display()));
    }
}

fn lines(screen: Screen, text: &str) -> String {
    let mut out = String::new();
    screen.paragraph(&mut out, "", text);
    out
}
