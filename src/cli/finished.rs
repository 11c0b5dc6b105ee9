//! The event that reports a finished command.

use super::{Finished, Outcome};
use crate::event::{Encoder, Event, reserved};
use crate::field::Field;
use crate::schema::{Catalogued, FieldSchema, FieldType, Labels, Pattern, Schema, TextPolicy, Unit, Word};

/// The event that [`Telemetry::measure`](super::Telemetry::measure) captures when a command has finished.
///
/// List it in the catalogue: `candor::events![candor::cli::CommandFinished, ..]`. Its distinct id is the constant
/// `tool` and it creates no person profile, so nothing connects two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandFinished {
    command: &'static str,
    outcome: Outcome,
    category: Option<ErrorCategory>,
    duration_ms: u64,
}

/// Why a command did not succeed, as far as the kit can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ErrorCategory {
    Failed,
    Panicked,
    /// Reported by the handler of the feature `ctrlc`.
    Interrupted,
}

impl ErrorCategory {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The pattern of command names; any other name is sent as `other`.
static COMMAND: Pattern = Pattern::new("[a-z0-9]+([_:-][a-z0-9]+)*");
const MAX_COMMAND: usize = 40;
const OTHER: &str = "other";

static CATEGORIES: Labels = Labels::Closed {
    words: &[
        Word::new(ErrorCategory::Failed.as_str(), "The command returned an error."),
        Word::new(ErrorCategory::Panicked.as_str(), "The command panicked."),
        Word::new(ErrorCategory::Interrupted.as_str(), "Somebody pressed Ctrl-C."),
    ],
    other: None,
};

impl CommandFinished {
    pub(super) fn new(command: &'static str, finished: Finished<ErrorCategory>) -> Self {
        Self {
            command: if is_known(command) { command } else { OTHER },
            outcome: finished.outcome,
            category: finished.category,
            duration_ms: finished.millis(),
        }
    }
}

fn is_known(command: &str) -> bool {
    command.len() <= MAX_COMMAND && COMMAND.matches(command)
}

const ID: FieldSchema = FieldSchema::new(
    "distinct_id",
    "The same for everybody.",
    FieldType::Text(TextPolicy::Constant("tool")),
    true,
);

const FIELDS: [FieldSchema; 4] = [
    FieldSchema::new(
        "command",
        "Which command, without its arguments.",
        FieldType::Text(TextPolicy::Pattern { pattern: &COMMAND, max: MAX_COMMAND, other: Some(OTHER) }),
        true,
    ),
    FieldSchema::new("outcome", "How it ended.", Outcome::KIND, true),
    FieldSchema::new("error_category", "Why it did not succeed.", FieldType::Label(&CATEGORIES), false),
    FieldSchema::new(
        "duration_ms",
        "How long it took.",
        FieldType::Duration { unit: Unit::Milliseconds },
        true,
    ),
];

impl Catalogued for CommandFinished {
    const SCHEMA: &'static Schema = &Schema::new(
        "command finished",
        "A command of the tool has finished.",
        "To see which commands are used, how long they take, and how often they fail.",
        ID,
        &[],
        &FIELDS,
    );
}

impl Event for CommandFinished {
    fn name(&self) -> &str {
        Self::SCHEMA.name()
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id("tool");
        event.property("command", self.command);
        event.property("outcome", self.outcome.as_str());
        if let Some(category) = self.category {
            event.property("error_category", category.as_str());
        }
        event.property("duration_ms", &self.duration_ms);
        event.property(reserved::PROCESS_PERSON_PROFILE, &false);
    }

    fn schema(&self) -> Option<&'static Schema> {
        Some(Self::SCHEMA)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CommandFinished, ErrorCategory};
    use crate::cli::{Finished, Outcome};
    use crate::schema::Catalogued;
    use crate::timestamp::Timestamp;

    fn finished(outcome: Outcome, category: Option<ErrorCategory>) -> Finished<ErrorCategory> {
        let ended = Timestamp::from_unix_millis(0);
        Finished { outcome, category, duration: Duration::from_millis(7), ended }
    }

    #[test]
    fn the_sent_event_matches_the_schema() {
        let schema = CommandFinished::SCHEMA;
        for (outcome, category) in [
            (Outcome::Success, None),
            (Outcome::Error, Some(ErrorCategory::Failed)),
            (Outcome::Error, Some(ErrorCategory::Panicked)),
            (Outcome::Error, Some(ErrorCategory::Interrupted)),
        ] {
            let events = crate::testing::capture(|| {
                crate::capture(CommandFinished::new("build-all", finished(outcome, category)));
            });
            let [event] = &*events else { panic!("{events:?}") };
            assert_eq!(event.distinct_id, "tool");
            let own = event.properties.iter().filter(|(name, _)| !name.starts_with('$'));
            for (name, value) in own {
                let field = schema.fields().iter().find(|field| field.name() == name);
                assert!(field.is_some_and(|field| field.kind().admits(value)), "{name}: {value}");
            }
            assert_eq!(event.properties.contains_key("error_category"), category.is_some());
        }
    }

    #[test]
    fn a_command_that_could_contain_an_argument_is_sent_as_other() {
        let named = |command| CommandFinished::new(command, finished(Outcome::Success, None)).command;
        assert_eq!(named("remote-add"), "remote-add");
        for command in [
            "",
            "Build",
            "remote add",
            "build /home/ada/secret",
            "build --token=x",
            "a-name-of-more-than-40-characters-is-none",
        ] {
            assert_eq!(named(command), "other", "{command:?}");
        }
    }
}
