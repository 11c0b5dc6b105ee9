//! The outcome of a command, from the value it returned.

use std::process::ExitCode;

use super::Outcome;

/// A value returned by a measured command, which says whether the command succeeded.
///
/// `()` is a success, and so are an [`ExitCode`] or a number of 0 and any `Ok`; everything else is an error.
pub trait RunResult {
    /// Returns whether the command succeeded.
    fn outcome(&self) -> Outcome;
}

fn success_if(is_success: bool) -> Outcome {
    if is_success { Outcome::Success } else { Outcome::Error }
}

impl RunResult for () {
    fn outcome(&self) -> Outcome {
        Outcome::Success
    }
}

impl RunResult for ExitCode {
    fn outcome(&self) -> Outcome {
        success_if(*self == Self::SUCCESS)
    }
}

impl RunResult for u8 {
    fn outcome(&self) -> Outcome {
        success_if(*self == 0)
    }
}

impl RunResult for i32 {
    fn outcome(&self) -> Outcome {
        success_if(*self == 0)
    }
}

impl<T, E> RunResult for Result<T, E> {
    fn outcome(&self) -> Outcome {
        success_if(self.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::RunResult;
    use crate::cli::Outcome;

    #[test]
    fn a_returned_failure_is_an_error() {
        for outcome in [().outcome(), ExitCode::SUCCESS.outcome(), 0_u8.outcome(), Ok::<u8, ()>(7).outcome()]
        {
            assert_eq!(outcome, Outcome::Success);
        }
        for outcome in [ExitCode::from(3).outcome(), 1_i32.outcome(), Err::<(), _>("no").outcome()] {
            assert_eq!(outcome, Outcome::Error);
        }
    }
}
