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

/// Whether this program knows the version of a database's tables.
pub(super) fn of_schema(version: i64, known: i64, in_use: &str) -> Check {
    let check = |verdict, detail: String| Check::new("database", verdict, detail);
    match version.cmp(&known) {
        std::cmp::Ordering::Equal => check(Verdict::Ok, format!("version {version} of its tables; {in_use}")),
        std::cmp::Ordering::Less => check(
            Verdict::Warning,
            format!(
                "version {version} of its tables; the next start brings them to version {known}; {in_use}"
            ),
        ),
        std::cmp::Ordering::Greater => Check {
            next: Some("start the version of the program that has written it, or a newer one".to_owned()),
            ..check(
                Verdict::Failed,
                format!("version {version} of its tables, and this program knows {known}"),
            )
        },
    }
}
