//! Waiting for the event source: until AWS shows it, and until it is associated.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use aws_sdk_eventbridge::types::EventSourceState;
use tfplugin::{Cx, Diagnostic, Result, Waited};

use super::Bus;
use super::messages::{self, doing};
use crate::aws::Regional;
use crate::failure::Cause as _;

const EVERY: Duration = Duration::from_secs(2);
/// After so many readings Scalr is asked where the source is: a connection that is being made in the same apply is there by then.
const READINGS_ALONE: u32 = 3;
const SCALR_WITHIN: Duration = Duration::from_secs(20);
/// How many times DELETED is read before it is believed: a source that Scalr has just made again may still show it.
const DELETED_READINGS_MAX: u32 = 15;

/// The state of a source that AWS does not show.
pub(super) const MISSING: &str = "MISSING";

/// How a source stands after its bus was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Association {
    /// Associated.
    Active,
    /// Not associated, and not about to be: the state that AWS shows.
    Other(String),
}

impl Association {
    pub(super) fn state(&self) -> &str {
        match self {
            Self::Active => EventSourceState::Active.as_str(),
            Self::Other(state) => state,
        }
    }
}

/// Waits until the account has the source, and says in which state.
pub(super) async fn wait_until_there(
    cx: &Cx<'_, Bus>,
    aws: &Regional,
    name: &str,
) -> Result<EventSourceState> {
    let whose = aws.account_in_words().await;
    let place = format!("{whose}, region {}", aws.name);
    let waited = cx
        .wait(EVERY, async |attempt| {
            let source = match aws.source(name).await {
                Ok(source) => source,
                Err(e) if e.is_passing() => {
                    return Ok(Continue(messages::cannot_now(&doing::look_for_source(name), &e)));
                }
                Err(e) => return Err(e.during(doing::look_for_source(name))),
            };
            Ok(match source.and_then(|source| source.state) {
                None => {
                    // Waiting does not help where the source is elsewhere.
                    if attempt == READINGS_ALONE
                        && let Ok(Some(misplaced)) =
                            tokio::time::timeout(SCALR_WITHIN, misplaced(cx, aws, name)).await
                    {
                        return Err(misplaced.into());
                    }
                    Continue(messages::not_there_yet(name, &place))
                }
                Some(EventSourceState::Deleted) if attempt < DELETED_READINGS_MAX => {
                    Continue(messages::still_deleted(name, &place))
                }
                Some(state) => Break(state),
            })
        })
        .await?;
    match waited {
        Waited::Done(EventSourceState::Deleted) => Err(messages::source_deleted(name, &place).into()),
        Waited::Done(state) => Ok(state),
        Waited::TimedOut { last } => Err(messages::source_never_came(name, &place, &last).into()),
        Waited::Cancelled { last } => Err(messages::interrupted_before_made(&last).into()),
    }
}

/// Where Scalr says that the connections of this event source go elsewhere: said early. Without an answer of Scalr's the wait goes on.
async fn misplaced(cx: &Cx<'_, Bus>, aws: &Regional, name: &str) -> Option<Diagnostic> {
    let scalr = cx.client().scalr().ok()?.stopping_with(cx.cancelled());
    let connections = scalr.api.connections(None).await.ok()?;
    let account = aws.account().await.ok()?;
    let mut of_source = connections
        .into_iter()
        .map(|held| held.attributes)
        .filter(|wire| wire.event_source.as_deref() == Some(name))
        .peekable();
    let first = of_source.peek()?.clone();
    if of_source.any(|wire| wire.region == aws.name && wire.aws_account_id == account) {
        return None;
    }
    Some(messages::elsewhere(name, &first, account, &aws.name))
}

/// Waits until the source is ACTIVE, or in a state that waiting does not change.
pub(super) async fn wait_until_active(
    cx: &Cx<'_, Bus>,
    aws: &Regional,
    name: &str,
) -> Result<Waited<Association>> {
    cx.wait(EVERY, async |_| {
        let source = match aws.source(name).await {
            Ok(source) => source,
            Err(e) if e.is_passing() => {
                return Ok(Continue(messages::cannot_now(&doing::read_source(name), &e)));
            }
            Err(e) => return Err(e.during(doing::read_source(name))),
        };
        Ok(match source.and_then(|source| source.state) {
            Some(EventSourceState::Active) => Break(Association::Active),
            Some(EventSourceState::Pending) => Continue(messages::still_pending(name)),
            Some(other) => Break(Association::Other(other.as_str().to_owned())),
            None => Break(Association::Other(MISSING.to_owned())),
        })
    })
    .await
}

/// Associates the source of a bus that exists, and waits until it is.
pub(super) async fn reassociate(cx: &Cx<'_, Bus>, aws: &Regional, name: &str) -> Result<()> {
    activate(aws, name).await?;
    let last = match wait_until_active(cx, aws, name).await? {
        Waited::Done(Association::Active) => return Ok(()),
        Waited::Done(Association::Other(state)) => return Err(messages::source_gone(name, &state).into()),
        Waited::TimedOut { last } | Waited::Cancelled { last } => last,
    };
    Err(messages::not_associated(name, &last).into())
}

/// Asks AWS to associate the source with the bus that has its name. A source that is associated by now is fine.
pub(super) async fn activate(aws: &Regional, name: &str) -> Result<()> {
    let answer = aws.events.activate_event_source().name(name).send().await;
    match answer.map_err(|e| aws.failed("events:ActivateEventSource", e)) {
        Ok(_) => Ok(()),
        Err(e) if e.code() == Some("InvalidStateException") => Ok(()),
        Err(e) => Err(e.during(doing::associate(name))),
    }
}
