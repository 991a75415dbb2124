//! The partner's event source, which has to be PENDING before a custom event bus can have its events.

use std::time::Duration;

use aws_sdk_eventbridge::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridge::types::EventSourceState;
use tfplugin::{Operation, Result, WaitEnd};
use tokio::time::Instant;

use super::EventSource;
use super::messages::{self, doing};
use crate::aws::{Error, Regional};
use crate::failure::Cause as _;

const EVERY: Duration = Duration::from_secs(2);
/// How long a Classic bus, or another event source, may stay in the way: another resource of this apply may be deleting it. As long is
/// DELETED not believed, which a source that Scalr has just made again may still show.
const IN_THE_WAY_MAX: Duration = Duration::from_secs(15);

/// What has the events of a partner's source, so that no custom bus can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// A Classic bus that somebody made.
    Classic,
    /// Another event source, by its name if it is known.
    Other(Option<String>),
    /// Nothing that AWS shows.
    Nothing,
}

/// Waits until the account has the partner's source, and nothing has its events.
pub(super) async fn wait_until_pending(
    operation: &Operation<'_, EventSource>,
    aws: &Regional,
    plan: &EventSource,
) -> Result<()> {
    let source = plan.partner_source();
    let place = format!("{}, region {}", aws.account_in_words().await, aws.name);
    let failed = |e: Error| e.during(doing::look_for_partner(source));
    let mut since = None;
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        let state = match aws.source(source).await {
            Ok(found) => found.and_then(|found| found.state),
            Err(e) if e.is_passing() => {
                attempts.awaiting(messages::cannot_now(&doing::look_for_partner(source), &e));
                continue;
            }
            Err(e) => return Err(failed(e)),
        };
        // While this apply removes the bus, or something on it, time does not count.
        if operation.client().memory().is_going(&plan.partner_bus()) {
            since = None;
        }
        let is_over = since.get_or_insert_with(Instant::now).elapsed() >= IN_THE_WAY_MAX;
        match state {
            Some(EventSourceState::Pending) => return Ok(()),
            None => {
                since = None;
                attempts.awaiting(messages::not_there_yet(source, &place));
            }
            Some(EventSourceState::Deleted) if is_over => {
                return Err(messages::partner_deleted(source, &place).into());
            }
            Some(state) if is_over => {
                let in_the_way = in_the_way(aws, source).await.map_err(failed)?;
                return Err(messages::not_pending(plan, state.as_str(), &in_the_way, &aws.name).into());
            }
            Some(state) => attempts.awaiting(messages::is_still(source, state.as_str())),
        }
    }
    Err(match attempts.end() {
        WaitEnd::TimedOut { last } => messages::partner_never_came(source, &place, &last),
        WaitEnd::Cancelled { last } => messages::interrupted_before_made(&last),
    }
    .into())
}

/// What has the events of a partner's source.
pub(super) async fn in_the_way(aws: &Regional, source: &str) -> Result<InTheWay, Error> {
    let Some(bus) = aws.bus(source).await? else {
        return Ok(InTheWay::Nothing);
    };
    if bus.managed_by().is_none() {
        return Ok(InTheWay::Classic);
    }
    let other = aws.event_source_of(source).await.ok().flatten();
    Ok(InTheWay::Other(other.and_then(|other| other.name)))
}

/// Its state in words; what AWS does not show is missing.
pub(super) fn state_of(source: Option<&DescribeEventSourceOutput>) -> String {
    let state = source.and_then(|source| source.state());
    state.map_or("MISSING", EventSourceState::as_str).to_owned()
}
