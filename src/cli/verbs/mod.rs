//! The verbs `telemetry status | on | off | show | log | forget`.

mod answer;
mod forget;
mod log;
mod parse;
mod said;
mod show;
mod status;

pub(super) use parse::{Verb, parse, usage};
pub(super) use said::Said;

use super::kit::Kit;
use super::screen::Screen;

/// Runs a verb.
pub(super) fn run(kit: &Kit, verb: &Verb, screen: Screen) -> Said {
    match verb {
        Verb::Status { json, exit_code } => status::run(kit, *json, *exit_code, screen),
        Verb::On => answer::on(kit, screen),
        Verb::Off => answer::off(kit, screen),
        Verb::Show { event, pending } => show::run(kit, event.as_deref(), *pending, screen),
        Verb::Log { json, bodies } => log::run(kit, *json, *bodies, screen),
        Verb::Forget => forget::run(kit, screen),
    }
}
