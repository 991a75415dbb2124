//! What users read of a chain in which a custom event bus has the events.

use super::event::{Match, Mismatch};
use super::facts::{CustomBusFacts, CustomFacts, Facts, Lookup, SubscriberFacts};
use super::forwarded_broken::Link;
use super::pattern_messages::{judged, mismatch};
use crate::aws::arn;

/// How what follows a managed Classic bus cannot be asked for.
pub(super) fn custom_buses_elsewhere(source: &str) -> String {
    format!(
        "the custom event bus that has the events of `{source}`: EventBridge has an endpoint of its own here, and EventBridge V2 has none"
    )
}

/// How the Classic side is made again.
pub(super) fn led_again(source: &str) -> String {
    format!(
        "An apply of the `scalr_eventbridge_event_source` with name `{source}` associates it again; until then its events are dropped."
    )
}

/// How the event source gets the partner's source that was made again.
pub(super) fn replaced(source: &str) -> String {
    format!(
        "Then replace the `scalr_eventbridge_event_source` with name `{source}` (`-replace`), so that AWS activates the new source for it."
    )
}

/// What broke, and what to do about it.
pub(super) fn broke(link: &Link, facts: &Facts) -> String {
    let (group, whereabouts) = (&facts.group, &facts.whereabouts);
    match link {
        Link::SubscriberGone { bus } => format!(
            "The subscriber is gone: the custom event bus `{bus}` has none. Make a `scalr_eventbridge_subscriber` on it that writes \
             to `{group}`. The bus keeps its events: a subscriber that starts at a point in time has those too that came before it."
        ),
        Link::SubscriberElsewhere { bus, others } => format!(
            "No subscriber leads to the log group: of the subscribers of the custom event bus `{bus}` (`{}`) none writes to `{group}`. \
             Make a `scalr_eventbridge_subscriber` on it that does.",
            others.join("`, `")
        ),
        Link::SubscriberRevoked { bus, subscribers } => format!(
            "The subscriber is revoked: the owner of the custom event bus `{bus}` has taken the bus from `{}`, for good. Delete the \
             subscriber, and make one that the bus's resource policy allows.",
            subscribers.join("`, `")
        ),
        Link::SubscriberStopped { bus, subscribers } => format!(
            "The subscriber is stopped: `{}` on the custom event bus `{bus}`. The bus keeps its events, and delivers them once it runs: set \
             `enabled = true` on its `scalr_eventbridge_subscriber`.",
            subscribers.join("`, `")
        ),
        Link::SubscriberNotRunning { bus, subscribers } => format!(
            "The subscriber is not running: on the custom event bus `{bus}`, {}. One that could not be made has to be deleted and made \
             again.",
            states(subscribers)
        ),
        Link::StreamGone {
            bus,
            subscriber,
            stream,
        } => format!(
            "The log stream is gone: the subscriber `{subscriber}` of the custom event bus `{bus}` writes to `{stream}` in the log group \
             `{group}`, where there is none, and PutLogEvents does not make it. Make it with `aws logs create-log-stream --log-group-name \
             '{group}' --log-stream-name '{stream}'`."
        ),
        Link::FiltersMiss { bus, subscribers } => filters_miss(bus, subscribers, &facts.run.id),
        Link::BusGone { source } => format!(
            "The custom event bus is gone: in {whereabouts} there is no bus to which the event source `{source}` leads. Make it with a \
             `scalr_eventbridge_custom_bus`, and the event source and subscribers with it."
        ),
        Link::BusNotActive { bus, arn, state } => format!(
            "The custom event bus is not active: `{bus}` is {state} in {whereabouts}, and takes no events. Look at its `state` and the \
             reason with `aws eventsv2 describe-event-bus --region {} --event-bus-arn {arn}`.",
            region_of(arn)
        ),
        Link::SourceRevoked { source } => format!(
            "The event source is revoked: the owner of the custom event bus has taken the bus from `{source}` in {whereabouts}, for good, \
             and its events are dropped. Ask the owner why; then replace its `scalr_eventbridge_event_source` (`-replace`)."
        ),
        Link::SourcePatternMisses { source, why } => format!(
            "The pattern of the event source does not match the event of the run `{}`: of `{source}`, {}. Correct the `event_pattern` of \
             its `scalr_eventbridge_event_source`.",
            facts.run.id,
            mismatch(why)
        ),
        Link::SourceNotActive { source, state } => format!(
            "The event source is not active: `{source}`, which leads the events to the custom event bus, is {state} in {whereabouts}. An \
             apply that changes its `scalr_eventbridge_event_source` makes the Classic bus again that AWS manages for it."
        ),
        Link::ManagedBusGone { partner, source } => format!(
            "The managed event bus is gone: in {whereabouts} somebody has deleted the Classic bus `{partner}`, which AWS made for the event \
             source `{source}`. {}",
            led_again(source)
        ),
        Link::ManagedRuleGone { partner, source, arn } => managed_rule_gone(partner, source, arn.as_deref()),
    }
}

fn region_of(arn: &str) -> &str {
    arn::parse(arn).map_or("REGION", |arn| arn.region)
}

fn managed_rule_gone(partner: &str, source: &str, arn: Option<&str>) -> String {
    let source = if source.is_empty() { "NAME" } else { source };
    let command = arn.map_or_else(String::new, |arn| {
        let of = format!("--region {} --event-source-arn {arn}", region_of(arn));
        format!(
            ", or write the one that it has again: `aws eventsv2 update-event-source {of} --configuration \"$(aws eventsv2 \
             describe-event-source {of} --query Configuration --output json)\"`"
        )
    });
    format!(
        "The managed rule is gone: the Classic bus `{partner}`, which AWS manages, no longer leads to a custom event bus, and drops the \
         events. An update of the event source with its configuration makes the rule again: change a setting of the \
         `scalr_eventbridge_event_source` with name `{source}`{command}."
    )
}

fn filters_miss(bus: &str, subscribers: &[(String, Mismatch)], run: &str) -> String {
    let why = subscribers
        .iter()
        .map(|(name, why)| format!("`{name}`: {}", mismatch(why)));
    format!(
        "The filters do not match the event of the run `{run}`. Of the subscribers of the custom event bus `{bus}` that lead to the log \
         group, {}. Correct `filter`; the bus keeps the events, and a replay delivers them.",
        why.collect::<Vec<_>>().join("; ")
    )
}

fn states(subscribers: &[(String, String)]) -> String {
    let states = subscribers
        .iter()
        .map(|(name, state)| format!("`{name}` is {state}"));
    states.collect::<Vec<_>>().join(", ")
}

/// All links are whole, as far as is seen.
pub(super) fn none_broken(facts: &Facts, custom: &CustomFacts) -> String {
    let all = custom.bus.found().and_then(|bus| bus.subscribers.found());
    let running = || {
        let all = all.into_iter().flatten();
        all.filter(|one| one.state == "RUNNING" && !one.revoked)
    };
    let whole = if facts.unseen.is_empty() {
        ", and connection, event source, custom event bus, subscriber, log stream and log group are in place"
    } else {
        ", and what could be looked at is in place"
    };
    let roles: Vec<_> = running().map(|one| format!("`{}`", one.role_arn)).collect();
    let role = if roles.is_empty() {
        String::new()
    } else {
        format!(
            " A subscriber writes with its role: look whether {} is there, trusts `events.amazonaws.com`, and allows `logs:PutLogEvents` in \
             `{}`.",
            roles.join(", "),
            facts.group
        )
    };
    let doubts: String = running().flat_map(doubts).collect();
    format!(
        "No link is seen to be broken: the run ended as `{}`{whole}. What cannot be delivered is tried for 5 minutes, unless the subscriber \
         has other `retry` settings, and then goes to its `dead_letter_arn` or is dropped.{role} Look at the metric `EventsDropped` of \
         `AWS/EventsV2` in CloudWatch, and at the connection's deliveries in Scalr.{doubts}",
        facts.run.status
    )
}

/// What cannot be judged of a subscriber from here.
fn doubts(one: &SubscriberFacts) -> Vec<String> {
    let name = &one.name;
    let mut doubts = Vec::new();
    if let Match::Open(fields) = &one.filters {
        let fields = fields.join("`, `");
        doubts.push(format!(
            " The subscriber `{name}` tests `{fields}`, whose value is not known here."
        ));
    }
    if one.transforms {
        doubts.push(format!(
            " The `Input` of the subscriber `{name}` writes something else than the whole event: does it hold the run's id, and is it for \
             this log group?"
        ));
    }
    doubts
}

/// Each link as it was found, from the event source to the log group.
pub(super) fn links(custom: &CustomFacts, group: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Lookup::Found(source) = &custom.source {
        let pattern = judged("its pattern", &source.pattern);
        let leads = if custom.forwards {
            "leads to a custom event bus"
        } else {
            "has no rule of AWS's that leads to its custom event bus"
        };
        lines.push(format!(
            "the event source `{}`, which {leads}, is {}, and {pattern}",
            source.name,
            if source.revoked { "revoked" } else { &source.state }
        ));
    }
    match &custom.bus {
        Lookup::Found(bus) => lines.extend(of_bus(bus, group)),
        Lookup::Gone => lines.push("the custom event bus is gone".to_owned()),
        Lookup::Unseen => {}
    }
    lines
}

fn of_bus(bus: &CustomBusFacts, group: &str) -> Vec<String> {
    let mut lines = vec![format!("the custom event bus `{}` is {}", bus.name, bus.state)];
    let Lookup::Found(subscribers) = &bus.subscribers else {
        return lines;
    };
    if subscribers.is_empty() {
        lines.push(format!("no subscriber of the bus writes to `{group}`"));
    }
    lines.extend(subscribers.iter().map(|one| one_subscriber(one, group)));
    lines
}

fn one_subscriber(one: &SubscriberFacts, group: &str) -> String {
    let state = if one.revoked { "revoked" } else { &one.state };
    let filters = judged("its filters", &one.filters);
    let stream = one.stream_gone.as_ref().map_or_else(String::new, |stream| {
        format!(", in which the log stream `{stream}` is gone")
    });
    format!(
        "the subscriber `{}` is {state}, {filters}, and writes to `{group}`{stream}",
        one.name
    )
}
