//! What a plan makes of a connection, and what later plans are to know of it.

use scalr_api::Status;
use tfplugin::{Plan, PlanAction, Value};

use super::Connection;
use crate::defaults;
use crate::ownership::Object;
use crate::resources::names;

/// All of it.
pub(super) fn decide(plan: &mut Plan<'_, Connection>) {
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
}

/// A bus that names its event source in words is planned in no order: the source of a connection that is made is not there yet.
fn note_presence(plan: &Plan<'_, Connection>, region: Option<&str>) {
    let name = plan.planned(Connection::name()).known();
    if let Some((client, name)) = plan.client().zip(name).filter(|_| names::is_made(plan)) {
        let region = region.unwrap_or_default().to_owned();
        client.walk().presence(Object::Connection { region, name });
    }
}
