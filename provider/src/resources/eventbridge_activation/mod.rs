//! `scalr_eventbridge_activation`: "Refresh status", until the connection is active.
//!
//! `disabled` is settled: a connection that is found paused is left paused. It is looked at right before each refresh,
//! since the call that refreshes is also the one that resumes.
//!
//! Where the plan of the connection or of its bus changes the status, the status is unknown until this resource's own turn:
//! it then refreshes, or reads that the connection is paused.

mod messages;

use scalr_api::{Connection as Wire, ConnectionId, Object, Status};
use tfplugin::{Attrs, Identity, Operation, Plan, PlanAction, Resource, Result, Timeouts, mins};

use super::known_ids;
use super::refreshing::{self, Ended};
use crate::check;
use crate::client::Client;
use crate::scalr::connection_id;

/// Refreshes the status of a connection in Scalr ("Refresh status") until the connection is active.
///
/// It must depend on the targets of the bus, as in the example: once a connection is active, Scalr delivers the events that it held, and EventBridge drops those that no rule matches. If the AWS credentials belong to the connection's account, the activation warns of a bus that has no enabled rule with a target. It fails after 15 seconds if there is no bus and the same apply creates none.
///
/// Where a `scalr_eventbridge_event_source` leads the events to a custom event bus, it must depend on the subscribers. The bus keeps events that no subscriber reads, but a subscriber that is created later gets them only if it starts at a point in time. The activation warns of a custom event bus that has no subscriber.
///
/// If a connection becomes `pending` or `failed`, the next apply refreshes it again. A paused connection (`enabled = false`) stays paused. Destroying the activation changes nothing in Scalr.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Activation {
    /// Connection to activate, `in-…`.
    #[tf(required, replace, check = check::connection_id)]
    connection_id: String,
    /// Status of the connection: `active` after an apply, `disabled` if it is paused, or what it has become since.
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

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        match refresh(operation, &plan).await? {
            Ended::Active(object) => Ok(plan.with(&object)),
            // No state: the next plan has the activation to add.
            Ended::Paused(object) => Err(messages::paused(&object, messages::LEAVE_IT_OUT).into()),
            Ended::Gone => Err(messages::gone(&plan.connection_id).into()),
            Ended::Early { last, why } => {
                let wording = messages::not_active(messages::NOT_RECORDED);
                Err(refreshing::not_active(last.as_ref(), &why, &wording).into())
            }
        }
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = state.id()?;
        // A status that leaves nothing to do is taken from a list; another one would be acted on.
        let is_known = |held: &Object<Wire>| state.status.is_none() || state.clone().with(held) == state;
        match scalr.refreshed(&id, is_known).await? {
            Some(object) => Ok(Some(state.with(&object))),
            // An import knows the id alone.
            None if state.status.is_none() => Err(scalr.nothing_to_import(&id).into()),
            None => Ok(None),
        }
    }

    async fn update(prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        // Known, the status is as before: nothing in this walk changes it.
        let may_be_paused = plan.status.is_none();
        if prior.settled() && !may_be_paused {
            return Ok(plan);
        }
        match refresh(operation, &plan).await? {
            Ended::Active(object) => Ok(plan.with(&object)),
            Ended::Paused(object) if may_be_paused => Ok(plan.with(&object)),
            Ended::Paused(object) => {
                operation.save(prior.with(&object));
                Err(messages::paused(&object, messages::PLAN_AGAIN).into())
            }
            Ended::Gone => Err(messages::gone(&plan.connection_id).into()),
            Ended::Early { last, why } => {
                let error =
                    refreshing::not_active(last.as_ref(), &why, &messages::not_active(messages::STAYS));
                if let Some(object) = last {
                    operation.save(prior.with(&object));
                }
                Err(error.into())
            }
        }
    }

    async fn delete(_state: Self, _cx: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        known_ids::check_connection(plan, Self::connection_id()).await;
        let refreshes = match plan.action() {
            PlanAction::Create => true,
            PlanAction::Update => plan.replaces() || !plan.prior().is_some_and(Self::settled),
            // The hook is not called for a destroy.
            PlanAction::Delete => false,
        };
        if plan.action() == PlanAction::Update && !plan.replaces() && status_is_open(plan) {
            plan.set_unknown(Self::status());
            plan.set_unknown(Self::error_message());
        } else if refreshes {
            plan.set(Self::status(), Status::Active.as_str());
            plan.set(Self::error_message(), None);
        }
        Ok(())
    }
}

impl Activation {
    fn id(&self) -> Result<ConnectionId> {
        connection_id(&self.connection_id, Self::connection_id())
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
}

async fn refresh(operation: &Operation<'_, Activation>, plan: &Activation) -> Result<Ended> {
    refreshing::until_active(operation, &plan.id()?, messages::DEPEND_ON_THE_TARGETS).await
}

/// Whether the plan of the connection, or of its bus, leaves open what the status will be. A connection that is refreshed in any
/// case becomes active, unless it is paused.
fn status_is_open(plan: &Plan<'_, Activation>) -> bool {
    let (Some(client), Some(prior)) = (plan.client(), plan.prior()) else {
        return false;
    };
    let (walk, id) = (client.walk(), &prior.connection_id);
    walk.switches(id) || prior.settled() && walk.changes_status(id)
}

#[cfg(test)]
mod tests {
    use scalr_api::ConnectionAttributes;

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
