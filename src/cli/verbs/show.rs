//! `telemetry show`: the catalogue, laid out for the terminal.

use std::fmt::Write;

use super::said::Said;
use crate::catalogue::Catalogue;
use crate::cli::kit::Kit;
use crate::cli::screen::Screen;
use crate::event::reserved::GROUPS;
use crate::queue::spool::waiting_events;
use crate::schema::{FieldSchema, FieldType, Schema};

pub(super) fn run(kit: &Kit, event: Option<&str>, pending: bool, screen: Screen) -> Said {
    if pending {
        return pending_events(kit);
    }
    let Some(catalogue) = kit.catalogue() else {
        let text = format!("{} does not publish a list of what it sends.\n", kit.app());
        return Said::text(text);
    };
    let Some(name) = event else { return Said::text(all(kit, catalogue, screen)) };
    match catalogue.event(name) {
        Some(schema) => {
            let mut out = String::new();
            describe(schema, screen, &mut out);
            let _ = writeln!(out, "\nAn example:\n\n{}", catalogue.example(schema));
            Said::text(out)
        }
        None => {
            let known: Vec<_> =
                catalogue.events().iter().map(|schema| format!("`{}`", schema.name())).collect();
            let mut out = String::new();
            let text = format!("There is no event named `{name}`. The events are: {}.", known.join(", "));
            screen.paragraph(&mut out, "", &text);
            Said::complaint(out)
        }
    }
}

/// Prints the events that wait on disk, one per line.
fn pending_events(kit: &Kit) -> Said {
    let events = kit.spool_dir().map(|dir| waiting_events(&dir)).unwrap_or_default();
    if events.is_empty() {
        return Said::text("No events are waiting on this machine to be sent.\n");
    }
    let mut text = events.join(&b'\n');
    text.push(b'\n');
    Said::text(text)
}

fn all(kit: &Kit, catalogue: &Catalogue, screen: Screen) -> String {
    let mut out = String::new();
    screen.paragraph(&mut out, "", &catalogue.notice());
    for schema in catalogue.events() {
        out.push('\n');
        describe(schema, screen, &mut out);
    }
    if !catalogue.common_fields().is_empty() {
        out.push_str("\nWith every event:\n\n");
        fields("", catalogue.common_fields(), screen, &mut out);
    }
    out.push('\n');
    screen.paragraph(&mut out, "", &format!("`{} telemetry show EVENT` shows an example.", kit.app()));
    out
}

fn describe(schema: &Schema, screen: Screen, out: &mut String) {
    let _ = writeln!(out, "{}", schema.name());
    screen.paragraph(out, "  ", schema.description());
    screen.paragraph(out, "  Why: ", schema.reason());
    out.push('\n');
    field("distinct_id", schema.distinct_id(), false, screen, out);
    fields("", schema.fields(), screen, out);
    for group in schema.groups() {
        field(&format!("{GROUPS}.{}", group.name()), group, false, screen, out);
    }
}

fn fields(path: &str, fields: &[FieldSchema], screen: Screen, out: &mut String) {
    for each in fields {
        let name = format!("{path}{}", each.name());
        field(&name, each, !each.is_required(), screen, out);
        if let FieldType::Object(inner) = each.kind() {
            self::fields(&format!("{name}."), inner, screen, out);
        }
    }
}

fn field(name: &str, field: &FieldSchema, may_be_absent: bool, screen: Screen, out: &mut String) {
    let (values, policy) = field.in_words();
    let absent = if may_be_absent { "; may be absent" } else { "" };
    let mut text = format!("{}\n{values}{absent}", field.description().trim());
    if !policy.is_empty() {
        let _ = write!(text, " ({policy})");
    }
    let text = text.replace("**", "");
    screen.paragraph(out, &format!("  {name:<16} "), text.trim());
}
