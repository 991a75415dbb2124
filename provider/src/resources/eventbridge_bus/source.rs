//! Waiting for the event source: until AWS shows it, and until it is associated.

use std::time::Duration;

use aws_sdk_eventbridge::types::EventSourceState;
use tfplugin::{Diagnostic, Operation, Result, WaitEnd};

use super::Bus;
use super::messages::{self, doing};
use crate::aws::Regional;
use crate::failure::Cause as _;

const EVERY: Duration = Duration::from_secs(2);
/// Scalr is asked where the source is before it is waited for, and again after so many readings: the connection may be made
/// meanwhile.
const READINGS_PER_QUESTION: u32 = 5;
const SCALR_WITHIN: Duration = Duration::from_secs(20);
/// How many times DELETED is read before it is believed: a source that Scalr has just made again may still show it.
const DELETED_READINGS_MAX: u32 = 15;

/// The state of a source that AWS does not show.
pub(super) const MISSING: &str = "MISSING";

/// State of a source after its bus was made.
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
    operation: &Operation<'_, Bus>,
    aws: &Regional,
    name: &str,
) -> Result<EventSourceState> {
    let whose = aws.account_in_words().await;
    let place = format!("{whose}, region {}", aws.name);
    let mut is_here = false;
    let mut attempts = operation.attempts(EVERY);
    while let Some(attempt) = attempts.next().await {
        let missing = match aws.source(name).await {
            Ok(source) => match source.and_then(|source| source.state) {
                None => messages::not_there_yet(name, &place),
                Some(EventSourceState::Deleted) if attempt < DELETED_READINGS_MAX => {
                    messages::still_deleted(name, &place)
                }
                Some(EventSourceState::Deleted) => return Err(messages::source_deleted(name, &place).into()),
                Some(state) => return Ok(state),
            },
            Err(e) if e.is_passing() => messages::cannot_now(&doing::look_for_source(name), &e),
            Err(e) => return Err(e.during(doing::look_for_source(name))),
        };
        // Waiting does not help where the source is elsewhere.
        if !is_here && attempt % READINGS_PER_QUESTION == 0 {
            let asked = tokio::time::timeout(SCALR_WITHIN, connection_of(operation, aws, name)).await;
            match asked.ok().flatten() {
                Some(Whereabouts::Elsewhere(misplaced)) => return Err((*misplaced).into()),
                Some(Whereabouts::Here) => is_here = true,
                None => {}
            }
        }
        attempts.awaiting(missing);
    }
    Err(match attempts.end() {
        WaitEnd::TimedOut { last } => messages::source_never_came(name, &place, &last),
        WaitEnd::Cancelled { last } => messages::interrupted_before_made(&last),
    }
    .into())
}

/// Where the connection of an event source leads to.
enum Whereabouts {
    /// To the account and region of the bus.
    Here,
    /// To another account or region, in words.
    Elsewhere(Box<Diagnostic>),
}

/// What Scalr says of the connections of this event source; none where it has none, or gives no answer.
async fn connection_of(operation: &Operation<'_, Bus>, aws: &Regional, name: &str) -> Option<Whereabouts> {
    let scalr = operation
        .client()
        .scalr()
        .ok()?
        .stopping_with(operation.cancelled());
    let connections = scalr.connections().await.ok()?;
    let account = aws.account().await.ok().filter(|account| !account.is_empty())?;
    let mut of_source = connections
        .iter()
        .map(|held| &held.attributes)
        .filter(|wire| wire.event_source.as_deref() == Some(name))
        .peekable();
    let first = *of_source.peek()?;
    if of_source.any(|wire| wire.region == aws.name && wire.aws_account_id == account) {
        return Some(Whereabouts::Here);
    }
    let misplaced = messages::elsewhere(name, first, account, &aws.name);
    Some(Whereabouts::Elsewhere(Box::new(misplaced)))
}

/// Waits until the source is ACTIVE, or in a state that waiting does not change; else why the wait ended.
pub(super) async fn wait_until_active(
    operation: &Operation<'_, Bus>,
    aws: &Regional,
    name: &str,
) -> Result<std::result::Result<Association, WaitEnd>> {
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        let source = match aws.source(name).await {
            Ok(source) => source,
            Err(e) if e.is_passing() => {
                attempts.awaiting(messages::cannot_now(&doing::read_source(name), &e));
                continue;
            }
            Err(e) => return Err(e.during(doing::read_source(name))),
        };
        return Ok(Ok(match source.and_then(|source| source.state) {
            Some(EventSourceState::Active) => Association::Active,
            Some(EventSourceState::Pending) => {
                attempts.awaiting(messages::still_pending(name));
                continue;
            }
            Some(other) => Association::Other(other.as_str().to_owned()),
            None => Association::Other(MISSING.to_owned()),
        }));
    }
    Ok(Err(attempts.end()))
}

impl Bus {
    /// Waits until the source is associated. The bus exists: whatever ends the wait is a warning, and the next apply
    /// continues.
    pub(super) async fn associate(&mut self, operation: &Operation<'_, Self>, aws: &Regional) {
        let source = &self.event_source_name;
        let why = match wait_until_active(operation, aws, source).await {
            Ok(Ok(association)) => {
                self.source_state = Some(association.state().to_owned());
                if association == Association::Active {
                    return;
                }
                messages::source_state(association.state())
            }
            Ok(Err(WaitEnd::TimedOut { last })) => messages::association_timed_out(&last),
            Ok(Err(WaitEnd::Cancelled { last })) => messages::association_interrupted(&last),
            Err(failures) => {
                let details = failures.iter().map(|failure| failure.detail.as_str());
                details.collect::<Vec<_>>().join("\n\n")
            }
        };
        operation.warn(messages::perhaps_nothing_arrives(source, &why));
    }
}

/// Associates the source of a bus that exists, and waits until it is.
pub(super) async fn reassociate(operation: &Operation<'_, Bus>, aws: &Regional, name: &str) -> Result<()> {
    activate(aws, name).await?;
    match wait_until_active(operation, aws, name).await? {
        Ok(Association::Active) => Ok(()),
        Ok(Association::Other(state)) => Err(messages::source_gone(name, &state).into()),
        Err(WaitEnd::TimedOut { last } | WaitEnd::Cancelled { last }) => {
            Err(messages::not_associated(name, &last).into())
        }
    }
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
