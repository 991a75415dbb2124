//! Whether events get where a resource sends them: what is found is a warning, at plan and after an apply.

use std::time::Duration;

use tfplugin::{ClientOf, Diagnostic, Operation, Path, Plan, Resource};

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

/// What uses a queue or topic, and for what.
#[derive(Clone, Debug)]
pub struct Use<'a> {
    /// The resource, as in "the rule `r`".
    pub whose: &'a str,
    /// What it is for.
    pub purpose: Purpose,
}

/// Looks until nothing is found, or for some seconds. What the plan of this walk has said already is not repeated.
pub async fn check<T, K>(
    operation: &Operation<'_, T>,
    region: Option<&str>,
    route: &Route,
    used: &Use<'_>,
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
    let warning = found.map(|finding| warning(&finding, route, used).at(attribute));
    let walk = operation.client().walk();
    if let Some(warning) = warning.filter(|warning| !walk.has_said(&warning.summary)) {
        operation.warn(warning);
    }
}

/// Warns with the plan. `is_known`: the object that is there has this queue already, so that the first plan of it knew its name.
/// What is missing has no other name either. The user has read of both, and the apply need not repeat it.
pub fn warn<R: Resource<Client = Client>>(
    plan: &mut Plan<'_, R>,
    finding: &Finding,
    (route, attribute): (&Route, Path),
    used: &Use<'_>,
    is_known: bool,
) {
    let warning = warning(finding, route, used);
    let walk = plan.client().map(Client::walk);
    if let Some(walk) = walk.filter(|_| is_known || *finding == Finding::Missing) {
        walk.say(&warning.summary);
    }
    plan.warn(warning.at(attribute));
}

/// What users read of a finding.
fn warning(finding: &Finding, route: &Route, used: &Use<'_>) -> Diagnostic {
    let Use { whose, purpose } = used;
    let to = &route.to;
    let name = to.rsplit(':').next().unwrap_or_default();
    let (kind, lost) = match purpose {
        Purpose::Destination => (
            kind(to),
            "Until that is done, its events end in the dead-letter queue, or are dropped without an error.",
        ),
        Purpose::DeadLetters => (
            "dead-letter queue",
            "Until that is done, events that cannot be delivered are dropped without an error.",
        ),
    };
    let what = format!("{kind} `{name}`");
    match finding {
        Finding::Missing => Diagnostic::warning(format!("There is no {what} for {whose}")).detail(format!(
            "There is no `{to}`; AWS does not check that. {lost}\n\nMake it, and refer to it by its resource (such as \
             `{}.NAME.arn`), so that it is there first; its policy also needs this statement{}:\n\n{}",
            maker(route),
            adds(route),
            indented(&route.statement())
        )),
        Finding::NotAllowed => Diagnostic::warning(format!("EventBridge may not send to the {what} for {whose}")).detail(format!(
            "No statement in the policy of `{to}` lets it in. {lost}\n\nAdd this statement{}, unless the same apply does:\n\n{}",
            adds(route),
            indented(&route.statement())
        )),
        Finding::Denied { sid } => {
            let named = sid.as_ref().map_or_else(String::new, |sid| format!(" `{sid}`"));
            Diagnostic::warning(format!("EventBridge may not send to the {what} for {whose}")).detail(format!(
                "A statement{named} in the policy of `{to}` denies it, against which no other helps. {lost}\n\nRemove that \
                 statement, or except `events.amazonaws.com` from it."
            ))
        }
        Finding::KeyOfAws(key) => {
            Diagnostic::warning(format!("EventBridge cannot use the key of the {what} for {whose}")).detail(format!(
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
