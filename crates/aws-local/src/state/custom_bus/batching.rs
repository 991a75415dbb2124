//! How many events one call to a target carries, by the kind of the target ("Batching deliveries to a target" in AWS's guide to
//! custom event buses, and CloudFormation's `BatchConfiguration`).

use serde_json::Value;

use crate::arn::Arn;
use crate::clock::Millis;

/// AWS's default where a target has no bound of its own.
const SIZE_DEFAULT: usize = 10;
/// The most that can be asked for.
const SIZE_MAX: usize = 500;
/// The most bytes of the data of one batch, as AWS's guide has it for a queue. A larger event is a batch by itself.
const BYTES_MAX: usize = 256 * 1024;

/// When a batch is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batching {
    pub(crate) size: usize,
    pub(crate) window: Millis,
    pub(crate) bytes_max: usize,
    /// A call carries an array, even of one event: more than one is asked for.
    pub(crate) is_array: bool,
}

/// How many events a target takes in one call: where nothing is asked for, and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) default: usize,
    pub(crate) max: usize,
}

impl Sizes {
    /// By the ARN of the target.
    pub(crate) fn of(target: &str) -> Self {
        let Some(arn) = Arn::parse(target) else {
            return Self {
                default: SIZE_DEFAULT,
                max: SIZE_MAX,
            };
        };
        let (default, max) = match arn.service {
            "sqs" | "sns" => (10, 10),
            "kinesis" | "firehose" => (500, 500),
            "lambda" | "states" => (10, 100),
            "events" if arn.resource.starts_with("event-bus/") => (10, 10),
            "events" if arn.resource.starts_with("event-busv2/") => (100, 100),
            _ => (SIZE_DEFAULT, SIZE_MAX),
        };
        Self { default, max }
    }
}

impl Batching {
    /// `BatchConfiguration` of a subscriber, with the defaults of its target.
    pub(crate) fn of(target: &str, given: Option<&Value>) -> Self {
        let sizes = Sizes::of(target);
        let number = |name: &str| given.and_then(|batch| batch.get(name)).and_then(Value::as_i64);
        let size = number("MaxBatchSize").and_then(|size| usize::try_from(size).ok());
        let size = size.unwrap_or(sizes.default).clamp(1, sizes.max);
        Self {
            size,
            is_array: size > 1,
            window: number("MaxBatchWindowInSeconds").unwrap_or(0) * 1_000,
            bytes_max: BYTES_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_has_bounds_of_its_own() {
        let check = |target: &str, given: Value, size: usize, window: Millis| {
            let found = Batching::of(&format!("arn:aws:{target}"), Some(&given));
            assert_eq!((found.size, found.window), (size, window), "{target} {given}");
        };
        let size = |size: i64| json!({ "MaxBatchSize": size });
        check("sqs:r:1:q", json!({}), 10, 0);
        check(
            "sqs:r:1:q",
            json!({ "MaxBatchSize": 3, "MaxBatchWindowInSeconds": 7 }),
            3,
            7_000,
        );
        check("sqs:r:1:q", size(500), 10, 0);
        check("kinesis:r:1:stream/s", json!({}), 500, 0);
        check("lambda:r:1:function:f", json!({}), 10, 0);
        check("lambda:r:1:function:f", size(100), 100, 0);
        check("events:r:1:event-bus/b", json!({}), 10, 0);
        check("events:r:1:event-busv2/b/i", json!({}), 100, 0);
        check("events:r:1:api-destination/d/i", json!({}), 10, 0);
        check("events:::aws-sdk:cloudwatchlogs:putLogEvents", size(500), 500, 0);
    }
}
