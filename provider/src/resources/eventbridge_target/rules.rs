//! What cannot work, told before anything is made.

use tfplugin::{Config, Diagnostic, Diagnostics, Value};

use super::{LogGroup, input};
use crate::aws::arn;

/// Refuses combinations that no single attribute's check can judge. What is not known yet may turn out to be null: it is
/// waited for, and judged when the plan or the apply knows it.
pub(super) fn refuse(config: &Config<'_>, diags: &mut Diagnostics) {
    let (arn, group) = (
        config.value::<String>("arn"),
        config.value::<LogGroup>("log_group"),
    );
    if arn.is_null() && group.is_null() {
        diags.push(
            Diagnostic::error("The target has no destination")
                .detail("Set `log_group` for a CloudWatch log group, or `arn` for anything else."),
        );
    } else if let (Value::Known(arn), Value::Known(_)) = (&arn, &group) {
        // A generated configuration has both, and they agree.
        let name = config.value::<String>("log_group.name").known();
        if name.is_some() && arn::log_group_name(arn) != name.as_deref() {
            diags.push(
                Diagnostic::error("The target has two destinations")
                    .detail("Set one of `arn` and `log_group`; `log_group` sees to the permission as well.")
                    .at("arn"),
            );
        }
    }
    input::refuse(config, diags);
    let to_group = group.is_known() || arn.known().is_some_and(|arn| arn::log_group_name(&arn).is_some());
    if to_group {
        refuse_for_group(config, diags);
    }
    if group.is_known() {
        refuse_unowned(config, diags);
    }
}

/// What AWS takes, but not as it looks, or perhaps refuses.
pub(super) fn warnings(destination: &str, role: &Value<String>, region: Option<&str>) -> Vec<Diagnostic> {
    let Some(parts) = arn::parse(destination) else {
        return Vec::new();
    };
    [
        role_without_effect(destination, parts.service).filter(|_| role.is_known()),
        no_role(destination, &parts).filter(|_| role.is_null()),
        fifo(destination, &parts),
        elsewhere(destination, &parts, region),
        permission(destination),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn role_without_effect(destination: &str, service: &str) -> Option<Diagnostic> {
    let kind = match service {
        "sqs" => "SQS queues",
        "sns" => "SNS topics",
        "lambda" => "Lambda functions",
        _ => return None,
    };
    Some(
        Diagnostic::warning(format!(
            "EventBridge reaches {kind} by their own policy, not by a role"
        ))
        .detail(format!(
            "`role_arn` has no effect for `{destination}`: {kind} say in a resource policy that \
                 `events.amazonaws.com` may reach them. Remove `role_arn`, and see to that policy."
        ))
        .at("role_arn"),
    )
}

/// Services that EventBridge reaches only with a role.
fn no_role(destination: &str, parts: &arn::Arn<'_>) -> Option<Diagnostic> {
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
    (of_events || WITH_ROLE.contains(&parts.service)).then(|| {
        Diagnostic::warning("EventBridge needs a role to reach this destination")
            .detail(format!(
                "`{destination}` is reached with a role that EventBridge assumes; without one AWS refuses the target, or \
                 delivers nothing. Set `role_arn`, unless the rule has one."
            ))
            .at("arn")
    })
}

fn fifo(destination: &str, parts: &arn::Arn<'_>) -> Option<Diagnostic> {
    let is_fifo = parts.service == "sqs"
        && parts
            .resource
            .rsplit_once('.')
            .is_some_and(|(_, end)| end == "fifo");
    is_fifo.then(|| {
        Diagnostic::warning("A FIFO queue needs a message group, which cannot be set here")
            .detail(format!(
                "AWS asks for a message group id with `{destination}`, and this resource offers none: expect AWS to refuse \
                 the target. Use a standard queue, and have it feed the FIFO queue if the order matters."
            ))
            .at("arn")
    })
}

/// Only event buses are reached in other regions.
fn elsewhere(destination: &str, parts: &arn::Arn<'_>, region: Option<&str>) -> Option<Diagnostic> {
    let region = region?;
    let away = parts.service != "events" && !parts.region.is_empty() && parts.region != region;
    away.then(|| {
        Diagnostic::warning("The destination is in another region than the event bus")
            .detail(format!(
                "`{destination}` is in {}, the bus in {region}. From a rule AWS reaches only event buses in other regions. Use \
                 a destination in {region}, or an event bus in {} with a rule of its own.",
                parts.region, parts.region
            ))
            .at("arn")
    })
}

/// A dead-letter queue that the target cannot have.
pub(super) fn dead_letters_elsewhere(queue: &str, region: &str) -> Option<Diagnostic> {
    let held = arn::parse(queue)?.region;
    (held != region).then(|| {
        Diagnostic::warning("The dead-letter queue is in another region than the event bus")
            .detail(format!(
                "`{queue}` is in {held}, the bus in {region}. AWS takes a queue in the rule's own region only. Use a queue in \
                 {region}."
            ))
            .at("dead_letter_config.arn")
    })
}

fn permission(destination: &str) -> Option<Diagnostic> {
    let name = arn::log_group_name(destination)?;
    Some(
        Diagnostic::warning("The permission to write to the log group is not seen to")
            .detail(format!(
                "With `arn`, the log group's resource policy is left to you; without one that lets EventBridge in, \
                 nothing arrives and no error says so. `log_group = {{ name = \"{name}\" }}` sees to it."
            ))
            .at("arn"),
    )
}

fn refuse_for_group(config: &Config<'_>, diags: &mut Diagnostics) {
    if config.value::<String>("role_arn").is_known() {
        diags.push(
            Diagnostic::error("A log group takes no role")
                .detail(
                    "EventBridge reaches log groups by their resource policy; with `role_arn` AWS refuses the target or \
                     delivers nothing. Remove `role_arn`.",
                )
                .at("role_arn"),
        );
    }
    if let Value::Known(template) = config.value::<String>("input_transformer.input_template")
        && !input::gives_log_event(&template)
    {
        diags.push(
            Diagnostic::error("The input template does not give what a log group takes")
                .detail(
                    "For a log group the template gives an object of just `timestamp` and `message`, such as \
                     `{\"timestamp\": <time>, \"message\": <text>}`, with `input_paths = { time = \"$.time\", … }`. Anything \
                     else AWS drops without an error.",
                )
                .at("input_transformer.input_template"),
        );
    }
}

fn refuse_unowned(config: &Config<'_>, diags: &mut Diagnostics) {
    let create = config.value::<bool>("log_group.create");
    if create.is_unknown() || create.known() == Some(true) {
        return;
    }
    let only = |what: &str, at: &str| {
        Diagnostic::error(format!("`{what}` without `create = true`"))
            .detail(format!(
                "A log group that this resource did not make is left as it is. Set `create = true` as well, or remove `{what}`."
            ))
            .at(at)
    };
    if config.value::<i64>("log_group.retention_in_days").is_known() {
        diags.push(only("retention_in_days", "log_group.retention_in_days"));
    }
    if config.value::<bool>("log_group.delete_on_destroy").known() == Some(true) {
        diags.push(only("delete_on_destroy", "log_group.delete_on_destroy"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(destination: &str, role: &Value<String>, want: &[&str]) {
        let found = warnings(destination, role, Some("us-east-1"));
        assert_eq!(found.len(), want.len(), "{destination}: {found:?}");
        for (found, want) in found.iter().zip(want) {
            assert!(found.summary.contains(want), "{destination}: {found}");
        }
    }

    #[test]
    fn what_may_not_work_is_warned_of() {
        let role = Value::Known("arn:aws:iam::1:role/r".to_owned());
        let no_effect = &["by their own policy"][..];
        check("arn:aws:sqs:us-east-1:1:q", &role, no_effect);
        check("arn:aws:sns:us-east-1:1:t", &role, no_effect);
        check("arn:aws:lambda:us-east-1:1:function:f", &role, no_effect);
        check("arn:aws:lambda:us-east-1:1:function:f", &Value::Null, &[]);
        for resource in [
            "kinesis:us-east-1:1:stream/s",
            "states:us-east-1:1:stateMachine:m",
            "events:us-east-1:1:api-destination/d",
            "events:eu-west-1:1:event-bus/b",
        ] {
            let destination = format!("arn:aws:{resource}");
            check(&destination, &role, &[]);
            check(&destination, &Value::Unknown, &[]);
            check(&destination, &Value::Null, &["needs a role"]);
        }
        check("arn:aws:sqs:us-east-1:1:q.fifo", &Value::Null, &["message group"]);
        check("arn:aws:sqs:eu-west-1:1:q", &Value::Null, &["another region"]);
        check(
            "arn:aws:logs:us-east-1:1:log-group:g",
            &Value::Null,
            &["not seen to"],
        );
        assert!(warnings("arn:aws:sqs:eu-west-1:1:q", &Value::Null, None).is_empty());
    }
}
