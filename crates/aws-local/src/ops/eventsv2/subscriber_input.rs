//! What a subscriber is asked for: checked in AWS's order, target, filters, then the rest.

use event_pattern::FilterError;
use serde::Deserialize;
use serde_json::Value;

use super::faults::{invalid, not_here};
use crate::arn::Arn;
use crate::clock::{Millis, read_time};
use crate::fault::Fault;
use crate::state::RealmId;
use crate::state::custom_bus::{FilterSet, Sizes};

/// A replay may begin no later than that before now.
const REPLAY_AGE_MIN: Millis = 5 * 60 * 1000;

/// The parameter blocks by the kind of target that takes them.
const BLOCKS: [&str; 9] = [
    "LambdaParameters",
    "SqsParameters",
    "SnsParameters",
    "KinesisParameters",
    "StepFunctionsParameters",
    "HttpParameters",
    "UniversalTargetParameters",
    "EventBusV2Parameters",
    "MskParameters",
];

/// The kinds of targets that a subscriber may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The block that belongs to it, if it has one.
    block: Option<&'static str>,
    /// Whether it has to be in the subscriber's region.
    is_regional: bool,
}

/// The kind of a target, by its ARN.
fn kind(arn: &Arn<'_>) -> Option<Kind> {
    let (resource, regional) = (arn.resource, true);
    let kind = |block, is_regional| Some(Kind { block, is_regional });
    match arn.service {
        "sqs" => kind(Some("SqsParameters"), regional),
        "sns" => kind(Some("SnsParameters"), regional),
        "lambda" if resource.starts_with("function:") => kind(Some("LambdaParameters"), regional),
        "kinesis" if resource.starts_with("stream/") => kind(Some("KinesisParameters"), regional),
        "firehose" => kind(None, regional),
        "states" if resource.starts_with("stateMachine:") => kind(Some("StepFunctionsParameters"), regional),
        "execute-api" => kind(Some("HttpParameters"), regional),
        "kafka" => kind(Some("MskParameters"), regional),
        "events" if resource.starts_with("api-destination/") => kind(Some("HttpParameters"), regional),
        "events" if resource.starts_with("event-busv2/") => kind(Some("EventBusV2Parameters"), false),
        // A partner's bus takes events of its partner alone.
        "events" if resource.starts_with("event-bus/aws.partner/") => None,
        "events" if resource.starts_with("event-bus/") => kind(None, regional),
        "events" if resource.starts_with("aws-sdk:") => kind(Some("UniversalTargetParameters"), false),
        _ => None,
    }
}

/// `InvokeConfiguration` of a creation, or what it is after an update: a target with at most the one block that it takes. A
/// stored one was accepted when it came.
pub(super) fn check_invoke(
    realm: &RealmId,
    bus_arn: &str,
    invoke: &Value,
    stored: bool,
) -> Result<(), Fault> {
    if stored {
        return Ok(());
    }
    let text = invoke.get("TargetArn").and_then(Value::as_str);
    let Some(text) = text else {
        return Err(invalid("InvokeConfiguration.TargetArn is required."));
    };
    let unsupported =
        || invalid("InvokeConfiguration.TargetArn: TargetArn is not a supported subscriber target");
    let arn = Arn::parse(text).ok_or_else(unsupported)?;
    let kind = kind(&arn).ok_or_else(unsupported)?;
    if kind.block == Some("MskParameters") {
        return Err(not_here("MSK targets"));
    }
    if !arn.account.is_empty() && arn.account != realm.account() {
        return Err(invalid(format!(
            "Target resource account ({}) must match the subscriber account ({})",
            arn.account,
            realm.account()
        )));
    }
    if kind.is_regional && arn.region != realm.region() {
        return Err(invalid(format!("TargetArn must be in region {}", realm.region())));
    }
    if text == bus_arn {
        return Err(invalid(
            "InvokeConfiguration.TargetArn must not reference the subscriber's own event bus",
        ));
    }
    let is_given = |block: &&str| invoke.get(block).is_some_and(|value| !value.is_null());
    let other = BLOCKS
        .into_iter()
        .filter(is_given)
        .find(|block| Some(*block) != kind.block);
    if let Some(other) = other {
        let expected = kind
            .block
            .map_or("Expected no target parameters".to_owned(), |block| {
                format!("Expected {block}")
            });
        return Err(invalid(format!(
            "{other} is not supported for target ARN. {expected}"
        )));
    }
    if let Some(api) = arn.resource.strip_prefix("aws-sdk:") {
        check_api(api)?;
    }
    if kind.block == Some("UniversalTargetParameters") && !is_given(&"UniversalTargetParameters") {
        return Err(invalid(
            "UniversalTargetParameters is required when TargetArn is a USI target",
        ));
    }
    Ok(())
}

/// What a universal target cannot call: what reads, and what publishes events, for which a bus is a target itself ("Unsupported
/// actions" in AWS's guide; the words of its refusal are not known).
fn check_api(api: &str) -> Result<(), Fault> {
    let (service, action) = api.split_once(':').unwrap_or((api, ""));
    let reads = ["get", "list", "describe"];
    let is_read = reads.iter().any(|prefix| {
        let rest = action.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_uppercase()))
    });
    let publishes = service == "eventbridge" && matches!(action, "putEvents" | "putPartnerEvents");
    if is_read || publishes {
        return Err(invalid(format!(
            "The api {action} of the service {service} is not supported as a target"
        )));
    }
    if !action.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return Err(invalid(format!(
            "The api {action} is not valid for the service {service}"
        )));
    }
    Ok(())
}

/// `BatchConfiguration`: no more than the target takes. A universal target has no default, so that it needs both members.
pub(super) fn check_batch(target: &str, batch: Option<&Value>) -> Result<(), Fault> {
    let number = |name: &str| batch.and_then(|batch| batch.get(name)).and_then(Value::as_i64);
    let (size, window) = (number("MaxBatchSize"), number("MaxBatchWindowInSeconds"));
    if target.contains(":aws-sdk:") && (size.is_none() || window.is_none()) {
        return Err(invalid(
            "BatchConfiguration with MaxBatchSize and MaxBatchWindowInSeconds is required when TargetArn is a USI target",
        ));
    }
    let max = Sizes::of(target).max;
    if size.is_some_and(|size| usize::try_from(size).is_ok_and(|size| size > max)) {
        return Err(invalid(format!(
            "BatchConfiguration.MaxBatchSize must not be greater than {max} for this target"
        )));
    }
    Ok(())
}

/// `FilterConfiguration`: one pattern a scope.
pub(super) fn read_filters(configuration: &Value, stored: bool) -> Result<FilterSet, Fault> {
    let filters = configuration.get("Filters").and_then(Value::as_array);
    let text = |filter: &Value, name: &str| {
        filter
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let all = filters.into_iter().flatten();
    let texts: Vec<_> = all
        .map(|filter| (text(filter, "Scope"), text(filter, "Pattern")))
        .collect();
    if stored {
        return Ok(FilterSet::stored(texts));
    }
    FilterSet::new(texts).map_err(|error: FilterError| invalid(error.to_string()))
}

/// `PointInTimeConfiguration`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PointInTime {
    point_type: String,
    starting_point: Option<Value>,
    end_point: Option<Value>,
}

/// Where a subscriber begins: with what comes, or from a time on and up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Latest,
    At { from: Millis, end: Option<Millis> },
}

/// Reads `StartingPosition` and `PointInTimeConfiguration`; `window` is the beginning of what the bus keeps.
pub(super) fn read_start(
    position: Option<&str>,
    point: Option<&Value>,
    window: Millis,
    now: Millis,
) -> Result<Start, Fault> {
    let point: Option<PointInTime> = point
        .map(|point| crate::model::parse(point.clone()))
        .transpose()?;
    match (position.unwrap_or("LATEST"), point) {
        ("LATEST", None) => Ok(Start::Latest),
        ("LATEST", Some(_)) => Err(invalid(
            "PointInTimeConfiguration must not be provided when StartingPosition is LATEST",
        )),
        (_, None) => Err(invalid(
            "PointInTimeConfiguration is required when StartingPosition is POINT_IN_TIME",
        )),
        (_, Some(point)) => point.start(window, now),
    }
}

impl PointInTime {
    fn start(&self, window: Millis, now: Millis) -> Result<Start, Fault> {
        let time = |value: &Option<Value>| value.as_ref().and_then(read_time);
        let end = time(&self.end_point);
        if self.point_type == "HORIZON" {
            if self.starting_point.is_some() {
                return Err(invalid(
                    "PointInTimeConfiguration.StartingPoint must not be provided when PointType is HORIZON",
                ));
            }
            return Ok(Start::At { from: window, end });
        }
        let Some(from) = time(&self.starting_point) else {
            return Err(invalid(
                "PointInTimeConfiguration.StartingPoint is required when PointType is TIMESTAMP",
            ));
        };
        if from > now {
            return Err(invalid(
                "PointInTimeConfiguration.StartingPoint must not be in the future",
            ));
        }
        if from > now - REPLAY_AGE_MIN {
            return Err(invalid(
                "PointInTimeConfiguration.StartingPoint must be at least 5 minutes in the past",
            ));
        }
        if from < window {
            return Err(invalid(
                "PointInTimeConfiguration.StartingPoint is before the beginning of the event bus's retention window",
            ));
        }
        if end.is_some_and(|end| end <= from) {
            return Err(invalid(
                "PointInTimeConfiguration.EndPoint must be after StartingPoint",
            ));
        }
        Ok(Start::At { from, end })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BUS: &str = "arn:aws:events:us-east-1:1:event-busv2/b/x";

    fn check(invoke: &Value, expected: &str) {
        let refused = check_invoke(&RealmId::new("1", "us-east-1"), BUS, invoke, false).err();
        let refused = refused.map_or("taken".to_owned(), |fault| fault.message);
        assert_eq!(refused, expected, "{invoke}");
    }

    #[test]
    fn a_target_takes_its_own_block_alone() {
        let queue = "arn:aws:sqs:us-east-1:1:q";
        let prefix = "InvokeConfiguration.TargetArn";
        check(&json!({ "TargetArn": queue }), "taken");
        check(&json!({ "TargetArn": queue, "SqsParameters": {} }), "taken");
        check(
            &json!({ "TargetArn": queue, "SnsParameters": {} }),
            "SnsParameters is not supported for target ARN. Expected SqsParameters",
        );
        check(
            &json!({ "TargetArn": "arn:aws:events:us-east-1:1:event-bus/c", "SqsParameters": {} }),
            "SqsParameters is not supported for target ARN. Expected no target parameters",
        );
        check(
            &json!({ "TargetArn": "arn:aws:logs:us-east-1:1:log-group:g" }),
            &format!("{prefix}: TargetArn is not a supported subscriber target"),
        );
        check(
            &json!({ "TargetArn": "arn:aws:sqs:us-east-1:2:q" }),
            "Target resource account (2) must match the subscriber account (1)",
        );
        check(
            &json!({ "TargetArn": "arn:aws:sqs:eu-west-1:1:q" }),
            "TargetArn must be in region us-east-1",
        );
        check(
            &json!({ "TargetArn": "arn:aws:events:eu-west-1:1:event-busv2/b/y" }),
            "taken",
        );
        check(
            &json!({ "TargetArn": BUS }),
            &format!("{prefix} must not reference the subscriber's own event bus"),
        );
        check(
            &json!({ "TargetArn": "arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents" }),
            "UniversalTargetParameters is required when TargetArn is a USI target",
        );
    }

    #[test]
    fn a_universal_target_neither_reads_nor_publishes_events() {
        for (api, expected) in [
            ("dynamodb:putItem", "taken"),
            ("sqs:sendMessage", "taken"),
            ("sqs:getter", "taken"),
            (
                "dynamodb:PutItem",
                "The api PutItem is not valid for the service dynamodb",
            ),
            ("sqs", "The api  is not valid for the service sqs"),
            (
                "s3:getObject",
                "The api getObject of the service s3 is not supported as a target",
            ),
            (
                "eventbridge:putEvents",
                "The api putEvents of the service eventbridge is not supported as a target",
            ),
        ] {
            let target = format!("arn:aws:events:::aws-sdk:{api}");
            let invoke = json!({ "TargetArn": target, "UniversalTargetParameters": { "Input": "{}" } });
            check(&invoke, expected);
        }
    }

    #[test]
    fn a_batch_is_no_larger_than_its_target_takes() {
        let check = |target: &str, batch: Value, expected: &str| {
            let refused = check_batch(&format!("arn:aws:{target}"), Some(&batch)).err();
            let refused = refused.map_or("taken".to_owned(), |fault| fault.message);
            assert!(refused.contains(expected), "{target} {batch} {refused}");
        };
        let both = json!({ "MaxBatchSize": 500, "MaxBatchWindowInSeconds": 0 });
        check("sqs:us-east-1:1:q", json!({ "MaxBatchSize": 10 }), "taken");
        check("sqs:us-east-1:1:q", both.clone(), "greater than 10");
        check("lambda:us-east-1:1:function:f", both.clone(), "greater than 100");
        check(
            "events:::aws-sdk:sns:publish",
            json!({ "MaxBatchSize": 1 }),
            "is required",
        );
        check("events:::aws-sdk:sns:publish", both, "taken");
    }

    #[test]
    fn a_replay_begins_within_the_window_and_five_minutes_ago() {
        const NOW: Millis = 1_000_000;
        let start = |position: Option<&str>, point: Option<Value>| {
            read_start(position, point.as_ref(), 100_000, NOW).map_err(|fault| fault.message)
        };
        let at = |seconds: i64| json!({ "PointType": "TIMESTAMP", "StartingPoint": seconds });
        assert_eq!(start(None, None), Ok(Start::Latest));
        let horizon = Some(json!({ "PointType": "HORIZON" }));
        assert_eq!(
            start(Some("POINT_IN_TIME"), horizon),
            Ok(Start::At {
                from: 100_000,
                end: None
            })
        );
        assert_eq!(
            start(Some("POINT_IN_TIME"), Some(at(700))),
            Ok(Start::At {
                from: 700_000,
                end: None
            })
        );
        for (position, point, why) in [
            ("POINT_IN_TIME", None, "is required"),
            ("LATEST", Some(at(700)), "must not be provided"),
            ("POINT_IN_TIME", Some(at(1_001)), "in the future"),
            ("POINT_IN_TIME", Some(at(701)), "5 minutes"),
            ("POINT_IN_TIME", Some(at(99)), "retention window"),
        ] {
            let refused = start(Some(position), point.clone()).unwrap_err();
            assert!(refused.contains(why), "{position} {point:?} {refused}");
        }
    }
}
