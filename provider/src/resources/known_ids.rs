//! Ids of Scalr's that a plan knows: Scalr makes them when it creates an object, so what they name is there already, or never.

use scalr_api::ConnectionId;
use scalr_events::Identified;
use tfplugin::{Attr, AttrType, Plan, Resource, Value};

use super::messages;
use crate::client::Client;
use crate::scalr::Scalr;
use crate::scalr::known::{Doubt, Known};

/// Refuses the id of a connection that is not there.
pub(super) async fn check_connection<R, T>(plan: &mut Plan<'_, R>, attr: Attr<R, T>)
where
    R: Resource<Client = Client>,
    T: AttrType<Known = String>,
{
    let Some((scalr, id)) = to_ask(plan, &attr) else {
        return;
    };
    let Ok(connection) = ConnectionId::new(id.as_str()) else {
        return;
    };
    if scalr.has_connection(&connection, plan.cancelled()).await == Some(false) {
        let refusal = messages::no_such_object("EventBridge connection", &id, None, &scalr);
        plan.error(refusal.at(attr));
    }
}

/// Refuses the id of a workspace that is not there.
pub(super) async fn check_workspace<R, T>(plan: &mut Plan<'_, R>, attr: Attr<R, T>)
where
    R: Resource<Client = Client>,
    T: AttrType<Known = String>,
{
    let Some((scalr, id)) = to_ask(plan, &attr) else {
        return;
    };
    let known = scalr.known((Identified::Workspace, &id), Doubt::Cleared, plan.cancelled());
    if let Some(Known::Missing { near }) = known.await {
        let refusal = messages::no_such_object(Identified::Workspace.as_str(), &id, near.as_ref(), &scalr);
        plan.error(refusal.at(attr));
    }
}

/// Whom to ask for an id that a plan is about to have, and the id. One that the object has was found by a refresh.
fn to_ask<R, T>(plan: &Plan<'_, R>, attr: &Attr<R, T>) -> Option<(Scalr, String)>
where
    R: Resource<Client = Client>,
    T: AttrType<Known = String>,
{
    let id = plan.planned(attr.clone()).known()?;
    let is_held = plan.held(attr.clone()) == Value::Known(id.clone());
    let scalr = plan.client().and_then(|client| client.scalr().ok())?;
    (!is_held && !plan.is_within_apply()).then(|| (scalr.stopping_with(plan.cancelled()), id))
}
