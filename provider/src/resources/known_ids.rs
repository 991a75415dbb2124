//! Ids of Scalr's that a plan knows: Scalr makes them when it creates an object, so what they name is there already, or never.

use std::future::Future;
use std::time::Duration;

use scalr_api::{ConnectionId, WorkspaceId};
use tfplugin::{Attr, AttrType, Plan, Resource, Value};

use super::messages;
use crate::client::Client;
use crate::scalr::Scalr;

/// How long an answer may take. Where Scalr gives none, nothing is known; the apply says why.
const WITHIN: Duration = Duration::from_secs(10);

/// Refuses the id of a connection that is not there.
pub(super) async fn check_connection<R, T>(plan: &mut Plan<'_, R>, attr: Attr<R, T>)
where
    R: Resource<Client = Client>,
    T: AttrType<Known = String>,
{
    let find = async |scalr: Scalr, id: String| {
        let id = ConnectionId::new(id).ok()?;
        // A refresh in this plan may have asked for it.
        let found = scalr.refreshed(&id, |_| true).await;
        found.ok().map(|found| found.is_some())
    };
    check(plan, attr, "EventBridge connection", find).await;
}

/// Refuses the id of a workspace that is not there.
pub(super) async fn check_workspace<R, T>(plan: &mut Plan<'_, R>, attr: Attr<R, T>)
where
    R: Resource<Client = Client>,
    T: AttrType<Known = String>,
{
    let find = async |scalr: Scalr, id: String| {
        let id = WorkspaceId::new(id).ok()?;
        let found = scalr.api.workspace(&id).await;
        found.ok().map(|found| found.is_some())
    };
    check(plan, attr, "workspace", find).await;
}

async fn check<R, T, F>(
    plan: &mut Plan<'_, R>,
    attr: Attr<R, T>,
    kind: &str,
    find: impl FnOnce(Scalr, String) -> F,
) where
    R: Resource<Client = Client>,
    T: AttrType<Known = String>,
    F: Future<Output = Option<bool>>,
{
    let Value::Known(id) = plan.planned(attr.clone()) else {
        return;
    };
    // A refresh has found that one.
    let is_held = plan.held(attr.clone()) == Value::Known(id.clone());
    let scalr = plan.client().and_then(|client| client.scalr().ok());
    let Some(scalr) = scalr.filter(|_| !is_held && !plan.is_within_apply()) else {
        return;
    };
    let scalr = scalr.stopping_with(plan.cancelled());
    let refusal = messages::no_such_object(kind, &id, &scalr);
    if let Ok(Some(false)) = tokio::time::timeout(WITHIN, find(scalr, id)).await {
        plan.error(refusal.at(attr));
    }
}
