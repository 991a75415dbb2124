//! Finding the run's event in the log group.

use aws_sdk_cloudwatchlogs::primitives::{DateTime, DateTimeFormat};
use aws_sdk_cloudwatchlogs::types::{FilteredLogEvent, LogGroup, LogGroupClass};
use scalr_events::EventType;
use serde_json::Value;

use crate::aws::{Error, Regional};

/// Clocks may differ by this much.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// An event that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub event_id: Option<String>,
    pub delivered_at: Option<String>,
    pub latency_ms: i64,
}

/// AWS refuses FilterLogEvents for this class.
pub fn is_infrequent(group: &LogGroup) -> bool {
    group.log_group_class() == Some(&LogGroupClass::InfrequentAccess)
}

/// Whether log events may be looked for at all.
pub(super) async fn may_read(aws: &Regional, group: &str) -> Result<(), Error> {
    let call = aws.logs.filter_log_events().log_group_name(group).limit(1);
    aws.read("logs:FilterLogEvents", call.send()).await.map(drop)
}

/// Looks for the event of a run, started at `since_ms`.
pub(super) async fn find(
    aws: &Regional,
    group: &str,
    run: &str,
    since_ms: i64,
) -> Result<Option<Arrival>, Error> {
    const CALL: &str = "logs:FilterLogEvents";
    let ask = async |token| {
        let call = aws
            .logs
            .filter_log_events()
            .log_group_name(group)
            .start_time(since_ms.saturating_sub(SKEW_MS))
            .filter_pattern(format!("\"{run}\""));
        let page = aws.read(CALL, call.set_next_token(token).send()).await?;
        aws.page(CALL, "events", page.events, page.next_token)
    };
    aws.search(CALL, ask, |event| read(&event, run, since_ms)).await
}

/// The log event, if it is of this run: as the whole event, or as whatever the target makes of it.
fn read(event: &FilteredLogEvent, run: &str, since_ms: i64) -> Option<Arrival> {
    let message = event.message()?;
    let envelope: Option<Value> = serde_json::from_str(message).ok();
    let named = envelope
        .as_ref()
        .and_then(|e| e.pointer("/detail/event/run-id"))
        .and_then(Value::as_str);
    if named.map_or(!message.contains(run), |named| named != run) || envelope.as_ref().is_some_and(is_other) {
        return None;
    }
    let text = |name: &str| envelope.as_ref()?.get(name)?.as_str();
    let sent_ms = text("time").and_then(millis).unwrap_or(since_ms);
    let arrived_ms = event.ingestion_time().or(event.timestamp()).unwrap_or(sent_ms);
    Some(Arrival {
        event_id: text("id").map(str::to_owned),
        delivered_at: DateTime::from_millis(arrived_ms)
            .fmt(DateTimeFormat::DateTime)
            .ok(),
        latency_ms: arrived_ms.saturating_sub(sent_ms).max(0),
    })
}

/// The AuditLog event of the call that started the run names it too, whole or as the `detail` of one.
fn is_other(envelope: &Value) -> bool {
    let other = |kind: &Value| kind != EventType::RunExecuted.as_str();
    envelope.get("detail-type").is_some_and(other) || envelope.pointer("/request/action").is_some()
}

fn millis(text: &str) -> Option<i64> {
    DateTime::from_str(text, DateTimeFormat::DateTimeWithOffset)
        .ok()?
        .to_millis()
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn logged(message: &str) -> FilteredLogEvent {
        FilteredLogEvent::builder()
            .message(message)
            .timestamp(1_700_000_001_000)
            .ingestion_time(1_700_000_001_500)
            .build()
    }

    fn envelope(run: &str) -> String {
        json!({ "id": "e-1", "time": "2023-11-14T22:13:20Z", "detail": { "event": { "run-id": run } } })
            .to_string()
    }

    #[test]
    fn an_event_of_the_run_is_read() {
        let arrival = read(&logged(&envelope("run-1")), "run-1", 0).expect("it is the run's");
        assert_eq!(arrival.event_id.as_deref(), Some("e-1"));
        assert_eq!(
            (arrival.delivered_at.as_deref(), arrival.latency_ms),
            (Some("2023-11-14T22:13:21.5Z"), 1_500)
        );
    }

    #[test]
    fn others_are_passed_over_and_transformed_ones_count() {
        assert_eq!(read(&logged(&envelope("run-12")), "run-1", 0), None);
        assert_eq!(read(&logged("nothing of it"), "run-1", 0), None);
        let audit = json!({ "target": { "id": "run-1" }, "request": { "action": "create-run" } });
        let whole = json!({ "id": "e-2", "detail-type": "AuditLog", "detail": audit });
        for message in [whole, audit] {
            assert_eq!(read(&logged(&message.to_string()), "run-1", 0), None, "{message}");
        }
        let transformed =
            read(&logged("the run run-1 is done"), "run-1", 1_700_000_000_000).expect("it names the run");
        assert_eq!((transformed.event_id, transformed.latency_ms), (None, 1_500));
    }
}
