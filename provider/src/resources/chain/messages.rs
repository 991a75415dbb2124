//! What users read of an event that is followed: above all which link of the chain broke, and what to do about it.

use std::time::Duration;

use scalr_api::{Connection, InvalidId, Object, Run};
use tfplugin::Diagnostic;

use super::arrival::Arrival;
use super::broken::{self, Link};
use super::event::{Match, Mismatch};
use super::facts::{Facts, Lookup, RuleFacts, RunFacts};
use super::forwarded_messages;
use super::pattern_messages::{judged, mismatch};
use super::{Places, Probe};
use crate::aws::Error;
use crate::aws::policy::Verdict;
use crate::failure::{Standing, UNCHANGED};
use crate::resources::messages::did_you_mean;
use crate::scalr::Scalr;
use crate::scalr::known::Near;

/// What Scalr shows beside the run.
pub(super) const RUN_MESSAGE: &str = "Checks that events are delivered to EventBridge";

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn look_for_group(name: &str) -> String {
        format!("look for the log group `{name}`")
    }

    pub(in super::super) fn read_group(name: &str) -> String {
        format!("read the log group `{name}`")
    }

    pub(in super::super) fn start_run(workspace: &str) -> String {
        format!("start a run in the workspace `{workspace}`")
    }

    pub(in super::super) fn look_for_event(run: &str, group: &str) -> String {
        format!("look for the event of the run `{run}` in the log group `{group}`")
    }
}

pub(super) fn not_a_workspace(error: &InvalidId, at: &Places) -> Diagnostic {
    Diagnostic::error("Not the id of a workspace")
        .detail(format!("{error}."))
        .at(at.workspace_id.clone())
}

pub(super) fn no_workspace(probe: &Probe<'_>, near: Option<&Near>, scalr: &Scalr) -> Diagnostic {
    Diagnostic::error(format!("There is no workspace `{}`", probe.workspace_id))
        .detail(format!(
            "This looked at `{}` with the token from {}: Scalr has no such workspace there, or the token may not see it. No run was \
             started.{}",
            scalr.api.host(),
            scalr.token_origin,
            did_you_mean(near)
        ))
        .at(probe.at.workspace_id.clone())
}

pub(super) fn no_group(probe: &Probe<'_>, account: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no log group `{}`", probe.log_group))
        .detail(format!(
            "This looked in {account}, region {region}. No run was started. Use `log_group.name` and `region` of a \
             `scalr_eventbridge_target`."
        ))
        .at(probe.at.log_group.clone())
}

/// AWS answers `FilterLogEvents is not supported for this log class` (aws/karpenter-provider-aws pull request 9567 shows it).
pub fn no_search(name: &str) -> Diagnostic {
    Diagnostic::error(format!("The log group `{name}` cannot be searched"))
        .detail(
            "It is of class INFREQUENT_ACCESS, for which AWS refuses FilterLogEvents, the call that looks for the event. A log \
             group keeps its class forever: give the rule a second target with a log group of class STANDARD (`create = true` \
             makes one) and check that.",
        )
}

/// The same in an apply.
pub(super) fn search_refused(probe: &Probe<'_>) -> Diagnostic {
    no_search(probe.log_group)
        .standing("No run was started.")
        .at(probe.at.log_group.clone())
}

/// What keeps the check from being begun.
pub(super) fn not_started() -> Standing {
    Standing::same("No run was started.")
}

/// All connections that lead to one account and region are paused; none where there is no connection.
pub(super) fn paused(connections: &[Object<Connection>]) -> Option<Diagnostic> {
    let wire = &connections.first()?.attributes;
    let named: Vec<String> = connections
        .iter()
        .map(|held| format!("`{}` (`{}`)", held.attributes.name, held.id))
        .collect();
    let place = format!("to AWS account {} in {}", wire.aws_account_id, wire.region);
    let (named, status) = (named.join(", "), &wire.status);
    let (title, detail) = if connections.len() == 1 {
        (
            "The connection is paused",
            format!(
                "{named}, which leads {place}, is `{status}`: Scalr holds its events back. No run was started. Set \
                 `enabled = true` on its `scalr_eventbridge_connection`, then apply again."
            ),
        )
    } else {
        (
            "The connections are paused",
            format!(
                "{named}, which lead {place}, are `{status}`: Scalr holds their events back. No run was started. Set \
                 `enabled = true` on the `scalr_eventbridge_connection` whose events are to arrive, then apply again."
            ),
        )
    };
    Some(Diagnostic::error(title).detail(detail))
}

pub(super) fn after_starting() -> Standing {
    Standing::new(
        UNCHANGED,
        "A run may have been started; it is dry, and does no harm.",
    )
}

/// In the log, once the run is started.
pub(super) fn started(run: &Object<Run>, group: &str) -> String {
    format!(
        "the run `{}` is started; waiting for its event in `{group}`",
        run.id
    )
}

pub(super) fn not_yet(run: &str, group: &str) -> String {
    format!("the event of the run `{run}` is not in `{group}` yet")
}

pub(super) fn cannot_look(group: &str, error: &Error) -> String {
    format!("cannot look into `{group}` at present: {error}")
}

/// `next`: what is to be done then.
pub fn interrupted(run: &Object<Run>, next: &str) -> Diagnostic {
    Diagnostic::error("Interrupted before the event arrived")
        .detail(format!("The run `{}` continues in Scalr. {next}", run.id))
}

/// The event arrived.
pub fn arrived(run: &Object<Run>, group: &str, arrival: &Arrival) -> String {
    let event = arrival.event_id.as_deref().map_or_else(
        || "what the target makes of the event".to_owned(),
        |id| format!("the event `{id}`"),
    );
    format!(
        "{event} of the run `{}` arrived in `{group}`, {} ms after its own time",
        run.id, arrival.latency_ms
    )
}

/// The event did not arrive. Without facts, the walk through the chain took longer than `walk_max`. `next`: what is to be
/// done then.
pub(super) fn missed(
    group: &str,
    run: &Object<Run>,
    facts: Option<&Facts>,
    (waited, walk_max): (Duration, Duration),
    next: &str,
) -> Diagnostic {
    let why = facts.map_or_else(
        || {
            format!(
                "Looking for the link that broke was given up after {} s: AWS or Scalr answers too slowly.",
                walk_max.as_secs()
            )
        },
        finding,
    );
    Diagnostic::error(format!(
        "The event of the run `{}` did not arrive in the log group `{group}`",
        run.id
    ))
    .detail(format!("Waited {} s. {why}\n\n{next}", waited.as_secs()))
}

/// The link that broke, or that none is seen to, and what could not be looked at.
pub(super) fn finding(facts: &Facts) -> String {
    let said = broken::link(facts).map_or_else(|| none_broken(facts), |link| broke(&link, facts));
    if facts.unseen.is_empty() {
        return said;
    }
    format!(
        "{said}\n\nThese could not be looked at:\n  {}",
        facts.unseen.join("\n  ")
    )
}

/// What broke, and what to do about it.
fn broke(link: &Link, facts: &Facts) -> String {
    let (group, whereabouts) = (&facts.group, &facts.whereabouts);
    match link {
        Link::RunNotOver => run_not_over(&facts.run),
        Link::LogGroupGone => {
            format!("The log group is gone: `{group}` is no longer there in {whereabouts}.")
        }
        Link::PermissionMissing { actions } => permission_missing(&actions.join("` and `"), group),
        Link::PermissionDenied { sid } => permission_denied(sid.as_deref(), group),
        Link::RuleGone { bus } => {
            format!("The rule is gone: the bus `{bus}` has none. Make a `scalr_eventbridge_rule` on it.")
        }
        Link::TargetMissing { bus } => format!(
            "The target is missing: no rule of the bus `{bus}` has the log group `{group}` as target. Make a \
             `scalr_eventbridge_target` with this `log_group`."
        ),
        Link::RuleDisabled { bus, rules } => format!(
            "The rule is disabled: `{}` on the bus `{bus}`. Set `enabled = true` on its `scalr_eventbridge_rule`.",
            rules.join("`, `")
        ),
        Link::PatternMisses { bus, rules } => pattern_mismatches(bus, rules, &facts.run.id),
        Link::BusGone {
            bus,
            source_state,
            connection,
        } => bus_gone(bus, source_state.as_deref(), connection, whereabouts),
        Link::ConnectionGone { left } => connection_gone(left.as_ref(), whereabouts),
        Link::SourceNotAssociated { source, custom } => {
            source_not_associated(source, custom.as_deref(), whereabouts)
        }
        Link::SourceGone {
            source,
            state,
            custom,
        } => source_gone(source, state.as_deref(), custom.as_deref(), whereabouts),
        Link::ConnectionPaused { name } => format!(
            "The connection is paused: `{name}` is `disabled`, and Scalr holds its events back. Set `enabled = true` on its \
             `scalr_eventbridge_connection`."
        ),
        Link::ConnectionFailed { name, message } => format!(
            "The connection has failed: Scalr says of `{name}`: {}. Once that is repaired, a `scalr_eventbridge_activation` has \
             Scalr look again.",
            message.as_deref().unwrap_or("nothing more").trim_end_matches('.')
        ),
        Link::ConnectionNotActive { name, status } => format!(
            "The connection is not active: `{name}` is `{status}` in Scalr, though its event source is ACTIVE. A \
             `scalr_eventbridge_activation` has Scalr look again (\"Refresh status\")."
        ),
        Link::Forwarded(link) => forwarded_messages::broke(link, facts),
    }
}

fn run_not_over(run: &RunFacts) -> String {
    format!(
        "The run is not over: `{}` is `{}`, and Scalr sends the event when a run ends. Look at the run in Scalr, or allow \
         more time in `timeouts`.",
        run.id, run.status
    )
}

fn permission_missing(actions: &str, group: &str) -> String {
    format!(
        "The permission is missing: no resource policy lets EventBridge do `{actions}` in the log group `{group}`. An apply of \
         the `scalr_eventbridge_target` with this `log_group` puts it back."
    )
}

fn permission_denied(sid: Option<&str>, group: &str) -> String {
    let sid = sid.map_or_else(String::new, |sid| format!(" `{sid}`"));
    format!(
        "The resource policy denies it: a statement{sid} keeps EventBridge out of the log group `{group}`. Remove the \
         statement."
    )
}

fn pattern_mismatches(bus: &str, rules: &[(String, Mismatch)], run: &str) -> String {
    let why = rules
        .iter()
        .map(|(rule, why)| format!("`{rule}`: {}", mismatch(why)));
    format!(
        "The pattern does not match the event of the run `{run}`. Of the rules of the bus `{bus}` that have the log group as \
         target, {}. Correct `event_pattern`.",
        why.collect::<Vec<_>>().join("; ")
    )
}

fn source_not_associated(source: &str, custom: Option<&str>, whereabouts: &str) -> String {
    let again = match custom {
        None => "An apply of the `scalr_eventbridge_bus` associates it again.".to_owned(),
        Some(name) => forwarded_messages::led_again(name),
    };
    format!(
        "The event source is not associated: `{source}` is PENDING in {whereabouts}, though its bus is there. {again}"
    )
}

fn bus_gone(bus: &str, source_state: Option<&str>, connection: &str, whereabouts: &str) -> String {
    format!(
        "The event bus is gone: in {whereabouts} there is no bus `{bus}` for the event source of the connection \
         `{connection}`, which is {}. Make it with a `scalr_eventbridge_bus`, and its rules with it; or, for a custom event bus, \
         lead the source to that with a `scalr_eventbridge_event_source`.",
        source_state.unwrap_or("gone")
    )
}

fn connection_gone(left: Option<&(String, Option<String>)>, whereabouts: &str) -> String {
    let left = left.map_or_else(String::new, |(bus, state)| {
        format!(
            " The bus `{bus}` is left of an earlier one; its event source is {}.",
            state.as_deref().unwrap_or("gone")
        )
    });
    format!(
        "The connection is gone: Scalr has none for {whereabouts}.{left} Make it with a `scalr_eventbridge_connection`."
    )
}

fn source_gone(source: &str, state: Option<&str>, custom: Option<&str>, whereabouts: &str) -> String {
    let then = match custom {
        None => "An apply of the `scalr_eventbridge_bus` then associates its bus.".to_owned(),
        Some(name) => forwarded_messages::replaced(name),
    };
    format!(
        "The event source is gone: `{source}` is {} in {whereabouts}. \"Refresh status\", which an apply of the \
         `scalr_eventbridge_activation` does, has Scalr make it again; if it does not, make the connection again. {then}",
        state.unwrap_or("not there"),
    )
}

fn none_broken(facts: &Facts) -> String {
    if let Some(custom) = facts.bus.found().and_then(|bus| bus.custom.as_ref()) {
        return forwarded_messages::none_broken(facts, custom);
    }
    let rules = facts.bus.found().and_then(|bus| bus.rules.found());
    let enabled = rules.into_iter().flatten().filter(|rule| rule.enabled);
    let doubts: String = enabled.flat_map(doubts).collect();
    let whole = if facts.unseen.is_empty() {
        ", and connection, event source, bus, rule, target and permission are in place"
    } else {
        ", and what could be looked at is in place"
    };
    format!(
        "No link is seen to be broken: the run ended as `{}`{whole}. The event may only be late: EventBridge tries for 24 \
         hours. Look at the rule's metrics (`MatchedEvents`, `FailedInvocations`) in CloudWatch, and at the connection's \
         deliveries in Scalr.{doubts}",
        facts.run.status
    )
}

/// What cannot be judged of a rule from here.
fn doubts(rule: &RuleFacts) -> Vec<String> {
    let name = &rule.name;
    let mut doubts = Vec::new();
    if let Match::Open(fields) = &rule.pattern {
        let fields = fields.join("`, `");
        doubts.push(format!(
            " The rule `{name}` tests `{fields}`, whose value is not known here."
        ));
    }
    if rule.transforms {
        doubts.push(format!(
            " The target of the rule `{name}` sends something else than the whole event: does it hold the run's id?"
        ));
    }
    doubts
}

/// Each link as it was found, from the connection to the log group.
pub(super) fn links(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    match &facts.connection {
        Lookup::Found(held) => lines.push(format!("the connection `{}` is {}", held.name, held.status)),
        Lookup::Gone => lines.push(format!("Scalr has no connection for {}", facts.whereabouts)),
        Lookup::Unseen => {}
    }
    match &facts.bus {
        Lookup::Found(bus) => {
            let state = bus.source_state.as_deref().unwrap_or("not there");
            let there = if bus.exists { "there" } else { "gone" };
            lines.push(format!(
                "the event source `{}` is {state}, and its bus is {there}",
                bus.name
            ));
            if let Some(custom) = &bus.custom {
                lines.extend(forwarded_messages::links(custom, &facts.group));
                lines.extend(facts.unseen.iter().map(|what| format!("not looked at: {what}")));
                return lines;
            }
            let leads_there = !matches!(&bus.rules, Lookup::Gone)
                && bus.rules.found().is_none_or(|rules| !rules.is_empty());
            if bus.exists && !leads_there {
                lines.push(format!("no rule of the bus has `{}` as target", facts.group));
            }
            lines.extend(
                bus.rules
                    .found()
                    .into_iter()
                    .flatten()
                    .map(|rule| one_rule(rule, &facts.group)),
            );
        }
        Lookup::Gone => lines.push(format!(
            "there is no event bus of Scalr's in {}",
            facts.whereabouts
        )),
        Lookup::Unseen => {}
    }
    lines.extend(facts.unseen.iter().map(|what| format!("not looked at: {what}")));
    lines
}

fn one_rule(rule: &RuleFacts, group: &str) -> String {
    let enabled = if rule.enabled { "is enabled" } else { "is disabled" };
    let pattern = judged("its pattern", &rule.pattern);
    let permission = match &rule.verdict {
        Verdict::Granted => "EventBridge may write to",
        Verdict::Missing(_) => "no resource policy lets EventBridge write to",
        Verdict::Denied { .. } => "a resource policy keeps EventBridge out of",
    };
    format!(
        "the rule `{}` {enabled}, {pattern}, and {permission} `{group}`",
        rule.name
    )
}
