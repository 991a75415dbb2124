//! `scalr_eventbridge_activation`: "Refresh status", until the connection is active.
//!
//! `disabled` is settled: a connection that is found paused is left paused. It is looked at right before each refresh,
//! since the call that refreshes is also the one that resumes.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scalr_api::{ClientError, Connection as Wire, ConnectionAttributes, ConnectionId, Object, Status};
use tfplugin::{
    Action, Attrs, Cx, Diagnostic, Diagnostics, Identity, Plan, Resource, Result, Timeouts, Waited, mins,
};

use crate::check;
use crate::client::{Client, connection_id};

/// How often Scalr is asked to look at the event source.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// Refreshes that may fail before the apply does.
const FAILURES_MAX: u32 = 4;

/// Has Scalr look at the event source of a connection ("Refresh status") until the connection is active.
///
/// Let it depend on the `scalr_eventbridge_bus` of the event source. A connection that falls back to `pending` or fails is refreshed again on the next apply; one that is paused (`enabled = false`) is left paused. Destroying the activation changes nothing in Scalr.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Activation {
    /// Connection to activate, `in-…`.
    #[tf(required, replace, check = check::connection_id)]
    connection_id: String,
    /// Status of the connection: `active` after apply, or what it has become since.
    #[tf(computed)]
    status: Option<String>,
    /// Why the connection failed.
    #[tf(computed)]
    error_message: Option<String>,
}

impl Resource for Activation {
    const NAME: &'static str = "eventbridge_activation";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["connection_id"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(10)).update(mins(10));

    async fn create(plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        match plan.refresh(cx).await? {
            Ended::Active(object) => Ok(plan.with(&object)),
            // No state: the next plan has the activation to add.
            Ended::Paused(object) => {
                Err(paused(&object, "leave the activation out while it is to stay paused").into())
            }
            Ended::Gone => Err(plan.gone().into()),
            Ended::Early { last, awaited, why } => Err(not_active(
                last.as_ref(),
                &awaited,
                why,
                "No activation was recorded, and the connection is as it was.",
            )),
        }
    }

    async fn read(state: Self, cx: &mut Cx<'_, Self>) -> Result<Option<Self>> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let object = scalr.connection(&state.id()?).await?;
        Ok(object.map(|object| state.with(&object)))
    }

    async fn update(prior: Self, plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        if prior.settled() {
            return Ok(plan);
        }
        match plan.refresh(cx).await? {
            Ended::Active(object) => Ok(plan.with(&object)),
            Ended::Paused(object) => {
                cx.save(prior.with(&object));
                Err(paused(
                    &object,
                    "plan again, and the activation is left alone while it is paused",
                )
                .into())
            }
            Ended::Gone => Err(plan.gone().into()),
            Ended::Early { last, awaited, why } => {
                let error = not_active(
                    last.as_ref(),
                    &awaited,
                    why,
                    "The activation stays, and the next plan refreshes again.",
                );
                if let Some(object) = last {
                    cx.save(prior.with(&object));
                }
                Err(error)
            }
        }
    }

    async fn delete(_state: Self, _cx: &mut Cx<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        let refreshes = match plan.action() {
            Action::Create => true,
            Action::Update => plan.replaces() || !plan.prior().is_some_and(Self::settled),
            Action::Delete => false,
        };
        if refreshes {
            plan.set("status", Status::Active.as_str());
            plan.set("error_message", None::<String>);
        }
        Ok(())
    }

    fn parse_import_id(id: &str) -> Result<Vec<(&'static str, String)>> {
        check::connection_id(id).map_err(|reason| {
            Diagnostic::error(format!("Import id `{}` cannot be used", id.escape_debug())).detail(format!(
                "It {reason}: an activation is imported by its connection. Nothing was imported."
            ))
        })?;
        Ok(vec![("connection_id", id.to_owned())])
    }
}

/// How the refreshing ended.
enum Ended {
    Active(Object<Wire>),
    Paused(Object<Wire>),
    Gone,
    /// Before the connection was active: as a refresh last found it, and what was awaited then.
    Early {
        last: Option<Object<Wire>>,
        awaited: String,
        why: Why,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    TimedOut,
    Cancelled,
}

/// Refreshes that failed one after the other. Being throttled is no failure: it passes, and the timeout bounds it.
#[derive(Default)]
struct Failures(AtomicU32);

impl Failures {
    /// Whether one more may follow this one.
    fn next(&self, error: &ClientError) -> bool {
        let throttled = error.refusal().is_some_and(|refusal| refusal.status == 429);
        throttled || self.0.fetch_add(1, Ordering::Relaxed) + 1 < FAILURES_MAX
    }

    /// A refresh went well.
    fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Activation {
    fn id(&self) -> Result<ConnectionId> {
        connection_id(&self.connection_id, "connection_id")
    }

    /// Whether there is nothing to refresh.
    fn settled(&self) -> bool {
        matches!(self.status.as_deref(), Some("active" | "disabled"))
    }

    /// The only way from the wire to state.
    fn with(self, object: &Object<Wire>) -> Self {
        let wire = &object.attributes;
        let message = wire.err_message.clone().filter(|text| !text.is_empty());
        // An active connection has no error to show, whatever an earlier failure left behind.
        let message = if wire.status == Status::Active {
            None
        } else {
            message
        };
        Self {
            status: Some(wire.status.to_string()),
            error_message: message,
            ..self
        }
    }

    async fn refresh(&self, cx: &Cx<'_, Self>) -> Result<Ended> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let id = self.id()?;
        let last = Mutex::new(None);
        let lock = || last.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = Failures::default();
        let waited = cx
            .wait(REFRESH_EVERY, async |_| {
                // Asking for `active` would resume a paused connection, so it is looked at before each time.
                let Some(found) = scalr.connection(&id).await? else {
                    return Ok(ControlFlow::Break(Ended::Gone));
                };
                if found.attributes.status == Status::Disabled {
                    return Ok(ControlFlow::Break(Ended::Paused(found)));
                }
                let object = match scalr.api.refresh_connection(&id).await {
                    Ok(object) => {
                        failures.forget();
                        object
                    }
                    // Before it is sent again, the connection is looked at again.
                    Err(error) if error.is_passing() && failures.next(&error) => {
                        return Ok(ControlFlow::Continue(format!(
                            "the connection `{id}` could not be refreshed: {error}"
                        )));
                    }
                    Err(error) => {
                        return Err(scalr
                            .failed(format!("refresh the connection `{id}`"), error)
                            .into());
                    }
                };
                Ok(match object.attributes.status {
                    Status::Active => ControlFlow::Break(Ended::Active(object)),
                    Status::Disabled => ControlFlow::Break(Ended::Paused(object)),
                    _ => {
                        let awaited = awaited(&object.attributes);
                        *lock() = Some(object);
                        ControlFlow::Continue(awaited)
                    }
                })
            })
            .await;
        let early = |why, awaited| {
            Ok(Ended::Early {
                last: lock().take(),
                awaited,
                why,
            })
        };
        match waited {
            Ok(Waited::Done(ended)) => Ok(ended),
            Ok(Waited::TimedOut { last }) => early(Why::TimedOut, last),
            Ok(Waited::Cancelled { last }) => early(Why::Cancelled, last),
            Err(_) if cx.cancelled().is_cancelled() => {
                early(Why::Cancelled, "Scalr had not answered".to_owned())
            }
            Err(failed) => Err(failed),
        }
    }

    fn gone(&self) -> Diagnostic {
        Diagnostic::error(format!("There is no connection `{}`", self.connection_id))
            .detail("Scalr has no such connection, or the token may not see it. Nothing was changed.")
            .at("connection_id")
    }
}

/// The step that is missing, for the log.
fn awaited(wire: &ConnectionAttributes) -> String {
    let (name, source) = (
        &wire.name,
        wire.event_source.as_deref().unwrap_or("its event source"),
    );
    match &wire.status {
        Status::Pending => format!(
            "connection `{name}` is pending: waiting for an event bus of {source} in AWS account {}, {}",
            wire.aws_account_id, wire.region
        ),
        Status::Failed => format!("connection `{name}` has failed: {}", reason(wire)),
        other => format!("connection `{name}` is {other}: waiting for it to be active"),
    }
}

fn reason(wire: &ConnectionAttributes) -> String {
    let message = wire
        .err_message
        .as_deref()
        .map(|text| text.trim_end_matches('.'))
        .filter(|text| !text.is_empty());
    message.unwrap_or("Scalr gives no reason").to_owned()
}

fn paused(object: &Object<Wire>, instead: &str) -> Diagnostic {
    let name = &object.attributes.name;
    Diagnostic::error(format!("The connection `{name}` is paused"))
        .detail(format!(
            "The connection `{}` is `disabled`, and an activation never resumes a paused connection. Nothing was \
             changed.\n\nSet `enabled = true` on the `scalr_eventbridge_connection` to resume it, or {instead}.",
            object.id
        ))
        .at("connection_id")
}

/// Why the connection is not active, and which step is missing.
fn not_active(last: Option<&Object<Wire>>, awaited: &str, why: Why, standing: &str) -> Diagnostics {
    let until = match why {
        Why::TimedOut => "when the timeout passed",
        Why::Cancelled => "when the wait was interrupted",
    };
    let Some(object) = last else {
        return Diagnostic::error("The connection was not refreshed")
            .detail(format!(
                "That was so {until}: {awaited}. {standing} Apply again later."
            ))
            .at("connection_id")
            .into();
    };
    let wire = &object.attributes;
    let (missing, next) = match &wire.status {
        Status::Pending => pending(wire),
        Status::Failed => (
            format!("Scalr says that it failed: {}.", reason(wire)),
            "Remove the cause, then apply again.".to_owned(),
        ),
        other => (
            format!("Scalr says that it is `{other}`."),
            "Apply again later.".to_owned(),
        ),
    };
    Diagnostic::error(format!(
        "The connection `{}` is not active but `{}`",
        wire.name, wire.status
    ))
    .detail(format!(
        "That was its status {until}. {missing}\n\n{standing} {next}"
    ))
    .at("connection_id")
    .into()
}

fn pending(wire: &ConnectionAttributes) -> (String, String) {
    let source = wire.event_source.as_deref().unwrap_or("(not named yet)");
    let missing = format!(
        "The missing step: the partner event source `{source}` is not associated with an event bus in AWS account {} in {}.",
        wire.aws_account_id, wire.region
    );
    let next = "Associate it with a `scalr_eventbridge_bus` of that name in that account and region, and name the bus in \
                this resource's `depends_on`; then apply again."
        .to_owned();
    (missing, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(status: Status, message: Option<&str>) -> Object<Wire> {
        Object::new(
            ConnectionId::new("in-1").unwrap(),
            ConnectionAttributes {
                name: "prod".into(),
                aws_account_id: "123456789012".into(),
                region: "us-east-1".into(),
                status,
                err_message: message.map(str::to_owned),
                event_source: Some("aws.partner/scalr.com/acme/prod".into()),
                event_source_arn: None,
            },
        )
    }

    #[track_caller]
    fn check(status: Status, message: Option<&str>, why: Why, parts: &[&str]) {
        let text = not_active(Some(&object(status, message)), "", why, "Standing.").to_string();
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }

    #[test]
    fn the_missing_step_is_named() {
        check(
            Status::Pending,
            None,
            Why::TimedOut,
            &[
                "The connection `prod` is not active but `pending`",
                "when the timeout passed",
                "`aws.partner/scalr.com/acme/prod` is not associated with an event bus in AWS account 123456789012 in us-east-1.",
                "Standing. Associate it",
            ],
        );
        check(
            Status::Failed,
            Some("No such account."),
            Why::TimedOut,
            &["it failed: No such account.\n"],
        );
        check(
            Status::Failed,
            None,
            Why::Cancelled,
            &["was interrupted", "it failed: Scalr gives no reason.\n"],
        );
    }

    #[test]
    fn without_an_answer_the_last_attempt_is_told() {
        let text = not_active(None, "it is throttled", Why::TimedOut, "Standing.").to_string();
        assert!(
            text.contains("when the timeout passed: it is throttled. Standing. Apply again later."),
            "{text}"
        );
    }

    #[test]
    fn only_failures_in_a_row_end_the_refreshing() {
        let refused = ClientError::NotTheApi {
            request: "PATCH /x".to_owned(),
            host: "scalr.example.com".to_owned(),
            reason: "HTML".to_owned(),
        };
        let failures = Failures::default();
        for _ in 0..3 {
            assert!((1..FAILURES_MAX).all(|_| failures.next(&refused)));
            failures.forget();
        }
        assert!((1..FAILURES_MAX).all(|_| failures.next(&refused)));
        assert!(!failures.next(&refused), "the fourth in a row");
    }

    #[test]
    fn active_and_disabled_are_settled() {
        let state = Activation {
            connection_id: "in-1".into(),
            status: None,
            error_message: None,
        };
        for (status, settled) in [
            (Status::Active, true),
            (Status::Disabled, true),
            (Status::Pending, false),
            (Status::Failed, false),
            (Status::Other("new".into()), false),
        ] {
            assert_eq!(
                state.clone().with(&object(status.clone(), None)).settled(),
                settled,
                "{status}"
            );
        }
        assert!(!state.settled());
    }

    #[test]
    fn an_active_connection_shows_no_old_error() {
        let state = Activation {
            connection_id: "in-1".into(),
            status: None,
            error_message: None,
        };
        assert_eq!(
            state
                .clone()
                .with(&object(Status::Active, Some("old")))
                .error_message,
            None
        );
        assert_eq!(
            state
                .with(&object(Status::Failed, Some("new")))
                .error_message
                .as_deref(),
            Some("new")
        );
    }
}
