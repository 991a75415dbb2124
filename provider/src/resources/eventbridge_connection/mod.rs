//! `scalr_eventbridge_connection`: Scalr's half of the integration, which makes the partner event source.
//!
//! It makes no AWS call and never waits for `active`: that takes a bus on the other side.

mod messages;
mod moved;
mod plan;
mod scalr;

use scalr_api::{Connection as Wire, ConnectionId, Object as Held, Status};
use tfplugin::{Attrs, Moves, Operation, Plan, Resource, Result, Timeouts, mins};

use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::ownership::Object;
use crate::scalr::connection_id;
use crate::values::Region;
use messages::doing;

/// Streams Scalr's events to AWS EventBridge through a partner event source, which it creates in an AWS account and region.
///
/// Events are delivered after the source is associated with an event bus (`scalr_eventbridge_bus`) and Scalr has refreshed its status (`scalr_eventbridge_activation`). There is one connection for each AWS account and region, so `create_before_destroy` does not work here.
///
/// A `moved` block can move a `scalr_event_bridge_integration` (Scalr's own provider) to this resource.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct Connection {
    /// Name of the connection; also the last segment of the event source's name. Letters, digits, `.`, `-` and `_`.
    #[tf(required, replace, check = check::source_segment)]
    name: String,
    /// AWS account that receives the events: 12 digits.
    #[tf(required, replace, check = check::aws_account_id)]
    aws_account_id: String,
    /// AWS region that receives the events.
    #[tf(required, replace)]
    region: Region,
    /// Whether events are delivered. `false` pauses the connection; Scalr holds the events until it is resumed.
    #[tf(optional, computed, default = true)]
    enabled: bool,
    /// Identifier of the connection, `in-…`.
    #[tf(computed, use_state_for_unknown, check = check::connection_id)]
    id: Option<String>,
    /// Name of the partner event source: `aws.partner/scalr.com/<account>/<name>`.
    #[tf(computed, use_state_for_unknown)]
    event_source_name: Option<String>,
    /// ARN of the partner event source, as the AWS account sees it.
    #[tf(computed, use_state_for_unknown)]
    event_source_arn: Option<String>,
    /// Scalr account that the connection belongs to, `acc-…`.
    #[tf(computed, use_state_for_unknown)]
    account_id: Option<String>,
    /// `pending`, `active`, `disabled` or `failed`, as of the last refresh. It is `pending` right after creation, and perhaps right after the connection is resumed. In outputs use the status of `scalr_eventbridge_activation`, which each apply updates.
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
    const MOVES: Moves<Self> = moved::sources;
    const PLANS_DESTROY: bool = true;

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        operation.client().memory().begin_creation(&plan.place());
        let made = scalr::create(&scalr, &plan).await?;
        // The object exists: from here on nothing may lose it.
        plan::note_id(operation, made.id.as_str());
        operation.save(plan.clone().with(&made));
        operation.client().places().forget().await;
        let mut object = scalr::await_source(made, &scalr, operation).await;
        if !plan.enabled {
            object = scalr::pause_new(object, &scalr, &plan, operation).await;
        }
        warn_of_failure(operation, &object);
        Ok(plan.applied(&object))
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = state.connection_id()?;
        operation.client().walk().holds_connection(id.as_str());
        let Some(object) = scalr.refreshed(&id, |held| state.is_as_written(held)).await? else {
            // An import knows the id alone.
            if state.name.is_empty() {
                return Err(scalr.nothing_to_import(&id).into());
            }
            return Ok(None);
        };
        warn_of_failure(operation, &object);
        plan::note_id(operation, id.as_str());
        let state = state.with(&object);
        if let Some(source) = &state.event_source_name {
            operation.client().walk().connected(source);
        }
        Ok(Some(state))
    }

    async fn update(prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = prior.connection_id()?;
        let object = if prior.enabled == plan.enabled {
            scalr::read(&scalr, &id).await?
        } else {
            scalr::enable(&scalr, &id, &plan, operation).await?
        };
        plan.check_enabled(&object)?;
        warn_of_failure(operation, &object);
        Ok(plan.applied(&object))
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = state.connection_id()?;
        operation.client().walk().holds_connection(id.as_str());
        let deleted = scalr.api.delete_connection(&id).await;
        operation.client().places().forget().await;
        deleted
            .map(drop)
            .map_err(|error| scalr.failed(error).during(doing::delete(&state.name)))
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan::decide(plan).await;
        Ok(())
    }
}

impl Connection {
    fn connection_id(&self) -> Result<ConnectionId> {
        connection_id(self.id.as_deref().unwrap_or_default(), Self::id())
    }

    /// Where it leads to.
    fn place(&self) -> Object {
        Object::Place {
            region: self.region.to_string(),
            account: self.aws_account_id.clone(),
        }
    }

    /// The way from the wire to state: a name or ARN that was known stays, should an answer leave it out.
    fn with(self, object: &Held<Wire>) -> Self {
        let found = Self::found(object);
        Self {
            event_source_name: found.event_source_name.or(self.event_source_name),
            event_source_arn: found.event_source_arn.or(self.event_source_arn),
            account_id: found.account_id.or(self.account_id),
            ..found
        }
    }

    /// [`Connection::with`], where `enabled` is as planned: Terraform takes nothing else from an apply.
    fn applied(self, object: &Held<Wire>) -> Self {
        let enabled = self.enabled;
        Self {
            enabled,
            ..self.with(object)
        }
    }

    /// Refuses an answer that is not what was asked for.
    fn check_enabled(&self, object: &Held<Wire>) -> Result<()> {
        if self.enabled == (object.attributes.status != Status::Disabled) {
            return Ok(());
        }
        Err(messages::not_enabled(&self.name, self.enabled, &object.attributes.status).into())
    }
}

fn warn_of_failure(operation: &Operation<'_, Connection>, object: &Held<Wire>) {
    if object.attributes.status == Status::Failed {
        operation.warn(messages::failed(object));
    }
}

#[cfg(test)]
mod tests {
    use scalr_api::ConnectionAttributes;

    use super::*;

    fn object(status: Status, source: Option<&str>) -> Held<Wire> {
        Held::new(
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
            region: Region::from("us-east-1"),
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
}
