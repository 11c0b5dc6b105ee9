//! The catalogue's page for people, in Markdown.

use std::fmt::Write;

use crate::catalogue::json::Json;
use crate::catalogue::json_schema::LIBRARY;
use crate::catalogue::registry::Catalogue;
use crate::catalogue::words;
use crate::catalogue::words::{CONTEXT_ID, CONTEXT_ID_POLICY, Uses, policy, values};
use crate::catalogue::{example, page};
use crate::schema::{FieldSchema, FieldType, Schema};

const HEAD: &str = "| Field | Values | Description | How it is made safe |\n|---|---|---|---|\n";

/// Returns the page.
pub(super) fn write(catalogue: &Catalogue) -> String {
    let mut out = format!("# Telemetry of {}\n\n{}\n\n", catalogue.product, page::mark(catalogue));
    introduction(catalogue, &mut out);
    identifiers(catalogue, &mut out);
    always(catalogue, &mut out);
    out.push_str("## Events\n");
    for schema in catalogue.events {
        event(catalogue, schema, &mut out);
    }
    out
}

// Writing to a `String` cannot fail, so this file ignores the results of `write!`.

fn introduction(catalogue: &Catalogue, out: &mut String) {
    let product = catalogue.product;
    let counted = words::counted(catalogue.events.len());
    let _ = writeln!(
        out,
        "This page is generated from the source code of {product}, and a test fails if they differ. {} sends {}. \
         This is version {} of the notice.\n",
        words::subject(catalogue),
        if catalogue.events.is_empty() { counted } else { format!("the {counted} below and nothing else") },
        catalogue.notice_version,
    );
    if !catalogue.turn_off.is_empty() {
        out.push_str("## How to turn it off\n\n");
        for way in catalogue.turn_off {
            let _ = writeln!(out, "- {way}");
        }
        out.push('\n');
    }
    out.push_str("## Where events go\n\n");
    match catalogue.endpoint {
        Some(endpoint) => {
            let _ = writeln!(out, "Events are sent to `{endpoint}`.");
        }
        None => {
            out.push_str("Events are sent to the address that the operator of the program configures.\n");
        }
    }
    if let Some(retention) = catalogue.retention {
        let _ = writeln!(out, "\n{retention}");
    }
    if catalogue.is_kept_on_disk {
        let _ = writeln!(out, "\n{}", words::KEPT_ON_DISK);
    }
    if !catalogue.recipients.is_empty() {
        out.push_str("\n| Who processes events | What for |\n|---|---|\n");
        for (name, what_for) in catalogue.recipients {
            let _ = writeln!(out, "| {} | {} |", cell(name), cell(what_for));
        }
    }
    out.push('\n');
}

fn identifiers(catalogue: &Catalogue, out: &mut String) {
    let uses = Uses::of(catalogue);
    if !(uses.hashed || uses.keyed || uses.raw || catalogue.identified.is_some()) {
        return;
    }
    out.push_str("## Who can be recognised\n\n");
    if let Some(by) = catalogue.identified {
        let _ = writeln!(out, "- The events are not anonymous: {by}.");
    }
    if uses.hashed {
        out.push_str(
            "- Hashed identifiers are pseudonymous, not anonymous. The hash uses no secret: the same identifier \
             always has the same hash, so events about one person can be linked, and anyone who knows or guesses \
             an identifier can recognise it.\n",
        );
    }
    if uses.keyed {
        out.push_str(
            "- Keyed identifiers are pseudonyms created with a secret that never leaves the machine. The receiver \
             cannot find an identifier by guessing, and when the key rotates, earlier and later events can no \
             longer be linked.\n",
        );
    }
    if uses.raw {
        out.push_str("- Values marked **sent as it is** are sent unchanged, for the reason given.\n");
    }
    out.push('\n');
}

fn always(catalogue: &Catalogue, out: &mut String) {
    out.push_str("## Sent with every event\n\n| Field | Description |\n|---|---|\n");
    if let Some(beside) = catalogue.beside {
        for (name, description) in beside {
            let _ = writeln!(out, "| `{name}` | {} |", cell(description));
        }
    } else {
        out.push_str("| `uuid` | A unique identifier of the event, so it is stored only once. |\n");
        out.push_str("| `timestamp` | When the event happened, in UTC. |\n");
        for (name, _, description) in LIBRARY {
            let _ = writeln!(out, "| `{name}` | {description} |");
        }
    }
    for (kind, description) in catalogue.groups {
        let _ = writeln!(out, "| `$groups.{kind}` | **Sent as it is**: {} |", cell(description));
    }
    if !catalogue.common.is_empty() {
        out.push('\n');
        table(catalogue.common, out);
    }
    out.push('\n');
}

fn event(catalogue: &Catalogue, schema: &Schema, out: &mut String) {
    let _ = writeln!(out, "\n### {}\n", schema.name);
    let _ = writeln!(out, "{}\n", schema.description);
    let _ = writeln!(out, "Why: {}\n", why(schema));
    let _ = write!(out, "Purpose: {}.", schema.purpose.name());
    if let Some(since) = schema.since {
        let _ = write!(out, " Since version {since}.");
    }
    if let Some(link) = schema.link {
        let _ = write!(out, " More: <{link}>.");
    }
    out.push_str("\n\n");
    out.push_str(HEAD);
    if !catalogue.is_flat {
        // An event without a distinct id is not sent.
        row("distinct_id", &schema.distinct_id, Presence::Always, out);
        if schema.or_id_of_context {
            let _ = writeln!(out, "| or `distinct_id` | {CONTEXT_ID} | | {CONTEXT_ID_POLICY} |");
        }
    }
    rows("", schema.fields, out);
    for group in schema.groups {
        let _ = writeln!(out, "\nGroup `{}`: {} {}.", group.name, values(&group.kind), policy(group));
    }
    let _ = writeln!(out, "\n```json\n{}\n```", example(catalogue, schema).pretty());
}

/// Returns why an event is sent: its own explanation, or that of its purpose.
pub(super) fn why(schema: &Schema) -> &'static str {
    if schema.why.is_empty() { words::reason(schema.purpose) } else { schema.why }
}

pub(super) fn example(catalogue: &Catalogue, schema: &Schema) -> Json {
    if catalogue.is_flat { example::record(schema) } else { example::event(catalogue, schema) }
}

fn table(fields: &[FieldSchema], out: &mut String) {
    out.push_str(HEAD);
    rows("", fields, out);
}

fn rows(path: &str, fields: &[FieldSchema], out: &mut String) {
    for field in fields {
        let presence = if field.is_required() { Presence::Always } else { Presence::Perhaps };
        row(&format!("{path}{}", field.name), field, presence, out);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    Perhaps,
}

fn row(name: &str, field: &FieldSchema, presence: Presence, out: &mut String) {
    let mut kind = values(&field.kind);
    if presence == Presence::Perhaps {
        kind.push_str("; may be absent");
    }
    let mut description = field.description.to_owned();
    if let Some(since) = field.since {
        let _ = write!(description, " Since version {since}.");
    }
    let cells = [&kind, description.trim(), &policy(field)].map(cell);
    let _ = writeln!(out, "| `{name}` | {} |", cells.join(" | "));
    if let FieldType::Object(inner) = inner(&field.kind) {
        rows(&format!("{name}."), inner, out);
    }
}

fn inner(kind: &FieldType) -> &FieldType {
    match kind {
        FieldType::List { of, .. } => inner(of),
        FieldType::Map { values, .. } => inner(values),
        kind => kind,
    }
}

/// Escapes text for one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
