//! What a role that is made here is called, whom it trusts and what it allows: the least that the subscriber needs.

use serde_json::{Value, json};

use super::Subscriber;
use crate::aws::{arn, target_id};

/// The path of every role that is made here, for policies on who may make them.
pub(super) const PATH: &str = "/scalr-eventbridge/";
/// The name of its inline policy.
pub(super) const POLICY: &str = "deliver";
const NAME_LENGTH_MAX: usize = 64;

/// The name of a subscriber's role. Roles belong to the account, subscribers to a region.
pub(super) fn name(subscriber: &str, region: &str) -> String {
    let whole = format!("{subscriber}-{region}");
    if whole.len() <= NAME_LENGTH_MAX {
        return whole;
    }
    let digest = target_id::digest(&whole);
    let kept = NAME_LENGTH_MAX - digest.len() - 1;
    format!("{}={digest}", whole.get(..kept).unwrap_or_default())
}

/// Whether an ARN may be that of a role that was made here.
pub(super) fn is_in_path(role: &str) -> bool {
    arn::parse(role)
        .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with(&format!("role{PATH}")))
}

/// Whether the subscriber's role is the one that was made for it.
pub(super) fn is_own(subscriber: &Subscriber) -> bool {
    let region = subscriber.region.as_deref().unwrap_or_default();
    let name = name(&subscriber.name, region);
    subscriber.role.is_some()
        && arn::parse(subscriber.known_role()).is_some_and(|arn| arn.resource == format!("role{PATH}{name}"))
}

/// EventBridge may take the role on, for this subscriber alone: the end of its ARN is known only once it is made.
pub(super) fn trust(subscriber: &str, region: &str, account: &str) -> Value {
    let partition = arn::partition(region);
    let source = format!("arn:{partition}:events:{region}:{account}:subscriber/{subscriber}/*");
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": account },
                "ArnLike": { "aws:SourceArn": source },
            },
        }],
    })
}

/// What a delivery to a target calls; nothing where that is not known.
pub(super) fn actions(target: &str) -> &'static [&'static str] {
    let Some(arn) = arn::parse(target) else {
        return &[];
    };
    let kind = arn.resource.split('/').next().unwrap_or_default();
    match (arn.service, kind) {
        ("sqs", _) => &["sqs:SendMessage"],
        ("sns", _) => &["sns:Publish"],
        ("lambda", _) => &["lambda:InvokeFunction"],
        ("kinesis", _) => &["kinesis:PutRecords"],
        ("firehose", _) => &["firehose:PutRecordBatch"],
        ("states", _) => &["states:StartExecution"],
        ("execute-api", _) => &["execute-api:Invoke"],
        ("events", "api-destination") => &["events:InvokeApiDestination"],
        ("events", "event-busv2") => &["events:PutEvents", "events:PutRawEvents"],
        ("events", "event-bus") => &["events:PutEvents"],
        _ => &[],
    }
}

/// What the role allows; nothing where what the target calls is not known.
pub(super) fn policy(subscriber: &Subscriber, region: &str, account: &str) -> Option<Value> {
    let (actions, resource) = match &subscriber.log_group {
        Some(group) => {
            let arn = arn::of_log_group(region, account, &group.name);
            (
                &["logs:PutLogEvents"][..],
                format!("{arn}:log-stream:{}", group.log_stream),
            )
        }
        None => (actions(subscriber.target()), subscriber.target().to_owned()),
    };
    if actions.is_empty() {
        return None;
    }
    let statement = |sid: &str, actions: &[&str], resource: &str| json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource });
    let mut statements = vec![statement("Deliver", actions, &resource)];
    if let Some(queue) = &subscriber.dead_letter_arn {
        statements.push(statement("FailureRecords", &["sqs:SendMessage"], queue));
    }
    Some(json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// What the role that was made for a subscriber allows.
pub(super) fn held(prior: &Subscriber, region: &str, account: &str) -> Option<Value> {
    prior.role.as_ref()?;
    policy(prior, region, account)
}

/// A policy that allows what another does too: until a change is through, the subscriber needs both.
pub(super) fn with_those_of(policy: &Value, before: Option<&Value>) -> Value {
    let mut both = policy.clone();
    let (Some(all), Some(others)) = (
        both["Statement"].as_array_mut(),
        before.and_then(|before| before["Statement"].as_array()),
    ) else {
        return both;
    };
    for other in others {
        let is_same = |one: &Value| one["Action"] == other["Action"] && one["Resource"] == other["Resource"];
        if !all.iter().any(is_same) {
            let mut other = other.clone();
            let sid = other["Sid"].as_str().unwrap_or_default();
            other["Sid"] = format!("{sid}Before").into();
            all.push(other);
        }
    }
    both
}

/// Whether a text is this policy, however it is spaced.
pub(super) fn is_same(text: &str, policy: &Value) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|held| held == *policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_differ() {
        assert_eq!(name("scalr-runs", "us-east-1"), "scalr-runs-us-east-1");
        let long = "n".repeat(256);
        let (one, other) = (name(&format!("{long}1"), "r"), name(&format!("{long}2"), "r"));
        assert_eq!((one.len(), one == other), (64, false));
    }

    #[test]
    fn roles_allow_what_the_target_calls() {
        for (target, want) in [
            ("arn:aws:sqs:us-east-1:1:q", "sqs:SendMessage"),
            ("arn:aws:sns:us-east-1:1:t", "sns:Publish"),
            ("arn:aws:lambda:us-east-1:1:function:f", "lambda:InvokeFunction"),
            ("arn:aws:kinesis:us-east-1:1:stream/s", "kinesis:PutRecords"),
            (
                "arn:aws:firehose:us-east-1:1:deliverystream/s",
                "firehose:PutRecordBatch",
            ),
            (
                "arn:aws:states:us-east-1:1:stateMachine:m",
                "states:StartExecution",
            ),
            ("arn:aws:execute-api:us-east-1:1:a/s/POST/p", "execute-api:Invoke"),
            (
                "arn:aws:events:us-east-1:1:api-destination/d/i",
                "events:InvokeApiDestination",
            ),
            (
                "arn:aws:events:us-east-1:1:event-busv2/b/i",
                "events:PutEvents events:PutRawEvents",
            ),
            ("arn:aws:events:us-east-1:1:event-bus/b", "events:PutEvents"),
            ("arn:aws:events:::aws-sdk:dynamodb:putItem", ""),
            ("arn:aws:new:us-east-1:1:x", ""),
            ("", ""),
        ] {
            assert_eq!(actions(target).join(" "), want, "{target}");
        }
    }

    #[test]
    fn a_role_is_known_by_its_path() {
        for (role, want) in [
            ("arn:aws:iam::1:role/scalr-eventbridge/runs-us-east-1", true),
            ("arn:aws:iam::1:role/runs-us-east-1", false),
            ("arn:aws:sqs::1:role/scalr-eventbridge/runs", false),
        ] {
            assert_eq!(is_in_path(role), want, "{role}");
        }
    }

    /// A policy has each `Sid` once.
    #[test]
    fn what_is_allowed_during_a_change_is_both() {
        let policy = |statements: &[(&str, &str)]| {
            let statements = statements
                .iter()
                .map(|(sid, on)| json!({ "Sid": sid, "Action": ["a"], "Resource": on }));
            json!({ "Statement": statements.collect::<Vec<_>>() })
        };
        let (one, two) = (("Deliver", "x"), ("FailureRecords", "y"));
        for (now, before, want) in [
            (&[one, two][..], None, &[one, two][..]),
            (&[one], Some(&[one][..]), &[one]),
            (&[one], Some(&[one, two]), &[one, ("FailureRecordsBefore", "y")]),
            (&[one, two], Some(&[one]), &[one, two]),
            (&[one], Some(&[("Deliver", "z")]), &[one, ("DeliverBefore", "z")]),
            (&[one, two], Some(&[("Deliver", "y")]), &[one, two]),
        ] {
            let before = before.map(policy);
            assert_eq!(with_those_of(&policy(now), before.as_ref()), policy(want));
        }
    }

    #[test]
    fn spaces_are_no_other_policy() {
        let policy = json!({ "a": ["b"] });
        assert!(is_same("{ \"a\" : [\"b\"] }", &policy));
        assert!(!is_same("{}", &policy) && !is_same("", &policy));
    }
}
