//! A check and what it found.

use serde::Serialize;

use super::super::hint;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Warning,
    Failed,
    /// It needs what an earlier check did not find.
    Skipped,
}

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    #[serde(rename = "check")]
    pub(super) name: &'static str,
    pub(super) result: Verdict,
    pub(super) detail: String,
    pub(super) next: Option<String>,
}

impl Check {
    pub(super) fn new(check: &'static str, result: Verdict, detail: impl Into<String>) -> Self {
        Self {
            name: check,
            result,
            detail: detail.into(),
            next: None,
        }
    }

    /// What a call says that is only a check: whether it succeeded.
    pub(super) fn of<T>(
        check: &'static str,
        called: anyhow::Result<T>,
        detail: impl FnOnce(T) -> String,
    ) -> Self {
        match called {
            Ok(found) => Self::new(check, Verdict::Ok, detail(found)),
            Err(error) => Self {
                next: hint::next_step(&error).map(|step| step.text),
                ..Self::new(check, Verdict::Failed, hint::words(&error))
            },
        }
    }
}
