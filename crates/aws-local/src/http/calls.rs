//! Which calls came, and from whom: what a caller needs permissions for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use serde_json::{Value, json};

/// The most pairs of operation and caller that are counted.
const ROWS_MAX: usize = 1_000;
/// Longer ones are cut.
const USER_AGENT_CHARS_MAX: usize = 1_024;

/// The calls since the start, or since they were cleared.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// By operation and `User-Agent`.
    rows: BTreeMap<(String, String), u64>,
    /// Calls for which there was no row left.
    left_out: u64,
}

impl Calls {
    /// Counts a call.
    pub(super) fn count(&self, operation: &str, headers: &HeaderMap) {
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let agent: String = agent
            .unwrap_or_default()
            .chars()
            .take(USER_AGENT_CHARS_MAX)
            .collect();
        let mut counted = self.lock();
        let row = (operation.to_owned(), agent);
        if counted.rows.len() >= ROWS_MAX && !counted.rows.contains_key(&row) {
            counted.left_out += 1;
        } else {
            *counted.rows.entry(row).or_default() += 1;
        }
    }

    /// Forgets them.
    pub(super) fn clear(&self) {
        *self.lock() = Counted::default();
    }

    /// By operation, then `User-Agent`.
    pub(super) fn list(&self) -> Value {
        let counted = self.lock();
        let row = |((operation, agent), count): (&(String, String), &u64)| json!({ "operation": operation, "user_agent": agent, "count": count });
        let rows: Vec<_> = counted.rows.iter().map(row).collect();
        json!({ "calls": rows, "left_out": counted.left_out })
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from(agent: &str) -> HeaderMap {
        HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_str(agent).unwrap())])
    }

    #[test]
    fn calls_are_counted_by_operation_and_caller() {
        let calls = Calls::default();
        for (operation, agent) in [
            ("events:PutRule", "b"),
            ("events:PutRule", "a"),
            ("events:PutRule", "b"),
            ("logs:CreateLogGroup", &"x".repeat(1_100)),
        ] {
            calls.count(operation, &from(agent));
        }
        calls.count("sqs:SendMessage", &HeaderMap::new());
        let row = |operation: &str, agent: &str, count: u64| json!({ "operation": operation, "user_agent": agent, "count": count });
        let want = [
            row("events:PutRule", "a", 1),
            row("events:PutRule", "b", 2),
            row("logs:CreateLogGroup", &"x".repeat(1_024), 1),
            row("sqs:SendMessage", "", 1),
        ];
        assert_eq!(calls.list(), json!({ "calls": want, "left_out": 0 }));
        calls.clear();
        assert_eq!(calls.list(), json!({ "calls": [], "left_out": 0 }));
    }

    #[test]
    fn the_rows_are_bounded() {
        let calls = Calls::default();
        for caller in 0..=ROWS_MAX {
            calls.count("events:PutRule", &from(&caller.to_string()));
        }
        // A row that is there goes on being counted.
        calls.count("events:PutRule", &from("0"));
        let list = calls.list();
        assert_eq!(list["calls"].as_array().map(Vec::len), Some(ROWS_MAX));
        assert_eq!(
            (&list["left_out"], &list["calls"][0]["count"]),
            (&json!(1), &json!(2))
        );
    }
}
