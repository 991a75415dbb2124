//! The customer's side of AWS: the bus of an event source, what leads its events to a log group, and what arrived there.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::http::Connection;

const GROUP: &str = "/events";
/// Log events of one answer.
const PAGE: usize = 1_000;

/// A log event.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    /// The position in which it arrived: the local AWS has it at the end of the log event's id.
    pub(crate) position: u64,
    pub(crate) message: Value,
}

/// "Associate with event bus": the source is ACTIVE then. `place` is the account and the region.
pub(crate) fn associate(aws: &mut Connection, place: (&str, &str), source: &str) -> Result<()> {
    let bus = json!({ "Name": source, "EventSourceName": source });
    aws.aws_in(place, "AWSEvents.CreateEventBus", &bus).map(drop)
}

/// The same, with a rule that leads all events to a log group.
pub(crate) fn receive(aws: &mut Connection, place: (&str, &str), source: &str) -> Result<()> {
    associate(aws, place, source)?;
    let (account, region) = place;
    let arn = format!("arn:aws:logs:{region}:{account}:log-group:{GROUP}");
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": format!("{arn}:*"),
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let pattern = json!({ "source": [source] }).to_string();
    let target = json!({ "Id": "log", "Arn": arn });
    for (operation, body) in [
        ("Logs_20140328.CreateLogGroup", json!({ "logGroupName": GROUP })),
        (
            "Logs_20140328.PutResourcePolicy",
            json!({ "policyName": "events", "policyDocument": document }),
        ),
        (
            "AWSEvents.PutRule",
            json!({ "Name": "all", "EventBusName": source, "EventPattern": pattern }),
        ),
        (
            "AWSEvents.PutTargets",
            json!({ "Rule": "all", "EventBusName": source, "Targets": [target] }),
        ),
    ] {
        aws.aws_in(place, operation, &body)?;
    }
    Ok(())
}

/// All that is in the log group, in the order in which it arrived.
pub(crate) fn arrived(aws: &mut Connection, place: (&str, &str)) -> Result<Vec<Logged>> {
    let (mut all, mut token) = (vec![], Value::Null);
    loop {
        let mut filter = json!({ "logGroupName": GROUP, "limit": PAGE });
        if !token.is_null() {
            filter["nextToken"] = token;
        }
        let mut page = aws.aws_in(place, "Logs_20140328.FilterLogEvents", &filter)?;
        for event in page["events"].as_array().into_iter().flatten() {
            all.push(logged(event).with_context(|| format!("no log event: {event}"))?);
        }
        token = page["nextToken"].take();
        if token.is_null() {
            break;
        }
    }
    all.sort_by_key(|event| event.position);
    Ok(all)
}

fn logged(event: &Value) -> Option<Logged> {
    let id = event["eventId"].as_str()?;
    let position = id.get(id.len().checked_sub(19)?..)?.parse().ok()?;
    let message = serde_json::from_str(event["message"].as_str()?).ok()?;
    Some(Logged { position, message })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::logged;

    #[test]
    fn the_position_is_the_end_of_the_id() {
        let id = "00000000000000000000000000000000000500000000000000000012";
        let event = json!({ "eventId": id, "message": "{\"a\":1}" });
        let found = logged(&event).unwrap();
        assert_eq!((found.position, &found.message["a"]), (12, &json!(1)));
        assert!(logged(&json!({ "eventId": "7", "message": "{}" })).is_none());
    }
}
