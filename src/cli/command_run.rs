//! One run of a command, measured from its start to its end.
//!
//! Never calls it at the start, never twice, and lets no panic of it out of a drop.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::field::{Encode, Field, Label, ValueWriter, Written};
use crate::schema::{FieldType, Labels, Word};
use crate::timestamp::Timestamp;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// As it should.
    Success,
    /// With an error, a panic, or without a word.
    Error,
}

impl Outcome {
    /// Returns `success` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
        }
    }
}

const OUTCOMES: Labels = Labels::Closed {
    words: &[
        Word::new(Outcome::Success.as_str(), "It ended as it should."),
        Word::new(Outcome::Error.as_str(), "It failed, or ended without a word."),
    ],
    other: None,
};

impl Encode for Outcome {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        writer.literal(match self {
            Self::Success => "\"success\"",
            Self::Error => "\"error\"",
        })
    }
}

impl Field for Outcome {
    const KIND: FieldType = FieldType::Label(&OUTCOMES);
}

impl Label for Outcome {
    const LABELS: Labels = OUTCOMES;

    fn label(&self) -> &str {
        self.as_str()
    }
}

/// What is known of a run when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished<C> {
    /// How it ended.
    pub outcome: Outcome,
    /// What kind of error it was; `None` after a success.
    pub category: Option<C>,
    /// How long it took, by a clock that only goes forward.
    pub duration: Duration,
    /// When it ended.
    pub ended: Timestamp,
}

impl<C> Finished<C> {
    /// Returns the duration in whole milliseconds.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Measures one run of a command and reports it once, however it ends.
///
/// The category `C` is the application's own closed set, never a message. A run that is dropped without
/// [`success`](Self::success) or [`failure`](Self::failure), by a panic or an early return, counts as an
/// error of the category given at the start. A process that is killed, aborts or calls
/// [`std::process::exit`] before reports nothing.
///
/// Start it after the client was made, so that it is dropped before the client's guard: what it captures is
/// then still delivered.
///
/// ```
/// use candor::cli::{CommandRun, Outcome};
///
/// # fn verify() -> Result<(), String> { Ok(()) }
/// let run = CommandRun::start("internal", |finished| {
///     candor::event!("command finished", distinct_id = "acc_1", outcome = finished.outcome.as_str(),
///         error_category = finished.category, duration_ms = finished.millis());
/// });
/// run.finish(&verify(), |_error| "verification");
/// ```
#[must_use = "a run that is dropped at once counts as an error"]
pub struct CommandRun<C, R: FnOnce(Finished<C>)> {
    clock: Clock,
    started: Instant,
    /// What is still to be done: the category for an end without a word, and the report.
    open: Option<(C, R)>,
}

impl<C, R: FnOnce(Finished<C>)> CommandRun<C, R> {
    /// Starts the clock. `unfinished` is the category of a run that ends without a word.
    pub fn start(unfinished: C, report: R) -> Self {
        Self::start_on(Clock::System, unfinished, report)
    }

    fn start_on(clock: Clock, unfinished: C, report: R) -> Self {
        Self { started: clock.now(), clock, open: Some((unfinished, report)) }
    }

    /// Returns how long the run has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    /// Ends the run as a success and reports it.
    pub fn success(mut self) {
        self.end(|_| (Outcome::Success, None));
    }

    /// Ends the run as an error of a category and reports it.
    pub fn failure(mut self, category: C) {
        self.end(|_| (Outcome::Error, Some(category)));
    }

    /// Ends the run as its result says; `categorise` looks at the error and gives a category, never a message.
    pub fn finish<T, E>(self, result: &Result<T, E>, categorise: impl FnOnce(&E) -> C) {
        match result {
            Ok(_) => self.success(),
            Err(error) => {
                let category = categorise(error);
                self.failure(category);
            }
        }
    }

    fn end(&mut self, how: impl FnOnce(C) -> (Outcome, Option<C>)) {
        let Some((unfinished, report)) = self.open.take() else { return };
        let (duration, ended) = (self.elapsed(), Timestamp::of_clock(self.clock.wall()));
        let (outcome, category) = how(unfinished);
        let finished = Finished { outcome, category, duration, ended };
        // A panic while another one unwinds would abort the application.
        if catch_unwind(AssertUnwindSafe(|| report(finished))).is_err() {
            log::warn!(target: "candor", "the report of a command's run panicked");
        }
    }
}

impl<C, R: FnOnce(Finished<C>)> Drop for CommandRun<C, R> {
    fn drop(&mut self) {
        self.end(|unfinished| (Outcome::Error, Some(unfinished)));
    }
}

impl<C, R: FnOnce(Finished<C>)> fmt::Debug for CommandRun<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandRun").field("open", &self.open.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::{Duration, UNIX_EPOCH};

    use super::{CommandRun, Finished, Outcome};
    use crate::clock::{Clock, Manual};
    use crate::field::{Field, Label};

    fn reports(run: impl FnOnce(&RefCell<Vec<Finished<&'static str>>>)) -> Vec<Finished<&'static str>> {
        let reports = RefCell::new(Vec::new());
        run(&reports);
        reports.into_inner()
    }

    #[test]
    fn an_end_is_reported_once_with_its_category() {
        let all = reports(|seen| {
            let start = || CommandRun::start("internal", |finished| seen.borrow_mut().push(finished));
            start().success();
            start().failure("policy");
            start().finish(&Ok::<(), ()>(()), |()| "never");
            start().finish(&Err::<(), _>("a secret message"), |_| "auth");
            drop(start());
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _run = start();
                panic!("the command's own");
            }));
        });
        let ends: Vec<_> = all.iter().map(|end| (end.outcome, end.category)).collect();
        let error = |category| (Outcome::Error, Some(category));
        assert_eq!(
            ends,
            [
                (Outcome::Success, None),
                error("policy"),
                (Outcome::Success, None),
                error("auth"),
                error("internal"),
                error("internal"),
            ]
        );
    }

    #[test]
    fn the_duration_is_that_of_the_run_and_the_end_its_own_time() {
        let manual = Manual::starting_at(UNIX_EPOCH);
        let all = reports(|seen| {
            let report = |finished| seen.borrow_mut().push(finished);
            let run = CommandRun::start_on(Clock::Manual(manual.clone()), "internal", report);
            assert!(seen.borrow().is_empty());
            manual.advance(Duration::from_millis(1234));
            run.success();
        });
        assert_eq!((all[0].millis(), all[0].ended.unix_millis()), (1234, 1234));
    }

    #[test]
    fn an_outcome_is_a_word_of_the_catalogue() {
        for outcome in [Outcome::Success, Outcome::Error] {
            assert!(Outcome::KIND.admits(&outcome.as_str().into()));
            assert_eq!(outcome.checked(), Some(outcome.as_str()));
        }
    }

    #[test]
    fn a_report_that_panics_during_a_panic_does_not_abort() {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _run = CommandRun::start("internal", |_| panic!("in the report"));
            panic!("in the command");
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"in the command"));
    }
}
