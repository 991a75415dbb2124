//! Making, changing and deleting the bus.

use std::ops::ControlFlow::Continue;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::types::{
    DeadLetterConfig as WireQueue, EventSourceState, IncludeDetail, Level, LogConfig as WireLog,
};
use tfplugin::{Cx, Diagnostic, Diagnostics, Result};

use super::{Bus, DeadLetterConfig, LogConfig, source};
use crate::aws::calls::wire_tags;
use crate::aws::settle::{DOUBTS_MAX, is_in_use};
use crate::aws::{Error, Regional, Standing, import_id, planned, settle};

const MAY_BE_THERE: &str = "The bus may be there now; if it is, the next apply says how to take it up.";
const DELETE_EVERY: Duration = Duration::from_secs(2);

/// Makes the bus and returns its ARN; takes an existing one over where the plan says so.
pub(super) async fn create(aws: &Regional, plan: &Bus, state: &EventSourceState) -> Result<String> {
    let name = &plan.event_source_name;
    let doing = || format!("cannot make the event bus `{name}`");
    if let Some(held) = aws.bus(name).await.map_err(|e| e.during(doing()))? {
        return take_over(aws, plan, &held, state).await;
    }
    match put(aws, plan).await {
        Ok(arn) => Ok(arn),
        // It was not there a moment ago: an answer was lost on the way, and the SDK's second attempt met the bus that
        // its first one had made.
        Err(e)
            if matches!(
                e.code(),
                Some("ResourceAlreadyExistsException" | "InvalidStateException")
            ) =>
        {
            let unread = |e: Error| e.during_with(doing(), &Standing::same(MAY_BE_THERE));
            match aws.bus(name).await.map_err(unread)? {
                Some(held) if plan.is_like(aws, &held).await? => Ok(held.arn.unwrap_or_default()),
                Some(held) => take_over(aws, plan, &held, state).await,
                None => Err(refused(&e, name)),
            }
        }
        Err(e) => Err(refused(&e, name)),
    }
}

async fn put(aws: &Regional, plan: &Bus) -> Result<String, Error> {
    let all = plan.tags_all.clone().unwrap_or_default();
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
        .set_tags((!all.is_empty()).then(|| wire_tags(&all)));
    let answer = call
        .send()
        .await
        .map_err(|e| aws.failed("events:CreateEventBus", e))?;
    Ok(answer.event_bus_arn.unwrap_or_default())
}

async fn take_over(
    aws: &Regional,
    plan: &Bus,
    held: &DescribeEventBusOutput,
    state: &EventSourceState,
) -> Result<String> {
    let name = &plan.event_source_name;
    if !plan.adopt_existing {
        return Err(exists(name, &aws.name, state).into());
    }
    if *state == EventSourceState::Pending {
        source::activate(aws, name).await?;
    }
    Ok(held.arn().unwrap_or_default().to_owned())
}

/// Gives a bus that was taken over the settings and tags of the plan.
pub(super) async fn bring_to(aws: &Regional, plan: &Bus) -> Result<()> {
    let name = &plan.event_source_name;
    let doing = || format!("cannot bring the event bus `{name}` to what is configured");
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
    aws.retag(arn, &tags, &wanted)
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
    answer
        .map(drop)
        .map_err(|e| e.during(format!("cannot change the event bus `{name}`")))
}

/// Deletes the bus, once its rules are gone.
pub(super) async fn delete(cx: &Cx<'_, Bus>, aws: &Regional, name: &str) -> Result<()> {
    let standing = Standing::new(
        "The bus is still there.",
        "Whether the bus was deleted is not known; the next plan shows it.",
    );
    let doing = format!("delete the event bus `{name}`");
    let doubts = &AtomicU32::new(0);
    settle::until_settled(cx, DELETE_EVERY, &doing, &standing, async |_| {
        let answer = aws.events.delete_event_bus().name(name).send().await;
        match answer.map_err(|e| aws.failed("events:DeleteEventBus", e)) {
            Err(e) if is_in_use(&e, "rule") => {
                let left = aws.rule_names(name, None).await?;
                if left.is_empty() && doubts.fetch_add(1, Ordering::Relaxed) >= DOUBTS_MAX {
                    return Err(e);
                }
                Ok(Continue(rules_left(name, &left)))
            }
            answer => settle::gone(answer),
        }
    })
    .await
}

fn rules_left(name: &str, left: &[String]) -> String {
    let rules = if left.is_empty() {
        "rules".to_owned()
    } else {
        format!("the rules `{}`", left.join("`, `"))
    };
    format!(
        "the bus `{name}` still has {rules}, and AWS deletes a bus only when it has none. Rules that this configuration \
         does not manage have to be deleted first"
    )
}

fn refused(error: &Error, name: &str) -> Diagnostics {
    let standing = Standing::new("The call changed nothing.", MAY_BE_THERE);
    error.during_with(format!("cannot make the event bus `{name}`"), &standing)
}

/// The bus is there and was not to be taken over.
fn exists(name: &str, region: &str, state: &EventSourceState) -> Diagnostic {
    let left_over = if *state == EventSourceState::Pending {
        " It belonged to an earlier connection of the same name: AWS does not associate it with the new event source by \
         itself, so the connection stays pending. An apply after taking it up associates it."
    } else {
        ""
    };
    Diagnostic::error(format!("The event bus `{name}` exists already")).detail(format!(
        "It is in {region}, and this resource was to make it; it was left as it is.{left_over} Either set \
         `adopt_existing = true`, which takes it over and gives it the settings written here, or import it with\n\n{}\n\nIf \
         the bus is being replaced, `create_before_destroy` (which a rule that has it hands on to its bus) cannot work: there \
         is one bus of a name. Apply again, without it if this comes back.",
        import_id::block(&format!("{name}@{region}"))
    ))
}

impl Bus {
    /// Takes the settings that AWS holds.
    pub(super) fn with(&mut self, held: &DescribeEventBusOutput) {
        let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.description = planned::held_text(self.description.as_deref(), held.description());
        self.kms_key_identifier = filled(held.kms_key_identifier());
        let queue = held.dead_letter_config().and_then(|queue| filled(queue.arn()));
        self.dead_letter_config = queue.map(|arn| DeadLetterConfig { arn });
        self.log_config = match held.log_config() {
            Some(log) if self.log_config.is_some() || is_on(log) => Some(LogConfig {
                include_detail: log
                    .include_detail()
                    .map_or("NONE", IncludeDetail::as_str)
                    .to_owned(),
                level: log.level().map_or("OFF", Level::as_str).to_owned(),
            }),
            _ => None,
        };
    }

    /// What AWS holds is just what this plan would have made.
    async fn is_like(&self, aws: &Regional, held: &DescribeEventBusOutput) -> Result<bool> {
        let mut now = self.clone();
        now.with(held);
        let tags = aws.tags(held.arn().unwrap_or_default()).await;
        let tags = tags.map_err(|e| {
            let doing = format!("cannot read the event bus `{}`", self.event_source_name);
            e.during_with(doing, &Standing::same(MAY_BE_THERE))
        })?;
        Ok(!now.settings_differ(self) && self.tags_all.clone().unwrap_or_default() == tags)
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
    fn an_existing_bus_is_refused_with_the_block_that_takes_it_up() {
        let name = "aws.partner/scalr.com/a/b";
        for (state, says) in [
            (EventSourceState::Active, "adopt_existing = true"),
            (EventSourceState::Pending, "stays pending"),
        ] {
            let detail = exists(name, "eu-west-1", &state).detail;
            assert!(detail.contains(says), "{detail}");
            assert!(
                detail.contains("\n    id = \"aws.partner/scalr.com/a/b@eu-west-1\"\n"),
                "{detail}"
            );
        }
    }

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
