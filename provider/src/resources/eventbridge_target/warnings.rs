//! What AWS takes, but not as it looks, or perhaps refuses: warned of with the plan.

use tfplugin::{Diagnostic, Value};

use super::messages;
use crate::aws::arn::{self, Arn};

/// The warnings about a destination that is given by ARN.
pub(super) fn of_destination(
    whose: &str,
    destination: &str,
    role: &Value<String>,
    region: Option<&str>,
) -> Vec<Diagnostic> {
    let found = findings(destination, role, region);
    found
        .into_iter()
        .map(|finding| finding.warning(whose, destination))
        .collect()
}

/// What may not work.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding<'a> {
    /// The service is reached by its own policy; the role has no effect.
    RoleWithoutEffect { kind: &'static str },
    /// The service is reached only with a role.
    NoRole,
    /// A FIFO queue, which needs a message group.
    Fifo,
    /// Only event buses are reached in other regions.
    Elsewhere { held: &'a str, region: &'a str },
    /// A log group, whose permission is not seen to.
    Permission { group: &'a str },
}

impl Finding<'_> {
    fn warning(&self, whose: &str, destination: &str) -> Diagnostic {
        match self {
            Self::RoleWithoutEffect { kind } => messages::role_without_effect(whose, destination, kind),
            Self::NoRole => messages::needs_a_role(whose, destination),
            Self::Fifo => messages::fifo(whose, destination),
            Self::Elsewhere { held, region } => {
                messages::destination_elsewhere(whose, destination, held, region)
            }
            Self::Permission { group } => messages::permission_left_to_you(whose, group),
        }
    }
}

fn findings<'a>(destination: &'a str, role: &Value<String>, region: Option<&'a str>) -> Vec<Finding<'a>> {
    let Some(parts) = arn::parse(destination) else {
        return Vec::new();
    };
    [
        role_without_effect(parts.service).filter(|_| role.is_known()),
        (role.is_null() && needs_role(&parts)).then_some(Finding::NoRole),
        is_fifo(&parts).then_some(Finding::Fifo),
        region.and_then(|region| elsewhere(&parts, region)),
        arn::log_group_name(destination).map(|group| Finding::Permission { group }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn role_without_effect(service: &str) -> Option<Finding<'static>> {
    let kind = match service {
        "sqs" => "SQS queues",
        "sns" => "SNS topics",
        "lambda" => "Lambda functions",
        _ => return None,
    };
    Some(Finding::RoleWithoutEffect { kind })
}

/// Services that EventBridge reaches only with a role.
fn needs_role(parts: &Arn<'_>) -> bool {
    const WITH_ROLE: [&str; 10] = [
        "appsync",
        "batch",
        "codebuild",
        "codepipeline",
        "ecs",
        "firehose",
        "kinesis",
        "redshift",
        "sagemaker",
        "states",
    ];
    let of_events = parts.service == "events"
        && ["event-bus/", "api-destination/"]
            .iter()
            .any(|kind| parts.resource.starts_with(kind));
    of_events || WITH_ROLE.contains(&parts.service)
}

fn is_fifo(parts: &Arn<'_>) -> bool {
    let end = parts.resource.rsplit_once('.').map(|(_, end)| end);
    parts.service == "sqs" && end == Some("fifo")
}

fn elsewhere<'a>(parts: &Arn<'a>, region: &'a str) -> Option<Finding<'a>> {
    let held = parts.region;
    let away = parts.service != "events" && !held.is_empty() && held != region;
    away.then_some(Finding::Elsewhere { held, region })
}

/// A dead-letter queue that the target cannot have.
pub(super) fn dead_letters_elsewhere(whose: &str, queue: &str, region: &str) -> Option<Diagnostic> {
    let held = arn::parse(queue)?.region;
    (held != region).then(|| messages::dead_letters_elsewhere(whose, queue, held, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(destination: &str, role: &Value<String>, want: &[Finding<'_>]) {
        assert_eq!(
            findings(destination, role, Some("us-east-1")),
            want,
            "{destination}"
        );
    }

    #[test]
    fn what_may_not_work_is_found() {
        let role = Value::Known("arn:aws:iam::1:role/r".to_owned());
        let no_effect = |kind| [Finding::RoleWithoutEffect { kind }];
        check("arn:aws:sqs:us-east-1:1:q", &role, &no_effect("SQS queues"));
        check("arn:aws:sns:us-east-1:1:t", &role, &no_effect("SNS topics"));
        let function = "arn:aws:lambda:us-east-1:1:function:f";
        check(function, &role, &no_effect("Lambda functions"));
        check(function, &Value::Null, &[]);
        for resource in [
            "kinesis:us-east-1:1:stream/s",
            "states:us-east-1:1:stateMachine:m",
            "events:us-east-1:1:api-destination/d",
            "events:eu-west-1:1:event-bus/b",
        ] {
            let destination = format!("arn:aws:{resource}");
            check(&destination, &role, &[]);
            check(&destination, &Value::Unknown, &[]);
            check(&destination, &Value::Null, &[Finding::NoRole]);
        }
        check("arn:aws:sqs:us-east-1:1:q.fifo", &Value::Null, &[Finding::Fifo]);
        let (held, region) = ("eu-west-1", "us-east-1");
        let elsewhere = Finding::Elsewhere { held, region };
        check("arn:aws:sqs:eu-west-1:1:q", &Value::Null, &[elsewhere]);
        let group = "arn:aws:logs:us-east-1:1:log-group:g";
        check(group, &Value::Null, &[Finding::Permission { group: "g" }]);
        assert!(findings("arn:aws:sqs:eu-west-1:1:q", &Value::Null, None).is_empty());
    }

    /// The local AWS's list is held to the same answers; the file names their sources.
    #[test]
    fn roles_are_needed_where_the_shared_list_says() {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/data/target_roles.json")).expect("JSON");
        for (kind, needed) in [
            ("needed", true),
            ("needed_on_the_target", true),
            ("needed_elsewhere", true),
            ("optional", false),
            ("refused", false),
        ] {
            for arn in list[kind].as_array().expect("a list") {
                let arn = arn.as_str().expect("an ARN").replace("REGION", "us-east-1");
                let arn = arn
                    .replace("ACCOUNT", "123456789012")
                    .replace("OTHER", "210987654321");
                let found = findings(&arn, &Value::Null, Some("us-east-1"));
                assert_eq!(found.contains(&Finding::NoRole), needed, "{arn}");
            }
        }
    }
}
