//! Events of a given length, as other systems send them to a service.

use serde_json::{Value, json};

/// Where RunExecuted events are sent.
pub(crate) const RUN_EXECUTED: &str = "/events/v1/run-executed";
/// Where AuditLog events are sent.
pub(crate) const AUDIT_LOGS: &str = "/events/v1/audit-logs";
/// The media type of a body with one event a line.
pub(crate) const LINES: &str = "application/x-ndjson";
/// The media type of a body that is one event.
pub(crate) const ONE: &str = "application/json";
/// Length of an event's JSON.
const EVENT_BYTES: usize = 1_000;

/// The detail of a RunExecuted event, padded to its length.
pub(crate) fn run_executed(run: &str, workspace: &str) -> String {
    padded(|title| {
        let event = json!({
            "run-id": run, "source": "api", "is-dry": true, "is-destroy": false, "is-agent": false, "is-postponed": false,
            "result": "planned_and_finished", "duration": 1.0, "account": "bench", "workspace": workspace,
            "environment": "development", "user-email": "user@example.com",
        });
        json!({ "title": title, "tags": [], "event_type": "success", "event": event })
    })
}

/// The detail of an AuditLog event about the account itself, padded to its length.
pub(crate) fn audit_log(request: &str) -> String {
    padded(|title| {
        json!({
            "target": { "id": "acc-1", "type": "accounts", "display-name": title, "context": {} },
            "timestamp": "2026-11-30T10:00:00.000000",
            "request": { "id": request, "action": "update-account", "ip-address": "10.0.0.1", "source": "api", "user-agent": "test" },
            "actor": {
                "id": "user-1", "email": "user@example.com", "type": "user",
                "access-token": { "id": null, "type": "session", "token": "...abcdef" },
            },
            "outcome": { "result": "SUCCESS", "status-code": 200 },
            "tags": [],
        })
    })
}

/// The event with a title of such a length that it has its own.
fn padded(made: impl Fn(&str) -> Value) -> String {
    let bare = made("").to_string();
    made(&"t".repeat(EVENT_BYTES.saturating_sub(bare.len()))).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_their_length() {
        assert_eq!(run_executed("run-1", "w3").len(), EVENT_BYTES);
        assert_eq!(audit_log("req-1").len(), EVENT_BYTES);
    }
}
