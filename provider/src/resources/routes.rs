//! Whether events get where a resource sends them: what is found is a warning, at plan and after an apply.

use std::time::Duration;

use tfplugin::{ClientOf, Diagnostic, Operation, Path};

use crate::aws::reach::{self, Finding, Route};
use crate::client::Client;

/// A queue that is made in the same apply, and its policy, may be a moment behind.
const EVERY: Duration = Duration::from_secs(2);
const ATTEMPTS_MAX: u32 = 4;

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Events go there.
    Destination,
    /// Events that cannot be delivered go there.
    DeadLetters,
}

/// Looks until nothing is found, or for some seconds.
pub async fn check<T, K>(
    operation: &Operation<'_, T>,
    region: Option<&str>,
    route: &Route,
    purpose: Purpose,
    attribute: Path,
) where
    T: ClientOf<K, Client = Client>,
{
    let Ok(aws) = operation.client().aws() else { return };
    let mut attempts = operation.attempts(EVERY);
    let mut found = None;
    while let Some(attempt) = attempts.next().await {
        let Some(look) = aws.look(region, operation.cancelled()).await else {
            return;
        };
        found = reach::finding(&look, route).await;
        let may_pass = matches!(found, Some(Finding::Missing | Finding::NotAllowed));
        if !may_pass || attempt + 1 >= ATTEMPTS_MAX {
            break;
        }
        attempts.awaiting(format!("waiting for `{}` and its policy", route.to));
    }
    if let Some(finding) = found {
        operation.warn(warning(&finding, route, purpose).at(attribute));
    }
}

/// What users read of a finding.
pub fn warning(finding: &Finding, route: &Route, purpose: Purpose) -> Diagnostic {
    let to = &route.to;
    let (what, lost) = match purpose {
        Purpose::Destination => (
            kind(to),
            "Until that is done, its events end in the dead-letter queue, or are dropped without an error.",
        ),
        Purpose::DeadLetters => (
            "dead-letter queue",
            "Until that is done, events that cannot be delivered are dropped without an error.",
        ),
    };
    match finding {
        Finding::Missing => Diagnostic::warning(format!("The {what} does not exist")).detail(format!(
            "There is no `{to}`; AWS does not check that. {lost}\n\nMake it, and refer to it by its resource (such as \
             `{}.NAME.arn`), so that it is there first; its policy also needs this statement{}:\n\n{}",
            maker(route),
            adds(route),
            indented(&route.statement())
        )),
        Finding::NotAllowed => Diagnostic::warning(format!("EventBridge may not send to the {what}")).detail(format!(
            "No statement in the policy of `{to}` lets it in. {lost}\n\nAdd this statement{}, unless the same apply does:\n\n{}",
            adds(route),
            indented(&route.statement())
        )),
        Finding::Denied { sid } => {
            let named = sid.as_ref().map_or_else(String::new, |sid| format!(" `{sid}`"));
            Diagnostic::warning(format!("EventBridge may not send to the {what}")).detail(format!(
                "A statement{named} in the policy of `{to}` denies it, against which no other helps. {lost}\n\nRemove that \
                 statement, or except `events.amazonaws.com` from it."
            ))
        }
        Finding::KeyOfAws(key) => {
            Diagnostic::warning(format!("EventBridge cannot use the key of the {what}")).detail(format!(
                "`{to}` is encrypted with `{key}`, whose policy is AWS's own and does not let EventBridge use it. {lost}\n\nUse \
                 a key of your own whose policy lets `events.amazonaws.com` call `kms:GenerateDataKey` and `kms:Decrypt`, or \
                 for a queue, encryption by SQS itself (`sqs_managed_sse_enabled`)."
            ))
        }
    }
}

/// What adds the statement. A bus is let in by no resource of this provider.
fn adds(route: &Route) -> &'static str {
    if kind(&route.to) == "topic" {
        ", which a `scalr_eventbridge_topic_permission` adds"
    } else if route.from.contains(":event-bus/") {
        ""
    } else {
        ", which `rule_arns` of a `scalr_eventbridge_queue` adds"
    }
}

/// The resource that makes it.
fn maker(route: &Route) -> &'static str {
    if kind(&route.to) == "topic" {
        "aws_sns_topic"
    } else if route.from.contains(":event-bus/") {
        "aws_sqs_queue"
    } else {
        "scalr_eventbridge_queue"
    }
}

fn kind(arn: &str) -> &'static str {
    if arn.contains(":sns:") { "topic" } else { "queue" }
}

/// Terraform wraps lines that start at column 0.
fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}
