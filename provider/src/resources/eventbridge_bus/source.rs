//! Waiting for the event source: until AWS shows it, and until it is associated.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use aws_sdk_eventbridge::types::EventSourceState;
use tfplugin::{Cx, Diagnostic, Result, Waited};

use super::Bus;
use crate::aws::Regional;

const EVERY: Duration = Duration::from_secs(2);
/// After so many readings Scalr is asked where the source is: a connection that is being made in the same apply is there by then.
const READINGS_ALONE: u32 = 3;
const SCALR_WITHIN: Duration = Duration::from_secs(20);
/// How many times DELETED is read before it is believed: a source that Scalr has just made again may still show it.
const DELETED_READINGS_MAX: u32 = 15;

/// How a source stands after its bus was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Association {
    /// Associated.
    Active,
    /// Not associated, and not about to be.
    Other(String),
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
                    return Ok(Continue(format!(
                        "cannot look for the event source `{name}` at present: {e}"
                    )));
                }
                Err(e) => return Err(e.during(format!("cannot look for the event source `{name}`"))),
            };
            Ok(match source.and_then(|source| source.state) {
                None => {
                    // Waiting does not mend a wrong place.
                    if attempt == READINGS_ALONE
                        && let Ok(Some(misplaced)) =
                            tokio::time::timeout(SCALR_WITHIN, misplaced(cx, aws, name)).await
                    {
                        return Err(misplaced.into());
                    }
                    Continue(format!("the event source `{name}` is not there yet in {place}"))
                }
                Some(EventSourceState::Deleted) if attempt < DELETED_READINGS_MAX => Continue(format!(
                    "the event source `{name}` in {place} is DELETED; waiting for Scalr to make it again"
                )),
                Some(state) => Break(state),
            })
        })
        .await?;
    match waited {
        Waited::Done(EventSourceState::Deleted) => Err(deleted(name, &place).into()),
        Waited::Done(state) => Ok(state),
        Waited::TimedOut { last } => Err(never_came(name, &place, &last).into()),
        Waited::Cancelled { last } => Err(Diagnostic::error("Interrupted before the event bus was made")
            .detail(format!(
                "While waiting: {last}. Nothing was made; apply again to go on."
            ))
            .into()),
    }
}

/// Where Scalr says that the connections of this event source go elsewhere: told early. What Scalr does not say is waited for.
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
    Some(
        Diagnostic::error(format!("The event source `{name}` is in another place"))
            .detail(format!(
                "The connection `{}` goes to AWS account {}, region {}; this looked in account {account}, region {}. Nothing \
                 was made.\n\nGive this resource the connection's `region`, and AWS credentials of the connection's account.",
                first.name, first.aws_account_id, first.region, aws.name
            ))
            .at("region"),
    )
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
                return Ok(Continue(format!(
                    "cannot read the event source `{name}` at present: {e}"
                )));
            }
            Err(e) => return Err(e.during(format!("cannot read the event source `{name}`"))),
        };
        Ok(match source.and_then(|source| source.state) {
            Some(EventSourceState::Active) => Break(Association::Active),
            Some(EventSourceState::Pending) => {
                Continue(format!("the event source `{name}` is still PENDING"))
            }
            Some(other) => Break(Association::Other(other.as_str().to_owned())),
            None => Break(Association::Other("MISSING".to_owned())),
        })
    })
    .await
}

/// Associates the source of a bus that exists, and waits until it is.
pub(super) async fn reassociate(cx: &Cx<'_, Bus>, aws: &Regional, name: &str) -> Result<()> {
    activate(aws, name).await?;
    let last = match wait_until_active(cx, aws, name).await? {
        Waited::Done(Association::Active) => return Ok(()),
        Waited::Done(Association::Other(state)) => return Err(gone_error(name, &state).into()),
        Waited::TimedOut { last } | Waited::Cancelled { last } => last,
    };
    Err(
        Diagnostic::error(format!("The event source `{name}` is not associated"))
            .detail(format!(
                "The wait ended; {last}. AWS was asked to associate it. The bus is unchanged; apply again to go on."
            ))
            .into(),
    )
}

/// Asks AWS to associate the source with the bus that has its name. A source that is associated by now is fine.
pub(super) async fn activate(aws: &Regional, name: &str) -> Result<()> {
    let answer = aws.events.activate_event_source().name(name).send().await;
    match answer.map_err(|e| aws.failed("events:ActivateEventSource", e)) {
        Ok(_) => Ok(()),
        Err(e) if e.code() == Some("InvalidStateException") => Ok(()),
        Err(e) => Err(e.during(format!("cannot associate the event source `{name}` with its bus"))),
    }
}

/// The source of a bus that exists is gone: said at plan.
pub(super) fn gone(name: &str, state: &str) -> Diagnostic {
    let (summary, detail) = gone_in_words(name, state);
    Diagnostic::warning(summary).detail(detail)
}

fn gone_error(name: &str, state: &str) -> Diagnostic {
    let (summary, detail) = gone_in_words(name, state);
    Diagnostic::error(summary).detail(detail)
}

fn gone_in_words(name: &str, state: &str) -> (String, String) {
    let who = if state == "DELETED" {
        "Scalr has deleted it"
    } else {
        "AWS has removed it"
    };
    (
        "The event bus receives nothing: its event source is gone".to_owned(),
        format!(
            "The event source `{name}` is {state}: {who}. The bus and its rules stay. Make the Scalr connection of this name \
             again: its source then waits in state PENDING, and the apply after that associates this bus with it. A bus is \
             never associated with a new source by itself, which is why a connection made again under the same name stays \
             pending until then."
        ),
    )
}

fn deleted(name: &str, place: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` is DELETED")).detail(format!(
        "In {place} there is only what is left of an earlier connection: Scalr has deleted the event source, and its old \
         event bus still holds the name. Nothing was made. Is the Scalr connection of this name there, for this account \
         and region? Make it again; then apply. The old bus and its rules are taken up with `adopt_existing = true`, or \
         delete the bus in AWS first."
    ))
}

fn never_came(name: &str, place: &str, last: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` did not appear")).detail(format!(
        "The wait ended; {last}. Nothing was made. AWS shows the source of a connection only in the account and region \
         that the connection names; this looked in {place}. Compare with the connection's `aws_account_id` and `region`, \
         and with this resource's `region` and AWS credentials. A source that no bus was associated with for two weeks is \
         removed by AWS: then make the connection again."
    ))
}
