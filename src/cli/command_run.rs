//! Measures one run of a command, and reports it exactly once. A panic in the report is caught.

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
    /// It succeeded.
    Success,
    /// It failed, panicked, or ended without reporting a result.
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
        Word::new(Outcome::Success.as_str(), "It succeeded."),
        Word::new(Outcome::Error.as_str(), "It failed, or ended early."),
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

/// The report of a run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished<C> {
    /// How it ended.
    pub outcome: Outcome,
    /// The category of the error; `None` after a success.
    pub category: Option<C>,
    /// How long it took, by a monotonic clock.
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
/// The category `C` is a closed set defined by the application, never a message. A run that is dropped without
/// [`success`](Self::success) or [`failure`](Self::failure), because of a panic or an early return, counts as an error
/// of the category given at the start. A process that is killed, aborts or calls [`std::process::exit`] during the run
/// reports nothing.
///
/// Start the run after the client is created, so it is dropped before the client's guard and its event is still
/// delivered.
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
#[must_use = "a run that is dropped immediately counts as an error"]
pub struct CommandRun<C, R: FnOnce(Finished<C>)> {
    clock: Clock,
    started: Instant,
    /// Until the run ends: the category for a run that is dropped, and the report.
    open: Option<(C, R)>,
}

impl<C, R: FnOnce(Finished<C>)> CommandRun<C, R> {
    /// Starts a run. `unfinished` is the category of a run that is dropped without a result; `report` is called once,
    /// when the run ends.
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

    /// Ends the run as an error of this category and reports it.
    pub fn failure(mut self, category: C) {
        self.end(|_| (Outcome::Error, Some(category)));
    }

    /// Ends the run according to `result`; `categorise` returns the category of an error, never its message.
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
        // A second panic during unwinding would abort the application.
        if catch_unwind(AssertUnwindSafe(|| report(finished))).is_err() {
            log::warn!(target: "candor", "the report of a CommandRun panicked; the panic was caught");
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
    fn every_run_is_reported_once_with_its_category() {
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
    fn the_report_has_the_duration_and_the_time_of_the_end() {
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
    fn every_outcome_is_in_the_catalogue() {
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
