//! The event source at AWS: made, changed, deleted, and what each of these waits for.

use std::ops::ControlFlow::{Break, Continue};

use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::types::{
    EventSourceConfiguration, EventSourceState, OnFailureConfiguration, PartnerEventsSourceConfiguration,
};
use tfplugin::{Diagnostics, Operation, Result, WaitEnd};
use uuid::Uuid;

use super::messages::{self, doing};
use super::{EventSource, partner};
use crate::aws::custom::wire_custom_tags;
use crate::aws::custom_writes::{EVERY, Sight, create as create_once, held_key, note_key, settle};
use crate::aws::retry::Retry;
use crate::aws::tags::Tags;
use crate::aws::{Error, Regional, held_text, written};
use crate::values::Json;

/// What is shown as the state of one from which the owner of the bus has taken the bus.
const REVOKED: &str = "REVOKED";

/// Makes the event source, and returns its ARN.
pub(super) async fn create(
    operation: &Operation<'_, EventSource>,
    aws: &Regional,
    plan: &EventSource,
    tags: &Tags,
) -> Result<String> {
    const CALL: &str = "eventsv2:CreateEventSource";
    let (name, token) = (&plan.name, Uuid::new_v4().to_string());
    let call = aws.custom.create_event_source().name(name).client_token(token);
    let call = call
        .event_bus_arn(&plan.event_bus_arn)
        .configuration(plan.wire(&doing::make(name))?)
        .set_description(plan.description.clone())
        .set_tags(wire_custom_tags(tags));
    let send = || {
        let sent = call.clone().send();
        async move {
            let source = sent.await.map_err(|e| aws.failed(CALL, e))?;
            aws.given(CALL, "EventSourceArn", source.event_source_arn)
        }
    };
    if let Some(arn) = create_once(operation, messages::creation(name), send).await? {
        return Ok(arn);
    }
    let arn = aws.event_source_named(name).await.ok().flatten();
    Err(messages::exists(name, &aws.name, arn.as_deref()).into())
}

/// Writes what changed. The configuration is one block, which AWS replaces whole; sent again, it makes the managed Classic bus again.
pub(super) async fn update(
    operation: &Operation<'_, EventSource>,
    aws: &Regional,
    plan: &EventSource,
    prior: &EventSource,
) -> Result<()> {
    let name = &plan.name;
    let is_sent = plan.configuration_differs(prior) || prior.is_to_be_repaired();
    let configuration = is_sent.then(|| plan.wire(&doing::change(name))).transpose()?;
    let description = plan.description.clone().unwrap_or_default();
    let call = aws
        .custom
        .update_event_source()
        .event_source_arn(plan.known_arn());
    let call = call
        .set_configuration(configuration)
        .set_description((plan.description != prior.description).then_some(description));
    let mut retry = Retry::new(operation, EVERY, doing::change(name), messages::after_changing());
    while retry.next().await {
        let answer = call.clone().send().await;
        let answer = answer.map_err(|e| aws.failed("eventsv2:UpdateEventSource", e));
        let attempted = match answer {
            Ok(_) => Ok(Break(())),
            Err(e) if is_on_its_way(aws, plan, &e).await => Ok(Continue(messages::is_on_its_way(name))),
            Err(e) => Err(e),
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Deletes the event source, and waits until it is gone.
pub(super) async fn delete(
    operation: &Operation<'_, EventSource>,
    aws: &Regional,
    state: &EventSource,
) -> Result<()> {
    let name = &state.name;
    let mut retry = Retry::new(operation, EVERY, doing::delete(name), messages::after_deleting());
    let mut is_asked = false;
    while retry.next().await {
        let attempted = if is_asked {
            match aws.event_source(state.known_arn()).await {
                Ok(None) => Ok(Break(())),
                Ok(Some(held)) if held.state() == Some(&EventSourceState::DeleteFailed) => {
                    return Err(messages::not_deleted(name).into());
                }
                Ok(Some(_)) => Ok(Continue(messages::is_on_its_way(name))),
                Err(e) => Err(e),
            }
        } else {
            let call = aws
                .custom
                .delete_event_source()
                .event_source_arn(state.known_arn());
            match call
                .send()
                .await
                .map_err(|e| aws.failed("eventsv2:DeleteEventSource", e))
            {
                Ok(_) => {
                    is_asked = true;
                    Ok(Continue(messages::is_on_its_way(name)))
                }
                Err(e) if e.is_not_found() => Ok(Break(())),
                Err(e) if is_on_its_way(aws, state, &e).await => Ok(Continue(messages::is_on_its_way(name))),
                Err(e) => Err(e),
            }
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Whether a call was refused because the event source is about to be in another state.
async fn is_on_its_way(aws: &Regional, source: &EventSource, error: &Error) -> bool {
    if error.code() != Some("InvalidStateException") {
        return false;
    }
    let held = aws.event_source(source.known_arn()).await.ok().flatten();
    held.is_some_and(|held| held.state().is_some_and(is_awaited))
}

/// The key that AWS shows.
fn key_of(held: &DescribeEventSourceOutput) -> Option<&str> {
    let Some(EventSourceConfiguration::PartnerEventsConfiguration(partner)) = held.configuration() else {
        return None;
    };
    let key = partner.partner_bus_kms_key_identifier();
    key.filter(|key| !key.is_empty())
}

/// The state, as AWS shows it.
fn state_of(held: &DescribeEventSourceOutput) -> Option<String> {
    if held.revoked() == Some(true) {
        return Some(REVOKED.to_owned());
    }
    held.state().map(|state| state.as_str().to_owned())
}

fn is_awaited(state: &EventSourceState) -> bool {
    matches!(
        state,
        EventSourceState::Creating | EventSourceState::Updating | EventSourceState::Deleting
    )
}

impl EventSource {
    /// Waits until an event source that was made or changed stays as it is. It exists: what only ends the wait is a warning.
    pub(super) async fn settle(&mut self, operation: &Operation<'_, Self>, aws: &Regional) -> Result<()> {
        let arn = self.known_arn().to_owned();
        let (name, state) = (&self.name, &mut self.state);
        let awaited = |held: Option<&DescribeEventSourceOutput>| {
            *state = held.and_then(state_of);
            let is_there = held.is_some_and(|held| !held.state().is_some_and(is_awaited));
            (!is_there).then(|| messages::is_on_its_way(name))
        };
        let sight = Sight {
            doing: doing::see(name),
            not_seen: messages::not_seen(),
        };
        let late = |end: &WaitEnd| messages::not_active_yet(name, end);
        let held = settle(operation, sight, || aws.event_source(&arn), awaited, late).await;
        let Some(held) = held.flatten() else {
            return Ok(());
        };
        self.creation_time = held.creation_time().and_then(written);
        note_key(operation, self.kms_key_identifier.as_deref(), key_of(&held));
        let partner = aws.source(self.partner_source()).await.ok().flatten();
        self.partner_source_state = Some(partner::state_of(partner.as_ref()));
        match held.state() {
            Some(EventSourceState::Active) => Ok(()),
            _ => Err(messages::failed(&self.name, self.state.as_deref().unwrap_or_default()).into()),
        }
    }

    /// Takes what AWS holds. `of_alias`: the ARN that it last showed of the key that is written.
    pub(super) fn with(&mut self, held: &DescribeEventSourceOutput, of_alias: Option<&str>) -> Result<()> {
        let Some(EventSourceConfiguration::PartnerEventsConfiguration(partner)) = held.configuration() else {
            return Err(messages::not_of_a_partner(&self.name).into());
        };
        self.arn = held.event_source_arn().map(str::to_owned);
        held.event_bus_arn()
            .unwrap_or_default()
            .clone_into(&mut self.event_bus_arn);
        partner
            .partner_event_source_arn()
            .clone_into(&mut self.partner_event_source_arn);
        self.event_pattern = partner.pattern().map(Json::from);
        self.kms_key_identifier = held_key(self.kms_key_identifier.as_deref(), key_of(held), of_alias);
        let queue = partner.on_failure_configuration().and_then(|config| config.arn());
        self.dead_letter_arn = queue.filter(|arn| !arn.is_empty()).map(str::to_owned);
        self.description = held_text(self.description.as_deref(), held.description());
        self.state = state_of(held);
        self.creation_time = held.creation_time().and_then(written);
        Ok(())
    }

    /// What UpdateEventSource writes is not the same.
    pub(super) fn settings_differ(&self, other: &Self) -> bool {
        self.description != other.description || self.configuration_differs(other)
    }

    /// The Classic bus that AWS manages for it is gone, and its events are dropped. AWS makes none for a source that is revoked.
    pub(super) fn is_to_be_repaired(&self) -> bool {
        self.partner_source_state.as_deref() == Some("PENDING") && !self.is_revoked()
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.state.as_deref() == Some(REVOKED)
    }

    fn configuration_differs(&self, other: &Self) -> bool {
        self.event_pattern != other.event_pattern
            || self.kms_key_identifier != other.kms_key_identifier
            || self.dead_letter_arn != other.dead_letter_arn
    }

    fn wire(&self, doing: &str) -> Result<EventSourceConfiguration, Diagnostics> {
        let queue = self.dead_letter_arn.as_ref();
        let queue = queue.map(|arn| OnFailureConfiguration::builder().arn(arn).build());
        let key = self.kms_key_identifier.clone().filter(|key| !key.is_empty());
        let partner = PartnerEventsSourceConfiguration::builder()
            .partner_event_source_arn(&self.partner_event_source_arn)
            .set_pattern(self.event_pattern.as_ref().map(ToString::to_string))
            .set_partner_bus_kms_key_identifier(key)
            .set_on_failure_configuration(queue)
            .build();
        let partner = partner.map_err(|error| messages::incomplete(doing, &error.to_string()))?;
        Ok(EventSourceConfiguration::PartnerEventsConfiguration(partner))
    }
}
