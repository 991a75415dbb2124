//! One of Scalr's events as a line for people.

use serde_json::Value;

use super::show::{Look, escaped};

/// The line of an event as a log group has it; `None` of what is no event of Scalr's, such as what a transformer made.
pub(super) fn line(message: &str) -> Option<String> {
    let event: Value = serde_json::from_str(message).ok()?;
    match event.get("detail-type")?.as_str()? {
        "RunExecuted" => Some(run(event.pointer("/detail/event")?)),
        "AuditLog" => Some(audit_log(event.get("detail")?)),
        _ => None,
    }
}

fn text<'e>(event: &'e Value, pointer: &str) -> &'e str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

/// What a run is, in words.
pub(super) const fn kind(is_dry: bool, is_destroy: bool) -> &'static str {
    match (is_dry, is_destroy) {
        (false, false) => "apply",
        (true, false) => "plan",
        (false, true) => "destroy",
        (true, true) => "plan of a destroy",
    }
}

fn run(run: &Value) -> String {
    let result = text(run, "/result");
    let look = match result {
        "applied" | "planned_and_finished" => Look::Good,
        "errored" => Look::Bad,
        _ => Look::Doubtful,
    };
    let is = |pointer: &str| run.pointer(pointer).and_then(Value::as_bool).unwrap_or_default();
    let kind = kind(is("/is-dry"), is("/is-destroy"));
    format!(
        "RunExecuted  {}  {kind} of {}/{}  {}  by {}",
        look.paint(result),
        escaped(text(run, "/environment")),
        escaped(text(run, "/workspace")),
        escaped(text(run, "/run-id")),
        escaped(text(run, "/user-email")),
    )
}

fn audit_log(detail: &Value) -> String {
    let result = text(detail, "/outcome/result");
    let look = if result == "SUCCESS" {
        Look::Good
    } else {
        Look::Bad
    };
    format!(
        "AuditLog     {}  {} of {} {} ({})  by {}",
        look.paint(result),
        escaped(text(detail, "/request/action")),
        escaped(text(detail, "/target/type")),
        escaped(text(detail, "/target/display-name")),
        escaped(text(detail, "/target/id")),
        escaped(text(detail, "/actor/email")),
    )
}

#[cfg(test)]
mod tests {
    use scalr_events::{EventType, sample};

    use super::*;

    #[test]
    fn an_event_is_a_line() {
        let plain = |message: &str| line(message).map(|line| anstream::adapter::strip_str(&line).to_string());
        for (message, want) in [
            (
                sample(EventType::RunExecuted).to_string(),
                Some(
                    "RunExecuted  applied  apply of environment-name/workspace-name  run-1234567890  by user@example.com",
                ),
            ),
            (
                sample(EventType::AuditLog).to_string(),
                Some(
                    "AuditLog     SUCCESS  create-workspace of workspaces workspace-name (ws-1234567890)  by user@example.com",
                ),
            ),
            (
                r#"{"detail-type": "RunExecuted", "detail": {"event": {"workspace": "a\nb"}}}"#.to_owned(),
                Some("RunExecuted  -  apply of -/a\\nb  -  by -"),
            ),
            ("a run was errored".to_owned(), None),
            (r#"{"detail-type": "Other"}"#.to_owned(), None),
        ] {
            assert_eq!(plain(&message).as_deref(), want, "{message}");
        }
    }
}
