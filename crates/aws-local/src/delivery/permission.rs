//! Whether resource policies let EventBridge deliver.

use std::collections::HashMap;
use std::sync::Arc;

use crate::arn;
use crate::policy::{Ask, Policy, Verdict};
use crate::state::RealmId;
use crate::state::log_group::{LogGroup, LogPolicy};
use crate::state::queue::Queue;
use crate::state::topic::Topic;
use crate::turn::Turn;

/// The principal that delivers.
pub(super) const PRINCIPAL: &str = "events.amazonaws.com";
/// The principal that delivers vended logs.
const LOG_DELIVERY: &str = "delivery.logs.amazonaws.com";

/// A service that writes to a log group, and what for.
pub(crate) struct Writer<'a> {
    service: &'static str,
    source_arn: &'a str,
    account: &'a str,
}

impl<'a> Writer<'a> {
    /// EventBridge, for a rule.
    pub(super) fn rule(source_arn: &'a str, account: &'a str) -> Self {
        Self {
            service: PRINCIPAL,
            source_arn,
            account,
        }
    }

    /// CloudWatch Logs, for a delivery source.
    pub(crate) fn delivery_source(source_arn: &'a str, account: &'a str) -> Self {
        Self {
            service: LOG_DELIVERY,
            source_arn,
            account,
        }
    }
}

/// Writing to a group needs both actions; the group's own policy and the account-wide ones count together.
pub(crate) fn may_log<'p>(
    group: &LogGroup,
    account_wide: impl Iterator<Item = &'p LogPolicy>,
    to: &RealmId,
    stream: &str,
    writer: &Writer<'_>,
) -> bool {
    let group_arn = arn::arn(
        "logs",
        to.region(),
        to.account(),
        &["log-group:", &group.name].concat(),
    );
    let stream_arn = [&group_arn, ":log-stream:", stream].concat();
    let own = group.policy.as_ref().map(|policy| (policy, true));
    let policies: Vec<(&LogPolicy, bool)> = own
        .into_iter()
        .chain(account_wide.map(|policy| (policy, false)))
        .collect();
    let allowed = |action: &'static str| {
        let verdicts = policies.iter().filter_map(|(policy, own)| {
            // In a group's own policy the group's bare ARN covers its streams.
            let bare_counts = *own || action == "logs:CreateLogStream";
            let resources: &[&str] = if bare_counts {
                &[&stream_arn, &group_arn]
            } else {
                &[&stream_arn]
            };
            let ask = Ask {
                service: Some(writer.service),
                account: None,
                action,
                resources,
                source_arn: writer.source_arn,
                source_account: writer.account,
            };
            Some(policy.parsed()?.verdict(&ask))
        });
        verdicts.fold(Verdict::Silent, Verdict::and) == Verdict::Allowed
    };
    allowed("logs:CreateLogStream") && allowed("logs:PutLogEvents")
}

/// Policies by their text, read once in a turn.
pub(super) type Policies = HashMap<String, Option<Arc<Policy>>>;

/// Whether a queue's policy allows a rule to send to it.
pub(super) fn may_send(
    known: &mut Policies,
    queue: &Queue,
    queue_arn: &str,
    rule_arn: &str,
    account: &str,
) -> bool {
    is_allowed(
        known,
        queue.policy(),
        ("sqs:SendMessage", queue_arn),
        rule_arn,
        account,
    )
}

/// Whether a topic's policy allows a rule to publish to it.
pub(super) fn may_publish(
    known: &mut Policies,
    topic: &Topic,
    topic_arn: &str,
    rule_arn: &str,
    account: &str,
) -> bool {
    is_allowed(
        known,
        topic.policy(),
        ("sns:Publish", topic_arn),
        rule_arn,
        account,
    )
}

fn is_allowed(
    known: &mut Policies,
    policy: Option<&str>,
    (action, resource): (&'static str, &str),
    rule_arn: &str,
    account: &str,
) -> bool {
    let Some(text) = policy else { return false };
    if !known.contains_key(text) {
        known.insert(text.to_owned(), Policy::parse(text).ok().map(Arc::new));
    }
    let Some(Some(policy)) = known.get(text) else {
        return false;
    };
    let ask = Ask {
        service: Some(PRINCIPAL),
        account: None,
        action,
        resources: &[resource],
        source_arn: rule_arn,
        source_account: account,
    };
    policy.verdict(&ask) == Verdict::Allowed
}

/// Whether the bus's policy allows an account to put events on it: its own account needs no Allow, but a Deny applies to it.
pub(crate) fn may_put(turn: &mut Turn<'_>, to: &RealmId, bus: &str, account: &str, rule_arn: &str) -> bool {
    let resource = arn::arn("events", to.region(), to.account(), &format!("event-bus/{bus}"));
    let policy = turn
        .world
        .realm(to)
        .buses
        .get(bus)
        .and_then(|bus| bus.policy.clone());
    let by_rule = !rule_arn.is_empty();
    let ask = Ask {
        service: by_rule.then_some(PRINCIPAL),
        account: Some(account),
        action: "events:PutEvents",
        resources: &[&resource],
        source_arn: rule_arn,
        // A call that no service makes has no `aws:SourceAccount`.
        source_account: if by_rule { account } else { "" },
    };
    let policy = policy.and_then(|text| Policy::parse(&text).ok());
    match policy.map_or(Verdict::Silent, |policy| policy.verdict(&ask)) {
        Verdict::Allowed => true,
        Verdict::Denied => false,
        Verdict::Silent => account == to.account(),
    }
}
