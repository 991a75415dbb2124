//! What a plan makes of a connection, and what later plans are to know of it.

use scalr_api::{Connection as Wire, Object as Held, Status};
use tfplugin::{Operation, Plan, PlanAction, Value};

use super::{Connection, messages};
use crate::defaults;
use crate::ownership::{Object, Owner};
use crate::resources::{handover, names};

/// Private state: the id of the connection. The creation of a replacement has that of the object whose place it takes.
const ID: &str = "id";

/// All of it.
pub(super) async fn decide(plan: &mut Plan<'_, Connection>) {
    if let (Some(client), Some(id)) = (plan.client(), plan.prior().and_then(|prior| prior.id.as_deref())) {
        client.walk().holds_connection(id);
    }
    if plan.action() == PlanAction::Delete {
        return;
    }
    let region = plan.config(Connection::region()).known();
    defaults::check_region(plan, region.as_deref(), Connection::region());
    let enabled = plan.planned(Connection::enabled());
    if plan.action() == PlanAction::Update && !plan.replaces() && enabled == Value::Known(false) {
        // Any other answer to the pause is an error.
        plan.set(Connection::status(), Status::Disabled.as_str());
    }
    if let (Some(client), Some(prior)) = (plan.client(), plan.prior()) {
        let (id, source) = (prior.id.as_deref(), prior.event_source_name.as_deref());
        let switched = enabled != Value::Known(prior.enabled);
        client.walk().connection(id.unwrap_or_default(), source, switched);
    }
    note_presence(plan, region.as_deref());
    judge_beside_others(plan);
    judge_place(plan).await;
}

/// Keeps the id for the plan of a replacement.
pub(super) fn note_id(operation: &Operation<'_, Connection>, id: &str) {
    operation.set_private(ID, id);
}

/// What a connection is to be called, and where it is to lead.
pub(super) struct Wanted<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
}

impl Wanted<'_> {
    /// Scalr keeps one connection for each AWS account and region.
    pub(super) fn is_taken_by(&self, other: &Held<Wire>) -> bool {
        self.account == other.attributes.aws_account_id && self.region == other.attributes.region
    }

    /// The event source would have the same name.
    fn is_called_like(&self, other: &Held<Wire>) -> bool {
        self.name == Some(&*other.attributes.name) && self.region == other.attributes.region
    }
}

/// Refuses the second connection of this plan for one place. Scalr has neither yet, so its list does not show it.
fn judge_beside_others(plan: &mut Plan<'_, Connection>) {
    let (account, region) = (
        plan.planned(Connection::aws_account_id()).known(),
        plan.planned(Connection::region()).known(),
    );
    let (Some(client), Some(account), Some(region)) = (plan.client(), account, region) else {
        return;
    };
    if plan.replaces() {
        return;
    }
    let place = Object::Place {
        region: region.to_string(),
        account: account.clone(),
    };
    let name = plan.planned(Connection::name()).known();
    let first = client.walk().leads_to(place.clone(), name);
    let owner = plan.private(ID).and_then(Owner::from_private);
    if let Err(conflict) = handover::note(plan, &place, owner) {
        plan.error(messages::planned_twice(
            conflict,
            (&account, &region),
            first.as_deref(),
        ));
    }
}

/// Refuses a connection for a place that has one, which an apply would find out half way through; unless that one is of this state, so
/// that this plan may remove it. Where this walk has seen no connection of the state, that is not known, as of a tainted one with
/// `-refresh=false`: a warning. Without an answer of Scalr's nothing is said.
async fn judge_place(plan: &mut Plan<'_, Connection>) {
    if plan.prior().is_some() || plan.is_within_apply() {
        return;
    }
    let (account, region) = (
        plan.planned(Connection::aws_account_id()).known(),
        plan.planned(Connection::region()).known(),
    );
    let (Some(account), Some(region)) = (account, region) else {
        return;
    };
    let name = plan.planned(Connection::name()).known();
    let wanted = Wanted {
        name: name.as_deref(),
        account: &account,
        region: &region,
    };
    let Some((client, scalr)) = plan
        .client()
        .and_then(|client| Some((client, client.scalr().ok()?)))
    else {
        return;
    };
    let Some(all) = scalr.connections_of_walk(plan.cancelled()).await else {
        return;
    };
    let taken = all.values().find(|other| wanted.is_taken_by(other));
    let called = || all.values().find(|other| wanted.is_called_like(other));
    let Some(holder) = taken.or_else(called) else {
        return;
    };
    let id = holder.id.as_str();
    let is_replaced = plan.private(ID).as_deref() == Some(id.as_bytes());
    if is_replaced || client.walk().will_hold_connection(id, plan.cancelled()).await {
        return;
    }
    if taken.is_some() && client.walk().holds_connections() {
        plan.error(messages::taken(&wanted, holder));
    } else if taken.is_some() {
        plan.warn(messages::may_be_taken(&wanted, holder));
    } else {
        plan.warn(messages::same_name(&wanted, holder));
    }
}

/// A bus that names its event source in words is planned in no order: the source of a connection that is made is not there yet.
fn note_presence(plan: &Plan<'_, Connection>, region: Option<&str>) {
    let name = plan.planned(Connection::name()).known();
    if let Some((client, name)) = plan.client().zip(name).filter(|_| names::is_made(plan)) {
        let region = region.unwrap_or_default().to_owned();
        client.walk().presence(Object::Connection { region, name });
    }
}
