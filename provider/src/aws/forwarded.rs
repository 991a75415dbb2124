//! Where the events of a partner's source go on from the Classic bus that AWS manages for a custom event bus.

use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_eventbridgev2::types::{InvokeConfiguration, UniversalTargetParameters};
use serde_json::Value;

use super::{Error, Regional, arn};

/// The target that calls PutLogEvents: there is none of a log group.
const PUT_LOG_EVENTS: &str = "aws-sdk:cloudwatchlogs:putLogEvents";
/// What an expression begins with, whose value is known at a delivery only.
const EXPRESSION: &str = "{%";

/// What a subscriber's target is to a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leads {
    /// Another one.
    Elsewhere,
    /// An expression gives the log group.
    Perhaps,
    /// It writes there.
    There {
        /// The log stream, where no expression gives it.
        stream: Option<String>,
        /// It writes the event as it is.
        whole: bool,
    },
}

impl Regional {
    /// The custom event bus that a rule of a managed Classic bus leads to.
    pub async fn forwarded_to(&self, bus: &str) -> Result<Option<String>, Error> {
        for rule in self.rules(bus, None).await? {
            let Some(name) = rule.name().filter(|_| rule.state() != Some(&RuleState::Disabled)) else {
                continue;
            };
            let targets = self.targets(bus, name).await?.unwrap_or_default();
            let mut arns = targets.into_iter().map(|target| target.arn);
            if let Some(arn) = arns.find(|arn| arn::custom_bus_name(arn).is_some()) {
                return Ok(Some(arn));
            }
        }
        Ok(None)
    }
}

/// Whether an ARN is that of the target that writes to log groups.
pub fn writes_to_log_groups(target_arn: &str) -> bool {
    arn::parse(target_arn).is_some_and(|arn| arn.service == "events" && arn.resource == PUT_LOG_EVENTS)
}

/// What the target of a subscriber is to a log group.
pub fn leads_to_group(invoke: &InvokeConfiguration, group: &str) -> Leads {
    if !writes_to_log_groups(invoke.target_arn()) {
        return Leads::Elsewhere;
    }
    let input = invoke.universal_target_parameters();
    input_leads_to(input.map_or("", UniversalTargetParameters::input), group)
}

fn input_leads_to(input: &str, group: &str) -> Leads {
    let Ok(Value::Object(input)) = serde_json::from_str(input) else {
        return Leads::Perhaps;
    };
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_known = |text: &str| !text.is_empty() && !text.trim_start().starts_with(EXPRESSION);
    match text("LogGroupName") {
        name if name == group => Leads::There {
            stream: Some(text("LogStreamName"))
                .filter(|name| is_known(name))
                .map(str::to_owned),
            whole: input
                .get("LogEvents")
                .is_some_and(|events| events.to_string().contains("$string(Data)")),
        },
        name if is_known(name) => Leads::Elsewhere,
        _ => Leads::Perhaps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_group_of_a_subscriber_is_in_its_input() {
        const WHOLE: &str = "{% [$events.{ 'Timestamp': $millis(), 'Message': $string(Data) }] %}";
        let there = |stream: Option<&str>, whole| Leads::There {
            stream: stream.map(str::to_owned),
            whole,
        };
        for (input, want) in [
            (
                format!(r#"{{"LogGroupName": "/g", "LogStreamName": "s", "LogEvents": "{WHOLE}"}}"#),
                there(Some("s"), true),
            ),
            (
                r#"{"LogGroupName": "/g", "LogStreamName": "{% $events[0].Data.id %}", "LogEvents": []}"#
                    .to_owned(),
                there(None, false),
            ),
            (r#"{"LogGroupName": "/other"}"#.to_owned(), Leads::Elsewhere),
            (r#"{"LogGroupName": "{% '/g' %}"}"#.to_owned(), Leads::Perhaps),
            ("{% $events %}".to_owned(), Leads::Perhaps),
            ("{}".to_owned(), Leads::Perhaps),
            (String::new(), Leads::Perhaps),
        ] {
            assert_eq!(input_leads_to(&input, "/g"), want, "{input}");
        }
        assert!(writes_to_log_groups(
            "arn:aws-cn:events:::aws-sdk:cloudwatchlogs:putLogEvents"
        ));
        assert!(!writes_to_log_groups("arn:aws:sqs:us-east-1:123456789012:runs"));
    }
}
