//! The bus at AWS: made, adopted, changed, deleted.

use std::ops::ControlFlow::Continue;
use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::types::{
    DeadLetterConfig as WireQueue, EventSourceState, IncludeDetail, Level, LogConfig as WireLog,
};
use tfplugin::{Operation, Result};

use super::messages::{self, MAY_BE_THERE, doing};
use super::{Bus, DeadLetterConfig, LogConfig, source};
use crate::aws::calls::wire_tags;
use crate::aws::retry::{IN_USE_RETRIES_MAX, InTheWay, Retry, gone, is_in_use};
use crate::aws::tags::{Ignored, Tags};
use crate::aws::{Error, Regional, filled, held_text};
use crate::client::Client;
use crate::defaults;
use crate::failure::{Cause as _, Standing};

const DELETE_EVERY: Duration = Duration::from_secs(2);

/// Makes the bus; adopts an existing one where the plan says so. Returns its ARN, and whether it is adopted.
pub(super) async fn create(
    aws: &Regional,
    client: &Client,
    plan: &Bus,
    (state, held): (&EventSourceState, Option<&DescribeEventBusOutput>),
) -> Result<(String, bool)> {
    let name = &plan.event_source_name;
    let tagging = defaults::tagging(client)?;
    if let Some(held) = held {
        return adopt_or_refuse(aws, plan, held, state).await;
    }
    match put(aws, plan, &tagging.sent(plan.tags.as_ref())).await {
        Ok(arn) => Ok((arn, false)),
        // It was not there a moment ago: an answer was lost on the way, and the SDK's second attempt met the bus that
        // its first one had made. Or the answer was no whole one.
        Err(e)
            if e.is_incomplete()
                || matches!(
                    e.code(),
                    Some("ResourceAlreadyExistsException" | "InvalidStateException")
                ) =>
        {
            let unread = |e: Error| e.during_with(doing::make(name), &Standing::same(MAY_BE_THERE));
            match aws.bus(name).await.map_err(unread)? {
                Some(held) if plan.is_like(aws, &held, tagging.ignored).await? => {
                    Ok((held.arn.unwrap_or_default(), false))
                }
                Some(held) => adopt_or_refuse(aws, plan, &held, state).await,
                None => Err(messages::not_made(name, &e)),
            }
        }
        Err(e) => Err(messages::not_made(name, &e)),
    }
}

async fn put(aws: &Regional, plan: &Bus, tags: &Tags) -> Result<String, Error> {
    const CALL: &str = "events:CreateEventBus";
    let call = aws
        .events
        .create_event_bus()
        .name(&plan.event_source_name)
        .event_source_name(&plan.event_source_name);
    let call = call
        .set_description(plan.description.clone())
        .set_kms_key_identifier(plan.kms_key_identifier.clone())
        .set_dead_letter_config(plan.dead_letter_config.as_ref().map(wire_queue))
        .set_log_config(plan.log_config.as_ref().map(wire_log))
        .set_tags((!tags.is_empty()).then(|| wire_tags(tags)));
    let answer = call.send().await.map_err(|e| aws.failed(CALL, e))?;
    aws.given(CALL, "EventBusArn", answer.event_bus_arn)
}

async fn adopt_or_refuse(
    aws: &Regional,
    plan: &Bus,
    held: &DescribeEventBusOutput,
    state: &EventSourceState,
) -> Result<(String, bool)> {
    let name = &plan.event_source_name;
    if !plan.adopt_existing {
        return Err(messages::exists(name, &aws.name, state).into());
    }
    if *state == EventSourceState::Pending {
        source::activate(aws, name).await?;
    }
    Ok((held.arn().unwrap_or_default().to_owned(), true))
}

/// Gives a bus that was adopted the settings and tags of the plan.
pub(super) async fn adopt(aws: &Regional, client: &Client, plan: &Bus) -> Result<()> {
    let name = &plan.event_source_name;
    let doing = || doing::adopt(name);
    let Some(held) = aws.bus(name).await.map_err(|e| e.during(doing()))? else {
        return Ok(());
    };
    let mut now = plan.clone();
    now.with(&held);
    if now.settings_differ(plan) {
        update(aws, plan).await?;
    }
    let arn = held.arn().unwrap_or_default();
    let tags = aws.tags(arn).await.map_err(|e| e.during(doing()))?;
    let wanted = plan.tags_all.clone().unwrap_or_default();
    let ignored = defaults::tagging(client)?.ignored;
    aws.retag(arn, &tags, &wanted, ignored)
        .await
        .map_err(|e| e.during(doing()))
}

/// Writes the settings. What the plan leaves out is emptied: AWS keeps what a call does not mention.
pub(super) async fn update(aws: &Regional, plan: &Bus) -> Result<()> {
    let name = &plan.event_source_name;
    let queue = plan
        .dead_letter_config
        .as_ref()
        .map_or_else(|| WireQueue::builder().build(), wire_queue);
    let off = || {
        WireLog::builder()
            .include_detail(IncludeDetail::None)
            .level(Level::Off)
            .build()
    };
    let call = aws.events.update_event_bus().name(name);
    let call = call
        .description(plan.description.clone().unwrap_or_default())
        .kms_key_identifier(plan.kms_key_identifier.clone().unwrap_or_default())
        .dead_letter_config(queue)
        .log_config(plan.log_config.as_ref().map_or_else(off, wire_log));
    let answer = call
        .send()
        .await
        .map_err(|e| aws.failed("events:UpdateEventBus", e));
    answer.map(drop).map_err(|e| e.during(doing::change(name)))
}

/// Deletes the bus, once its rules are gone.
pub(super) async fn delete(operation: &Operation<'_, Bus>, aws: &Regional, state: &Bus) -> Result<()> {
    let name = &state.event_source_name;
    let mut retry = Retry::new(
        operation,
        DELETE_EVERY,
        doing::delete(name),
        messages::after_deleting(),
    );
    let mut in_use_retries = 0;
    let mut in_the_way = InTheWay::default();
    while retry.next().await {
        let answer = aws.events.delete_event_bus().name(name).send().await;
        let attempted = match answer.map_err(|e| aws.failed("events:DeleteEventBus", e)) {
            Err(e) if is_in_use(&e, "rule") => match aws.rule_names(name, None).await {
                Ok(left) if left.is_empty() && in_use_retries >= IN_USE_RETRIES_MAX => Err(e),
                Ok(left) => {
                    in_use_retries += u32::from(left.is_empty());
                    let is_removing = operation.client().memory().is_removing_beside(&state.object());
                    if in_the_way.stays(&left, is_removing) && !left.is_empty() {
                        return Err(messages::rules_stay(name, &aws.name, &left).into());
                    }
                    Ok(Continue(messages::rules_left(name, &left)))
                }
                Err(unread) => Err(unread),
            },
            answer => gone(answer),
        };
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

impl Bus {
    /// Takes the settings that AWS holds.
    pub(super) fn with(&mut self, held: &DescribeEventBusOutput) {
        self.description = held_text(self.description.as_deref(), held.description());
        self.kms_key_identifier = held_text(self.kms_key_identifier.as_deref(), held.kms_key_identifier());
        let queue = held.dead_letter_config().and_then(|queue| filled(queue.arn()));
        self.dead_letter_config = queue.map(|arn| DeadLetterConfig { arn });
        self.log_config = match held.log_config() {
            Some(log) if self.log_config.is_some() || is_on(log) => Some(shown_log(Some(log))),
            None if self.log_config.is_some() => Some(shown_log(None)),
            _ => None,
        };
    }

    /// What UpdateEventBus writes is not the same.
    pub(super) fn settings_differ(&self, other: &Self) -> bool {
        self.description != other.description
            || self.kms_key_identifier != other.kms_key_identifier
            || self.dead_letter_config != other.dead_letter_config
            || self.log_config != other.log_config
    }

    /// What AWS holds is just what this plan would have made.
    async fn is_like(
        &self,
        aws: &Regional,
        held: &DescribeEventBusOutput,
        ignored: &Ignored,
    ) -> Result<bool> {
        let mut now = self.clone();
        now.with(held);
        let tags = aws.tags(held.arn().unwrap_or_default()).await;
        let tags = tags.map_err(|e| {
            e.during_with(
                doing::read(&self.event_source_name),
                &Standing::same(MAY_BE_THERE),
            )
        })?;
        Ok(!now.settings_differ(self) && self.tags_all.clone().unwrap_or_default() == ignored.without(tags))
    }
}

/// A log as AWS shows it; what it leaves out is off.
fn shown_log(log: Option<&WireLog>) -> LogConfig {
    let detail = log.and_then(WireLog::include_detail);
    let level = log.and_then(WireLog::level);
    LogConfig {
        include_detail: detail.map_or("NONE", IncludeDetail::as_str).to_owned(),
        level: level.map_or("OFF", Level::as_str).to_owned(),
    }
}

/// AWS shows a log that was never set up as one that is off.
fn is_on(log: &WireLog) -> bool {
    log.level().is_some_and(|level| *level != Level::Off)
        || log.include_detail() == Some(&IncludeDetail::Full)
}

fn wire_queue(queue: &DeadLetterConfig) -> WireQueue {
    WireQueue::builder().arn(&queue.arn).build()
}

fn wire_log(log: &LogConfig) -> WireLog {
    WireLog::builder()
        .include_detail(IncludeDetail::from(log.include_detail.as_str()))
        .level(Level::from(log.level.as_str()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_off_is_no_log() {
        let off = WireLog::builder()
            .level(Level::Off)
            .include_detail(IncludeDetail::None)
            .build();
        assert!(!is_on(&off) && !is_on(&WireLog::builder().build()));
        assert!(is_on(&WireLog::builder().level(Level::Info).build()));
    }
}
