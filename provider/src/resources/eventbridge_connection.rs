//! `scalr_eventbridge_connection`: Scalr's half of the integration, which makes the partner event source.
//!
//! It makes no AWS call and never waits for `active`: that takes a bus on the other side.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scalr_api::{
    ClientError, Connection as Wire, ConnectionAttributes, ConnectionId, ConnectionInput, Object, Status,
};
use tfplugin::{
    Action, Attrs, Cx, Diagnostic, Diagnostics, Plan, Resource, Result, Timeouts, Value, Waited, mins,
};

use crate::aws::import_id;
use crate::check;
use crate::client::{Client, Scalr, connection_id};

/// How often Scalr is asked whether the event source has its name.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("/data/attributes/name", "name"),
    ("/data/attributes/aws-account-id", "aws_account_id"),
    ("/data/attributes/region", "region"),
    ("/data/attributes/status", "enabled"),
];

/// Streams Scalr's events to AWS EventBridge through a partner event source, which it makes in an AWS account and region.
///
/// The stream begins when the source is associated with an event bus (`scalr_eventbridge_bus`) and Scalr has seen that (`scalr_eventbridge_activation`). There is one connection for each AWS account and region, so `create_before_destroy` cannot work here.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Connection {
    /// Name of the connection; also the last segment of the event source's name. Letters, digits, `.`, `-` and `_`.
    #[tf(required, replace, check = check::source_segment)]
    name: String,
    /// AWS account that receives the events: 12 digits.
    #[tf(required, replace, check = check::aws_account_id)]
    aws_account_id: String,
    /// AWS region that receives the events.
    #[tf(required, replace, check = check::region)]
    region: String,
    /// Whether events are streamed; `false` pauses the stream, and Scalr holds the events back meanwhile.
    #[tf(optional, computed, default = true)]
    enabled: bool,
    /// Identifier of the connection, `in-…`.
    #[tf(computed, keep)]
    id: Option<String>,
    /// Name of the partner event source: `aws.partner/scalr.com/<account>/<name>`.
    #[tf(computed, keep)]
    event_source_name: Option<String>,
    /// ARN of the partner event source, as the AWS account sees it.
    #[tf(computed, keep)]
    event_source_arn: Option<String>,
    /// Scalr account that the connection belongs to, `acc-…`.
    #[tf(computed, keep)]
    account_id: Option<String>,
    /// `pending`, `active`, `disabled` or `failed`, as of the last refresh. Right after creation it is `pending`: use the `status` of `scalr_eventbridge_activation` where it matters.
    #[tf(computed)]
    status: Option<String>,
    /// Why the connection failed, as of the last refresh.
    #[tf(computed)]
    error_message: Option<String>,
}

impl Resource for Connection {
    const NAME: &'static str = "eventbridge_connection";
    type Client = Client;
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5));

    async fn create(plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let made = match scalr.api.create_connection(plan.input()).await {
            Ok(made) => made,
            Err(error) => return Err(plan.not_created(&scalr, error).await),
        };
        // The object exists: from here on nothing may lose it.
        cx.save(plan.clone().with(&made));
        let mut object = await_source(made, &scalr, cx).await;
        if !plan.enabled {
            let paused = scalr
                .api
                .update_connection(&object.id, ConnectionInput::status(Status::Disabled))
                .await;
            let standing = "The connection exists, and is not paused. The next plan shows that.";
            match paused {
                Ok(answered) => {
                    object = answered;
                    if let Err(other) = plan.check_enabled(&object) {
                        warn_all(cx, &other);
                    }
                }
                Err(error) => {
                    let failed = scalr.failed(format!("pause the connection `{}`", plan.name), error);
                    warn_all(cx, &failed.standing(standing).into());
                }
            }
        }
        warn_of_failure(cx, &object);
        Ok(plan.applied(&object))
    }

    async fn read(state: Self, cx: &mut Cx<'_, Self>) -> Result<Option<Self>> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let Some(object) = scalr.connection(&state.connection_id()?).await? else {
            return Ok(None);
        };
        warn_of_failure(cx, &object);
        Ok(Some(state.with(&object)))
    }

    async fn update(prior: Self, plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let id = prior.connection_id()?;
        let object = if prior.enabled == plan.enabled {
            scalr.connection(&id).await?.ok_or_else(|| gone(&id))?
        } else {
            let (status, doing) = if plan.enabled {
                (Status::Active, "resume")
            } else {
                (Status::Disabled, "pause")
            };
            let answer = scalr
                .api
                .update_connection(&id, ConnectionInput::status(status))
                .await;
            answer.map_err(|error| match error {
                ClientError::Refused(refusal) if refusal.is_gone() => gone(&id),
                error => scalr
                    .failed(format!("{doing} the connection `{}`", plan.name), error)
                    .attributes(ATTRIBUTES)
                    .into(),
            })?
        };
        plan.check_enabled(&object)?;
        warn_of_failure(cx, &object);
        Ok(plan.applied(&object))
    }

    async fn delete(state: Self, cx: &mut Cx<'_, Self>) -> Result<()> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let deleted = scalr.api.delete_connection(&state.connection_id()?).await;
        let failed = |error| scalr.failed(format!("delete the connection `{}`", state.name), error);
        Ok(deleted.map(drop).map_err(failed)?)
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        let pauses = plan.planned::<bool>("enabled") == Value::Known(false);
        if plan.action() == Action::Update && !plan.replaces() && pauses {
            // Any other answer to the pause is an error.
            plan.set("status", Status::Disabled.as_str());
        }
        Ok(())
    }

    fn parse_import_id(id: &str) -> Result<Vec<(&'static str, String)>> {
        check::connection_id(id).map_err(|reason| {
            Diagnostic::error(format!("Import id `{}` cannot be used", id.escape_debug()))
                .detail(format!("It {reason}. Nothing was imported."))
        })?;
        Ok(vec![("id", id.to_owned())])
    }
}

impl Connection {
    fn input(&self) -> ConnectionInput {
        ConnectionInput {
            name: Some(self.name.clone()),
            aws_account_id: Some(self.aws_account_id.clone()),
            region: Some(self.region.clone()),
            status: None,
        }
    }

    fn connection_id(&self) -> Result<ConnectionId> {
        connection_id(self.id.as_deref().unwrap_or_default(), "id")
    }

    /// The only way from the wire to state.
    fn with(self, object: &Object<Wire>) -> Self {
        let wire = object.attributes.clone();
        let account = object.relationships.account.id().map(ToString::to_string);
        Self {
            name: wire.name,
            aws_account_id: wire.aws_account_id,
            region: wire.region,
            enabled: wire.status != Status::Disabled,
            id: Some(object.id.to_string()),
            event_source_name: wire.event_source.or(self.event_source_name),
            event_source_arn: wire.event_source_arn.or(self.event_source_arn),
            account_id: account.or(self.account_id),
            status: Some(wire.status.to_string()),
            error_message: wire.err_message.filter(|text| !text.is_empty()),
        }
    }

    /// [`Connection::with`], where `enabled` is as planned: Terraform takes nothing else from an apply.
    fn applied(self, object: &Object<Wire>) -> Self {
        let enabled = self.enabled;
        Self {
            enabled,
            ..self.with(object)
        }
    }

    /// Refuses an answer that is not what was asked for.
    fn check_enabled(&self, object: &Object<Wire>) -> Result<()> {
        if self.enabled == (object.attributes.status != Status::Disabled) {
            return Ok(());
        }
        let (asked, status) = (
            if self.enabled { "resume" } else { "pause" },
            &object.attributes.status,
        );
        Err(Diagnostic::error(format!("Scalr did not {asked} the connection `{}`", self.name))
            .detail(format!(
                "Scalr took the call and answers that the connection is `{status}`. The next plan shows it as it is then."
            ))
            .at("enabled")
            .into())
    }

    /// Why the connection could not be created; where one is in the way, how to take it up.
    async fn not_created(&self, scalr: &Scalr, error: ClientError) -> Diagnostics {
        let unsure = match &error {
            ClientError::Refused(refusal) if matches!(refusal.status, 409 | 422) => Some(false),
            ClientError::Refused(refusal) if refusal.status >= 500 => Some(true),
            ClientError::NoAnswer { .. } | ClientError::NotTheApi { .. } => Some(true),
            _ => None,
        };
        let failed = scalr
            .failed(format!("create the connection `{}`", self.name), error)
            .attributes(ATTRIBUTES);
        let Some(unsure) = unsure else {
            return failed.into();
        };
        let all = scalr.api.connections(None).await.unwrap_or_default();
        let mut same_place = all.iter().filter(|other| self.same_place(&other.attributes));
        match (same_place.next(), unsure) {
            (Some(holder), false) => self.taken(holder).into(),
            (Some(holder), true) => failed
                .standing(format!(
                    "Scalr has a connection for this AWS account and region now: {}, perhaps made by this very call. {}",
                    described(holder),
                    take_up(holder)
                ))
                .into(),
            (None, true) => failed
                .standing(
                    "Whether Scalr made the connection is not known; it shows none at present. Apply again: if it is there \
                     then, the message says how to take it up.",
                )
                .into(),
            (None, false) => failed.into(),
        }
    }

    fn same_place(&self, other: &ConnectionAttributes) -> bool {
        self.aws_account_id == other.aws_account_id && self.region == other.region
    }

    fn taken(&self, holder: &Object<Wire>) -> Diagnostic {
        Diagnostic::error(format!("AWS account {} has a connection in {} already", self.aws_account_id, self.region))
            .detail(format!(
                "Scalr keeps one EventBridge connection for each AWS account and region, and {} holds this place. Nothing \
                 was created.\n\n{}\n\nIf the connection is being replaced, remove `create_before_destroy` from it and from \
                 what depends on it: the old and the new connection cannot exist side by side.",
                described(holder),
                take_up(holder)
            ))
            .at("aws_account_id")
    }
}

fn described(object: &Object<Wire>) -> String {
    format!(
        "`{}` (`{}`, {})",
        object.id, object.attributes.name, object.attributes.status
    )
}

fn take_up(object: &Object<Wire>) -> String {
    format!(
        "To manage it with this resource, apply again with this block:\n\n{}",
        import_id::block(object.id.as_str())
    )
}

/// Waits until Scalr names the event source. The connection exists, so whatever happens is a warning: an error would
/// have Terraform replace it.
async fn await_source(made: Object<Wire>, scalr: &Scalr, cx: &Cx<'_, Connection>) -> Object<Wire> {
    let latest = Mutex::new(made);
    let lock = || latest.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = cx
        .wait(ASK_EVERY, async |attempt| {
            let known = lock().clone();
            let (id, name) = (known.id, known.attributes.name);
            if attempt > 0 {
                let found = scalr.connection(&id).await?.ok_or_else(|| gone(&id))?;
                *lock() = found;
            }
            let now = lock().attributes.clone();
            Ok(if now.event_source.is_some() || now.status == Status::Failed {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(format!(
                    "connection `{name}` ({id}): waiting for Scalr to name its event source"
                ))
            })
        })
        .await;
    let object = lock().clone();
    let unfinished = |why: &str| {
        Diagnostic::warning(format!("The event source of connection `{}` has no name yet", object.attributes.name))
            .detail(format!(
                "{why} The connection `{}` exists and is kept; the next plan reads the name of its event source, and what \
                 depends on it goes on from there.",
                object.id
            ))
    };
    let why = match waited {
        Ok(Waited::Done(())) => return object,
        Ok(Waited::TimedOut { .. }) => "Scalr did not name it within the `create` timeout.",
        Ok(Waited::Cancelled { .. }) => "The wait for it was interrupted.",
        Err(_) if cx.cancelled().is_cancelled() => "The wait for it was interrupted.",
        Err(failed) => {
            warn_all(cx, &failed);
            "Scalr could not be asked for it."
        }
    };
    cx.warn(unfinished(why));
    object
}

fn warn_all(cx: &Cx<'_, Connection>, diagnostics: &Diagnostics) {
    for diagnostic in diagnostics {
        cx.warn(diagnostic.clone());
    }
}

fn warn_of_failure(cx: &Cx<'_, Connection>, object: &Object<Wire>) {
    if let Some(warning) = failure(object) {
        cx.warn(warning);
    }
}

/// The warning about a connection that failed.
fn failure(object: &Object<Wire>) -> Option<Diagnostic> {
    let wire = &object.attributes;
    if wire.status != Status::Failed {
        return None;
    }
    let said = wire.err_message.as_deref().filter(|text| !text.is_empty());
    let said = said.map_or("Scalr gives no reason.".to_owned(), |text| {
        format!("Scalr says: {}.", text.trim_end_matches('.'))
    });
    Some(
        Diagnostic::warning(format!("The connection `{}` has failed", wire.name)).detail(format!(
            "{said} No event reaches AWS account {} in {} through `{}`.\n\nWhen the cause is removed, the \
         `scalr_eventbridge_activation` of this connection has Scalr look again on the next apply.",
            wire.aws_account_id, wire.region, object.id
        )),
    )
}

fn gone(id: &ConnectionId) -> Diagnostics {
    Diagnostic::error(format!("The connection `{id}` is gone"))
        .detail("Scalr has no such connection any more; someone may have deleted it. The next plan creates it anew.")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(status: Status, source: Option<&str>) -> Object<Wire> {
        Object::new(
            ConnectionId::new("in-1").unwrap(),
            ConnectionAttributes {
                name: "prod".into(),
                aws_account_id: "123456789012".into(),
                region: "us-east-1".into(),
                status,
                err_message: Some(String::new()),
                event_source: source.map(str::to_owned),
                event_source_arn: None,
            },
        )
    }

    fn planned(enabled: bool) -> Connection {
        Connection {
            name: "prod".into(),
            aws_account_id: "123456789012".into(),
            region: "us-east-1".into(),
            enabled,
            id: None,
            event_source_name: None,
            event_source_arn: None,
            account_id: None,
            status: None,
            error_message: None,
        }
    }

    #[test]
    fn the_wire_becomes_state() {
        let state = planned(true).with(&object(Status::Disabled, Some("s")));
        assert_eq!(
            (state.enabled, state.status.as_deref()),
            (false, Some("disabled"))
        );
        assert_eq!(
            (state.id.as_deref(), state.event_source_name.as_deref()),
            (Some("in-1"), Some("s"))
        );
        assert_eq!(state.error_message, None);
        // A name that was known stays, should an answer leave it out.
        let kept = state.with(&object(Status::Pending, None));
        assert_eq!(
            (kept.enabled, kept.event_source_name.as_deref()),
            (true, Some("s"))
        );
    }

    #[test]
    fn an_apply_keeps_enabled_as_planned_and_refuses_the_contrary() {
        assert!(!planned(false).applied(&object(Status::Pending, None)).enabled);
        assert!(
            planned(true)
                .check_enabled(&object(Status::Pending, None))
                .is_ok()
        );
        assert!(
            planned(false)
                .check_enabled(&object(Status::Pending, None))
                .is_err()
        );
    }

    #[test]
    fn a_taken_place_names_the_holder_and_the_way_on() {
        let text = planned(true).taken(&object(Status::Active, None)).to_string();
        for part in [
            "AWS account 123456789012 has a connection in us-east-1 already",
            "`in-1` (`prod`, active) holds this place. Nothing was created.",
            "\n\n  import {\n    to = TYPE.NAME\n    id = \"in-1\"\n  }\n\nput the address shown after \"with\" above in place",
            "create_before_destroy",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }

    #[test]
    fn only_a_failed_connection_warns() {
        let mut failed = object(Status::Failed, None);
        failed.attributes.err_message = Some("No such AWS account.".into());
        let warning = failure(&failed).unwrap();
        assert!(
            warning
                .detail
                .starts_with("Scalr says: No such AWS account. No event reaches"),
            "{warning}"
        );
        assert_eq!(failure(&object(Status::Pending, None)), None);
    }
}
