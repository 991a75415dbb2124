//! `RunExecuted`: what Scalr sends when a run has ended.

use serde::{Deserialize, Serialize};

/// What Scalr's API lists as statuses of a run, without those of a run that goes on: `planned_and_finished`, `applied`, `errored`,
/// `discarded` and `canceled` in its reference (Runs, `attributes.status`), `policy_soft_failed` in its Go SDK (`RunStatus`), where
/// nothing says that a run goes on from there.
pub(crate) const RESULTS: &[&str] = &[
    "applied",
    "planned_and_finished",
    "errored",
    "canceled",
    "discarded",
    "policy_soft_failed",
];

/// The `title` of a run's event.
pub fn run_title(id: &str, workspace: &str, environment: &str) -> String {
    format!("Scalr run execution completed on workspace '{workspace}' ({environment}). Run ID: {id}.")
}

/// The `event_type` of the event of a run with this result.
pub fn run_event_type(result: &str) -> &'static str {
    if matches!(result, "applied" | "planned_and_finished") {
        "success"
    } else {
        "error"
    }
}

/// The `detail` of a `RunExecuted` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunExecuted {
    /// One sentence for people.
    pub title: String,
    /// The run.
    pub event: Run,
    /// `scalr-environment:ID`, `scalr-workspace:ID`, and the same with `-name`.
    pub tags: Vec<String>,
    /// `success` or `error`.
    pub event_type: String,
}

/// The run that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "the wire form is a set of flags")]
pub struct Run {
    /// Stable id, `run-…`, by which a consumer recognises duplicates.
    pub run_id: String,
    /// What started the run: `vcs`, `cli`, `api`, `ui`, …
    pub source: String,
    /// A plan that cannot be applied.
    pub is_dry: bool,
    /// A destroy run.
    pub is_destroy: bool,
    /// Ran on an agent.
    pub is_agent: bool,
    /// Was postponed before it started.
    pub is_postponed: bool,
    /// The run's last status, such as `applied` or `errored`.
    pub result: String,
    /// Nanoseconds.
    pub duration: f64,
    /// Name of the Scalr account.
    pub account: String,
    /// Name of the workspace.
    pub workspace: String,
    /// Name of the environment.
    pub environment: String,
    /// Who started the run.
    pub user_email: String,
}
