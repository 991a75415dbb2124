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

/// Which runs a step is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// Whole and quick runs.
    All,
    /// Whole runs.
    Whole,
    /// Those that name it.
    Named,
}

/// One check.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) lane: Lane,
    /// Which runs it is part of.
    pub(super) part_of: Runs,
    pub(super) check: fn(&Shared, &mut Job) -> Result<StepResult>,
}

/// What the steps of a run share.
pub(super) struct Shared {
    /// Only the acceptance cases whose name holds this text.
    pub(super) case: Option<String>,
    /// How often the orders of create and destroy are run as they come.
    pub(super) repeat: u32,
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
