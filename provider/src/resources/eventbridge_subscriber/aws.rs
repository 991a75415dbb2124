//! The subscriber at AWS: made, changed, deleted, and what each of these waits for.

use std::ops::ControlFlow::{Break, Continue};

use aws_sdk_eventbridgev2::error::BuildError;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::operation::update_subscriber::builders::UpdateSubscriberFluentBuilder;
use tfplugin::{Operation, Result, WaitEnd};
use uuid::Uuid;

use super::Subscriber;
use super::messages::{self, doing};
use super::wire::{is_known_target, state_of};
use crate::aws::custom::wire_custom_tags;
use crate::aws::custom_writes::{EVERY, Sight, create as create_once, settle};
use crate::aws::retry::Retry;
use crate::aws::tags::Tags;
use crate::aws::{Error, Regional, written};
use crate::failure::Cause as _;

/// Makes the subscriber, and returns its ARN.
pub(super) async fn create(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    plan: &Subscriber,
    tags: &Tags,
) -> Result<String> {
    const CALL: &str = "eventsv2:CreateSubscriber";
    let (name, token) = (&plan.name, Uuid::new_v4().to_string());
    let incomplete = |error: BuildError| messages::incomplete(&doing::make(name), &error);
    let call = aws.custom.create_subscriber().name(name).client_token(token);
    let call = call
        .event_bus_arn(&plan.event_bus_arn)
        .invoke_configuration(plan.wire_invoke().map_err(incomplete)?)
        .r#type(plan.r#type.as_str().into())
        .set_filter_configuration(plan.wire_filters().map_err(incomplete)?)
        .starting_position(plan.starting_position.as_str().into())
        .set_point_in_time_configuration(plan.wire_point().map_err(incomplete)?)
        .set_batch_configuration((plan.batch.is_some() || plan.is_call()).then(|| plan.wire_batch()))
        .set_retry_policy(plan.retry.is_some().then(|| plan.wire_retry()))
        .set_on_failure_configuration(plan.dead_letter_arn.is_some().then(|| plan.wire_queue()))
        .set_description(plan.description.clone().filter(|text| !text.is_empty()))
        .set_state((!plan.enabled).then(|| plan.wire_state()))
        .set_tags(wire_custom_tags(tags));
    let transformer = plan.transformer.as_ref().map(|_| plan.wire_transformer());
    let call = call.set_transformer(transformer.transpose().map_err(incomplete)?);
    let send = || {
        let sent = call.clone().send();
        async move {
            let subscriber = sent.await.map_err(|e| aws.failed(CALL, e))?;
            aws.given(CALL, "SubscriberArn", subscriber.subscriber_arn)
        }
    };
    if let Some(arn) = create_once(operation, messages::creation(name), send).await? {
        return Ok(arn);
    }
    let named = aws.subscribers_named(name).await.unwrap_or_default();
    Err(messages::exists(name, &aws.name, named.first().map(String::as_str)).into())
}

/// A name is one subscriber's.
pub(super) async fn refuse_taken_name(aws: &Regional, name: &str) -> Result<()> {
    let named = aws.subscribers_named(name).await;
    let named = named.map_err(|e| e.during(doing::read(name)))?;
    match named.first() {
        Some(arn) => Err(messages::exists(name, &aws.name, Some(arn)).into()),
        None => Ok(()),
    }
}

/// Writes what changed: AWS keeps what a call does not mention, and replaces a block that it mentions whole. Filters that are the same
/// are not sent, as AWS allows 24 changes of them within a day.
pub(super) async fn update(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    plan: &Subscriber,
    prior: &Subscriber,
) -> Result<()> {
    let name = &plan.name;
    let call = change(aws, plan, prior).await?;
    let mut retry = Retry::new(operation, EVERY, doing::change(name), messages::after_changing());
    while retry.next().await {
        let answer = call.clone().send().await;
        let answer = answer.map_err(|e| aws.failed("eventsv2:UpdateSubscriber", e));
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

/// The call that writes it.
async fn change(
    aws: &Regional,
    plan: &Subscriber,
    prior: &Subscriber,
) -> Result<UpdateSubscriberFluentBuilder> {
    let doing = doing::change(&plan.name);
    let incomplete = |error: BuildError| messages::incomplete(&doing, &error);
    let mut call = aws.custom.update_subscriber().subscriber_arn(plan.known_arn());
    if plan.invoke_differs(prior) {
        if !is_known_target(plan.target()) {
            return Err(messages::unknown_target(plan, &aws.name).into());
        }
        let held = aws
            .subscriber(plan.known_arn())
            .await
            .map_err(|e| e.during(&doing))?;
        let invoke = held.as_ref().and_then(|held| held.invoke_configuration());
        let Some(invoke) = invoke else {
            return Err(messages::gone(&plan.name, &aws.name).into());
        };
        call = call.invoke_configuration(plan.wire_new_invoke(invoke).map_err(incomplete)?);
    }
    if plan.filter != prior.filter {
        let filters = plan.wire_filters().map_err(incomplete)?;
        call = call.filter_configuration(filters.unwrap_or_else(no_filters));
    }
    if plan.transformer != prior.transformer {
        call = call.transformer(plan.wire_transformer().map_err(incomplete)?);
    }
    let description = plan.description.clone().unwrap_or_default();
    Ok(call
        .set_description((plan.description != prior.description).then_some(description))
        .set_batch_configuration((plan.batch != prior.batch).then(|| plan.wire_batch()))
        .set_resume_position(plan.wire_resume(prior))
        .set_retry_policy((plan.retry != prior.retry).then(|| plan.wire_retry()))
        .set_on_failure_configuration(
            (plan.dead_letter_arn != prior.dead_letter_arn).then(|| plan.wire_queue()),
        )
        .set_state((plan.enabled != prior.enabled).then(|| plan.wire_state())))
}

/// The block that takes all filters away.
fn no_filters() -> aws_sdk_eventbridgev2::types::FilterConfiguration {
    aws_sdk_eventbridgev2::types::FilterConfiguration::builder().build()
}

/// Deletes the subscriber, and waits until it is gone.
pub(super) async fn delete(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    state: &Subscriber,
) -> Result<()> {
    const CALL: &str = "eventsv2:DeleteSubscriber";
    let name = &state.name;
    let mut retry = Retry::new(operation, EVERY, doing::delete(name), messages::after_deleting());
    let mut is_asked = false;
    while retry.next().await {
        if !is_asked {
            let call = aws.custom.delete_subscriber().subscriber_arn(state.known_arn());
            let attempted = match call.send().await.map_err(|e| aws.failed(CALL, e)) {
                Ok(_) => {
                    is_asked = true;
                    None
                }
                Err(e) if e.is_not_found() => Some(Ok(Break(()))),
                Err(e) if is_on_its_way(aws, state, &e).await => {
                    Some(Ok(Continue(messages::is_on_its_way(name))))
                }
                Err(e) => Some(Err(e)),
            };
            match attempted.map(|attempted| retry.judge(attempted)) {
                Some(Some(done)) => return done,
                Some(None) => continue,
                None => {}
            }
        }
        let attempted = match aws.subscriber(state.known_arn()).await {
            Ok(None) => Ok(Break(())),
            Ok(Some(_)) => Ok(Continue(messages::is_on_its_way(name))),
            Err(e) => Err(e),
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Whether a call was refused because the subscriber is about to be in another state.
async fn is_on_its_way(aws: &Regional, subscriber: &Subscriber, error: &Error) -> bool {
    if error.code() != Some("InvalidStateException") {
        return false;
    }
    let held = aws.subscriber(subscriber.known_arn()).await.ok().flatten();
    held.is_some_and(|held| is_awaited(state_of(&held)))
}

/// A state that another follows. AWS's model has none of them, and subscribers were seen in them.
fn is_awaited(state: &str) -> bool {
    matches!(state, "CREATING" | "UPDATING" | "DELETING")
}

impl Subscriber {
    /// Waits until a subscriber that was made or changed stays as it is. It exists: what only ends the wait is a warning.
    pub(super) async fn settle(&mut self, operation: &Operation<'_, Self>, aws: &Regional) -> Result<()> {
        let arn = self.known_arn().to_owned();
        let (name, state) = (&self.name, &mut self.state);
        let awaited = |held: Option<&DescribeSubscriberOutput>| {
            *state = held.map(|held| state_of(held).to_owned());
            let is_there = held.is_some_and(|held| !is_awaited(state_of(held)));
            (!is_there).then(|| messages::is_on_its_way(name))
        };
        let sight = Sight {
            doing: doing::see(name),
            not_seen: messages::not_seen(),
        };
        let late = |end: &WaitEnd| messages::not_ready_yet(name, end);
        let held = settle(operation, sight, || aws.subscriber(&arn), awaited, late).await;
        let Some(held) = held.flatten() else {
            return Ok(());
        };
        self.creation_time = held.creation_time().and_then(written);
        let state = state_of(&held);
        if state.ends_with("_FAILED") {
            return Err(messages::failed(self, &aws.name, state).into());
        }
        let queue = held.on_failure_configuration().and_then(|held| held.arn());
        match queue.filter(|arn| !arn.is_empty() && self.dead_letter_arn.is_none()) {
            Some(queue) => Err(messages::queue_stays(&self.name, queue).into()),
            None => Ok(()),
        }
    }
}
