//! A step, and what all steps share.

use anyhow::Result;

use super::build::Build;
use super::changes::Changes;
use super::report::{Job, Report, StepResult};

/// Which steps wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Builds, and runs what was built. Its output is printed as it comes.
    Main,
    /// Runs at the same time; the output of each step is printed when the step has ended.
    Beside,
}

/// One check.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) lane: Lane,
    /// Part of a quick run.
    pub(super) quick: bool,
    pub(super) check: fn(&Shared, &mut Job) -> Result<StepResult>,
}

/// What the steps of a run share.
pub(super) struct Shared {
    /// Only the acceptance cases whose name holds this text.
    pub(super) case: Option<String>,
    /// What a quick run looks at.
    pub(super) changes: Option<Changes>,
    pub(super) build: Build,
}

impl Step {
    /// Runs it; an error is a failure of the step, and the others go on.
    pub(super) fn run(&self, shared: &Shared) -> Report {
        let mut job = Job::start(self.name, self.lane == Lane::Beside);
        let result =
            (self.check)(shared, &mut job).unwrap_or_else(|error| StepResult::Failed(format!("{error:#}")));
        job.end(result)
    }
}
