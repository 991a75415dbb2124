//! Checks of the attributes of queues and topics. Each says what is wrong in the form "must …", without the attribute's name.

#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check of an attribute takes a reference, whatever the type"
)]

use std::collections::BTreeSet;

use super::checks::{at_most, is_fifo, within};
use super::{arn, import_id};
use crate::check::shortened;

/// The name of a queue that EventBridge can send to without more settings: a standard one.
pub fn queue_name(text: &str) -> Result<(), String> {
    if import_id::is_queue(text) {
        return Ok(());
    }
    Err(match (arn::queue_name(text), is_fifo(text)) {
        (Some(name), _) => format!("must be the name of a queue and not its ARN: `{name}`"),
        (None, true) => {
            "must not end in `.fifo`: this is a standard queue, as EventBridge takes no FIFO queue for dead \
                         letters, and sends to one only with a message group"
                .to_owned()
        }
        (None, false) => format!(
            "must be 1 to 80 letters, digits, `-` or `_`; it is `{}`",
            shortened(text)
        ),
    })
}

/// The rules that may send to a queue.
pub fn rule_arns(arns: &BTreeSet<String>) -> Result<(), String> {
    if arns.is_empty() {
        return Err("must name at least one rule: a queue that lets no rule in gets no events".to_owned());
    }
    arns.iter().try_for_each(|arn| rule_arn(arn))
}

/// The ARN of a rule.
pub fn rule_arn(text: &str) -> Result<(), String> {
    let of_events = arn::parse(text).filter(|arn| arn.service == "events");
    if of_events.is_some_and(|arn| arn.resource.starts_with("rule/")) {
        return Ok(());
    }
    Err(format!(
        "must be the ARN of a rule, the `arn` of a `scalr_eventbridge_rule`; it is `{}`",
        shortened(text)
    ))
}

/// The ARN of a topic that EventBridge can publish to without more settings: a standard one.
pub fn topic_arn(text: &str) -> Result<(), String> {
    match arn::parse(text).filter(|arn| arn.service == "sns") {
        Some(topic) if is_fifo(topic.resource) => Err(
            "must be the ARN of a standard topic: EventBridge publishes to a FIFO topic only with a message group".to_owned(),
        ),
        Some(_) => Ok(()),
        None => Err(format!(
            "must be the ARN of an SNS topic, such as `arn:aws:sns:us-east-1:123456789012:NAME`; it is `{}`",
            shortened(text)
        )),
    }
}

/// Seconds that a queue keeps a message for.
pub fn message_retention(seconds: &i64) -> Result<(), String> {
    within(*seconds, 60, 1_209_600, "seconds")
}

/// Seconds for which a message that was received is hidden.
pub fn visibility_timeout(seconds: &i64) -> Result<(), String> {
    within(*seconds, 0, 43_200, "seconds")
}

/// The key of a queue. AWS's own one has a policy that does not let EventBridge use it.
pub fn queue_key(text: &str) -> Result<(), String> {
    if text.ends_with("alias/aws/sqs") {
        return Err(
            "must be a key of your own: EventBridge cannot use `alias/aws/sqs`, whose policy is AWS's. Leave it out to \
             encrypt with keys that SQS owns"
                .to_owned(),
        );
    }
    key(text)
}

/// A KMS key: an ARN, an id or an alias.
fn key(text: &str) -> Result<(), String> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if text.is_empty() || text.contains(odd) {
        return Err(format!(
            "must be the ARN, the id or the alias (`alias/NAME`) of a KMS key; it is `{}`",
            shortened(text)
        ));
    }
    at_most(text, 2_048)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::checks::tests::check;

    #[test]
    fn queues() {
        check(
            queue_name,
            &["audit", "a-b_C"],
            &["", "a.fifo", "a b", "arn:aws:sqs:us-east-1:123456789012:q"],
        );
        let rule = "arn:aws:events:us-east-1:123456789012:rule/b/r";
        check(
            rule_arn,
            &[rule],
            &["", "r", "arn:aws:events:us-east-1:123456789012:event-bus/b"],
        );
        let set = |arns: &[&str]| arns.iter().map(|&arn| arn.to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(rule_arns(&set(&[rule])), Ok(()));
        assert!(rule_arns(&set(&[])).is_err() && rule_arns(&set(&[rule, "r"])).is_err());
        for (seconds, ok) in [(59, false), (60, true), (1_209_600, true), (1_209_601, false)] {
            assert_eq!(message_retention(&seconds).is_ok(), ok, "{seconds}");
        }
        for (seconds, ok) in [(-1, false), (0, true), (43_200, true), (43_201, false)] {
            assert_eq!(visibility_timeout(&seconds).is_ok(), ok, "{seconds}");
        }
    }

    #[test]
    fn keys() {
        let key = "arn:aws:kms:us-east-1:123456789012:key/k";
        check(
            queue_key,
            &[key, "alias/mine", "1234abcd"],
            &["", "a b", "alias/aws/sqs"],
        );
    }
}
