//! The Classic bus that AWS manages for an event source of custom event buses. It has the name of the partner's source, so that a Classic bus
//! of one's own can be made once that event source is gone.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::types::EventSourceState;
use tfplugin::{Diagnostics, Operation, Plan, Result, WaitEnd};
use tokio::time::Instant;

use super::Bus;
use super::messages::{self, doing};
use crate::aws::look::Service;
use crate::aws::{Error, Regional};
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::Object;
use crate::resources::names;

const EVERY: Duration = Duration::from_secs(2);
/// How long it may stay: this apply may be deleting the subscribers, one after the other, and then the event source.
const IN_THE_WAY_MAX: Duration = Duration::from_mins(1);

/// Warns of an event source that has the events, unless this plan removes it.
pub(super) async fn warn(plan: &mut Plan<'_, Bus>) {
    if plan.is_within_apply() || !names::is_made(plan) {
        return;
    }
    let Some(name) = plan.planned(Bus::event_source_name()).known() else {
        return;
    };
    let Some(look) = defaults::look(plan, &Bus::region()).await else {
        return;
    };
    // A source that waits for a bus has none. The plan has asked for it before.
    if !look.asks(Service::Events) || !is_associated(&look.of_this_walk(), &name).await {
        return;
    }
    let held = look.heard(Service::Events, look.bus(&name).await).flatten();
    if held.is_none_or(|held| held.managed_by().is_none()) {
        return;
    }
    let source = if look.asks(Service::CustomBuses) {
        look.heard(Service::CustomBuses, source_of(&look, &name).await)
    } else {
        None
    };
    let source = source.flatten();
    let stays = match (plan.client(), &source) {
        (Some(client), Some(source)) => {
            let source = Object::EventSource {
                region: look.name.clone(),
                name: source.clone(),
            };
            let staying = client.walk().staying(vec![source], plan.cancelled()).await;
            !staying.is_empty()
        }
        _ => true,
    };
    let warning = messages::will_be_managed(&name, &look.name, source.as_deref(), stays);
    plan.warn(warning.at(Bus::event_source_name()));
}

async fn is_associated(aws: &Regional, name: &str) -> bool {
    let held = aws.source(name).await.ok().flatten();
    held.is_some_and(|held| held.state() == Some(&EventSourceState::Active))
}

/// The name of the event source that has a partner's events.
async fn source_of(aws: &Regional, partner: &str) -> std::result::Result<Option<String>, Error> {
    if !aws.has_custom_buses {
        return Ok(None);
    }
    let held = aws.event_source_of(partner).await?;
    Ok(held.and_then(|held| held.name))
}

/// The bus of this name, once AWS manages none; none where there is none.
pub(super) async fn found(
    operation: &Operation<'_, Bus>,
    aws: &Regional,
    plan: &Bus,
) -> Result<Option<DescribeEventBusOutput>> {
    let name = &plan.event_source_name;
    let doing = || doing::make(name);
    let mut since = None;
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        match look(aws, name, since.is_some()).await {
            Ok(Break(held)) => return Ok(held),
            Ok(Continue(())) => {}
            Err(e) if since.is_some() && e.is_passing() => {
                attempts.awaiting(messages::cannot_now(&doing(), &e));
                continue;
            }
            Err(e) => return Err(e.during(doing())),
        }
        // While this apply removes the event source, or a subscriber that comes before it, time does not count.
        let memory = operation.client().memory();
        if memory.is_removing(&plan.object()) || memory.is_removing_custom(&aws.name) {
            since = None;
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= IN_THE_WAY_MAX {
            return Err(in_the_way(aws, name).await);
        }
        attempts.awaiting(messages::still_managed(name));
    }
    Err(match attempts.end() {
        WaitEnd::TimedOut { .. } => in_the_way(aws, name).await,
        WaitEnd::Cancelled { last } => messages::interrupted_before_made(&last).into(),
    })
}

async fn in_the_way(aws: &Regional, name: &str) -> Diagnostics {
    let source = source_of(aws, name).await.ok().flatten();
    messages::is_managed(name, &aws.name, source.as_deref()).into()
}

/// What AWS shows under the name of a bus.
type Looked = ControlFlow<Option<DescribeEventBusOutput>>;

/// The bus that somebody made, or none; the wait continues where AWS manages one, or has not let the source go yet. `was_managed`: since it
/// began.
async fn look(aws: &Regional, name: &str, was_managed: bool) -> std::result::Result<Looked, Error> {
    match aws.bus(name).await? {
        Some(held) if held.managed_by().is_some() => return Ok(Continue(())),
        Some(held) => return Ok(Break(Some(held))),
        None if !was_managed => return Ok(Break(None)),
        None => {}
    }
    let source = aws.source(name).await?;
    let is_active = source.is_some_and(|source| source.state() == Some(&EventSourceState::Active));
    Ok(if is_active { Continue(()) } else { Break(None) })
}
