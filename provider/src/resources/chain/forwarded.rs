//! Looks at what follows a managed Classic bus: the event source, the custom event bus, and its subscribers.

use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::types::{
    BusState, EventSourceConfiguration, Filter, FilterScope, SubscriberState,
};
use scalr_events::regions;

use super::event::{self, Match, Mismatch, RunEvent};
use super::facts::{CustomBusFacts, CustomFacts, EventSourceFacts, Lookup, SubscriberFacts, Unseen};
use super::forwarded_messages as messages;
use crate::aws::forwarded::{Leads, leads_to_group, writes_to_log_groups};
use crate::aws::{Error, Regional, arn};

/// What is looked for behind a Classic bus.
pub(super) struct Sought<'a> {
    /// The partner's source, and so the Classic bus.
    pub(super) source: &'a str,
    pub(super) group: &'a str,
    pub(super) event: &'a RunEvent,
    /// What EventBridge notes of it.
    pub(super) noted: &'a RunEvent,
}

/// What has the events of a source that has no Classic bus of its own: where AWS manages that (`is_managed`) there is something. Without a
/// Classic bus there may be, if somebody deleted the managed one.
pub(super) async fn facts(
    aws: &Regional,
    sought: &Sought<'_>,
    is_managed: bool,
    unseen: &mut Unseen,
) -> Option<CustomFacts> {
    if !aws.has_custom_buses {
        if is_managed {
            unseen.0.push(messages::custom_buses_elsewhere(sought.source));
        }
        return is_managed.then(unknown);
    }
    if !is_managed && !regions::with_custom_buses().contains(&&*aws.name) {
        return None;
    }
    let looked = aws.event_source_of(sought.source).await;
    let source = unseen.note("the event sources of custom event buses", looked);
    if !is_managed && !matches!(source, Some(Some(_))) {
        return None;
    }
    let (mut forwards, mut forwarded_to) = (is_managed, None);
    if is_managed {
        let what = format!("the rules of `{}`", sought.source);
        if let Some(found) = unseen.note(what, aws.forwarded_to(sought.source).await) {
            (forwards, forwarded_to) = (found.is_some(), found);
        }
    }
    let bus_arn = match &source {
        Some(Some(held)) => held.event_bus_arn().map(str::to_owned),
        _ => forwarded_to,
    };
    let bus = match bus_arn {
        Some(arn) => bus(aws, &arn, sought, unseen).await,
        None => Lookup::Unseen,
    };
    Some(CustomFacts {
        source: source.map_or(Lookup::Unseen, |source| {
            Lookup::from(source.map(|held| source_facts(&held, sought)))
        }),
        forwards,
        bus,
    })
}

/// A custom event bus has the events, and cannot be asked.
fn unknown() -> CustomFacts {
    CustomFacts {
        source: Lookup::Unseen,
        forwards: true,
        bus: Lookup::Unseen,
    }
}

fn source_facts(held: &DescribeEventSourceOutput, sought: &Sought<'_>) -> EventSourceFacts {
    let pattern = match held.configuration() {
        Some(EventSourceConfiguration::PartnerEventsConfiguration(partner)) => partner.pattern(),
        _ => None,
    };
    EventSourceFacts {
        name: held.name().unwrap_or_default().to_owned(),
        arn: held.event_source_arn().unwrap_or_default().to_owned(),
        state: held.state().map_or("ACTIVE", |state| state.as_str()).to_owned(),
        revoked: held.revoked().unwrap_or_default(),
        pattern: pattern.map_or(Match::Yes, |pattern| event::judge(pattern, sought.event)),
    }
}

async fn bus(
    aws: &Regional,
    bus_arn: &str,
    sought: &Sought<'_>,
    unseen: &mut Unseen,
) -> Lookup<CustomBusFacts> {
    let name = arn::custom_bus_name(bus_arn).unwrap_or(bus_arn);
    let looked = unseen.note(
        format!("the custom event bus `{name}`"),
        aws.custom_bus(bus_arn).await,
    );
    let held = match looked {
        Some(Some(held)) => held,
        Some(None) => return Lookup::Gone,
        None => return Lookup::Unseen,
    };
    let mut facts = CustomBusFacts {
        name: name.to_owned(),
        arn: bus_arn.to_owned(),
        state: held.state().map_or("ACTIVE", BusState::as_str).to_owned(),
        others: Vec::new(),
        subscribers: Lookup::Unseen,
    };
    let looked = aws.subscribers(Some(bus_arn), "").await;
    let Some(listed) = unseen.note(format!("the subscribers of `{name}`"), looked) else {
        return Lookup::Found(facts);
    };
    let (mut leading, mut are_all_seen) = (Vec::new(), true);
    for listed in listed {
        let name = listed.name().unwrap_or_default();
        let may_lead = listed.target_arn().is_none_or(writes_to_log_groups);
        let looked = match listed.subscriber_arn().filter(|_| may_lead) {
            Some(arn) => subscriber(aws, arn, sought).await,
            None => Ok(None),
        };
        match unseen.note(format!("the subscriber `{name}`"), looked) {
            Some(Some(found)) => leading.push(found),
            Some(None) => facts.others.push(name.to_owned()),
            None => are_all_seen = false,
        }
    }
    // One that was seen to work is enough.
    if are_all_seen || !leading.is_empty() {
        facts.subscribers = Lookup::Found(leading);
    }
    Lookup::Found(facts)
}

/// The subscriber, if it leads to the log group.
async fn subscriber(
    aws: &Regional,
    arn: &str,
    sought: &Sought<'_>,
) -> Result<Option<SubscriberFacts>, Error> {
    let Some(held) = aws.subscriber(arn).await? else {
        return Ok(None);
    };
    let Some(invoke) = held.invoke_configuration() else {
        return Ok(None);
    };
    let (stream, whole) = match leads_to_group(invoke, sought.group) {
        Leads::Elsewhere => return Ok(None),
        Leads::Perhaps => (None, false),
        Leads::There { stream, whole } => (stream, whole),
    };
    let stream_gone = match stream {
        Some(stream) if !aws.has_log_stream(sought.group, &stream).await? => Some(stream),
        _ => None,
    };
    Ok(Some(SubscriberFacts {
        name: held.name().unwrap_or_default().to_owned(),
        state: held.state().map_or("RUNNING", SubscriberState::as_str).to_owned(),
        revoked: held.revoked().unwrap_or_default(),
        filters: filters(&held, sought),
        role_arn: invoke.role_arn().to_owned(),
        stream_gone,
        transforms: !whole,
    }))
}

fn filters(held: &DescribeSubscriberOutput, sought: &Sought<'_>) -> Match {
    let filters = held.filter_configuration().map_or(&[][..], |held| held.filters());
    event::all(filters.iter().map(|filter| judge(filter, sought)))
}

fn judge(filter: &Filter, sought: &Sought<'_>) -> Match {
    match filter.scope() {
        FilterScope::Data => event::judge(filter.pattern(), sought.event),
        FilterScope::SystemMetadata => event::judge(filter.pattern(), sought.noted),
        FilterScope::Metadata => Match::No(Mismatch::NoMetadata),
        other => Match::Open(vec![other.as_str().to_owned()]),
    }
}
