//! The exit codes, and the failures that have one of their own.

use std::process::ExitCode;

/// The command failed: nothing answered, or what answered refused.
pub(super) const FAILED: u8 = 1;
/// The command line or a setting is wrong; clap ends with the same.
pub(super) const USAGE: u8 = 2;
/// The server has no such call.
pub(super) const UNSUPPORTED: u8 = 3;
/// What the command found is not as it should be.
pub(super) const FOUND_WRONG: u8 = 4;
/// What the command found is right, and a part could not be seen.
pub(super) const NOT_SEEN: u8 = 5;

/// The codes, for the help of the program.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  failed: nothing answered, or what answered refused
  2  the command line or a setting is wrong
  3  the server has no such call (Scalr's API lacks what only `scalr-eventbridge dev` has)
  4  what was found is wrong: a broken link, a paused connection, a failed check, an event that no rule matched or that can arrive nowhere
  5  what was found is right, and AWS's side could not be seen
  `pattern` and `exec` have codes of their own, see their help.";

/// A failure with an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A setting is missing or cannot be used.
    #[error("{0}")]
    Setting(String),
    /// What was wanted is not so, and this is to be done about it.
    #[error("{what}")]
    WithNext { what: String, next: String },
    /// What was found keeps the command from doing what it is for, and this is to be done about it.
    #[error("{what}")]
    FoundWrong { what: String, next: String },
    /// The server has no such call.
    #[error("{host} has no call for this: {what}. These work there: {instead}")]
    Unsupported {
        host: String,
        /// What it lacks, and where it is to be had.
        what: &'static str,
        /// The commands that work there.
        instead: &'static str,
    },
}

impl Failure {
    /// A setting is missing or cannot be used.
    pub(super) fn setting(text: impl Into<String>) -> anyhow::Error {
        Self::Setting(text.into()).into()
    }
}

/// Whether a setting was refused.
pub(super) fn is_setting(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::Setting(_)))
}

/// The exit code of a failed command.
pub(super) fn code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(match error.downcast_ref() {
        Some(Failure::Setting(_)) => USAGE,
        Some(Failure::Unsupported { .. }) => UNSUPPORTED,
        Some(Failure::FoundWrong { .. }) => FOUND_WRONG,
        Some(Failure::WithNext { .. }) | None => FAILED,
    })
}

/// The exit code of a command that was done.
pub(super) fn found(is_right: bool) -> ExitCode {
    if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_WRONG)
    }
}
