//! What every AWS-side resource plans alike: its region and its tags.

use std::collections::BTreeMap;

use tfplugin::{Action, ClientOf, Cx, Diagnostic, Plan, Resource, Result, Value};

use super::tags::{self, Tags};
use super::{Aws, Limits, Regional};
use crate::check;
use crate::client::Client;

/// The clients for a resource's region, within the operation's limits, or what to tell the user.
pub async fn regional<T, K>(cx: &Cx<'_, T>, region: Option<&str>) -> Result<Regional>
where
    T: ClientOf<K, Client = Client>,
{
    // One that comes with an identity to import, or that no plan knew, has met no check so far.
    if let Some(region) = region {
        check::region(region).map_err(|why| {
            Diagnostic::error(format!("There is no AWS region `{region}`"))
                .detail(format!(
                    "`region` {why}. AWS was not asked, and nothing was changed."
                ))
                .at("region")
        })?;
    }
    cx.client()
        .aws()?
        .region(region, Limits::of(cx))
        .await
        .map_err(|e| e.during("cannot reach AWS"))
}

/// The tags that everything gets.
pub fn default_tags(client: &Client) -> Result<&Tags> {
    Ok(&client.aws()?.settings().default_tags)
}

/// Plans the region where the configuration names none: the provider's own if it is written there. One that comes
/// from the environment is not looked up for a plan, and moving to another machine must not replace anything.
pub fn region<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>) {
    if plan.action() == Action::Delete || !plan.config::<String>("region").is_null() {
        return;
    }
    let Some(default) = aws(plan).and_then(|aws| aws.settings().region.clone()) else {
        return;
    };
    match plan.planned::<String>("region") {
        Value::Known(held) if held == default => {}
        held => {
            plan.set("region", default);
            if held.is_known() {
                plan.replace("region");
            }
        }
    }
}

/// Plans `tags_all`.
pub fn tags_all<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>) {
    if plan.action() == Action::Delete {
        return;
    }
    let own = plan.config::<BTreeMap<String, Value<String>>>("tags");
    let defaults = aws(plan).map(|aws| aws.settings().default_tags.clone());
    match known(own).zip(defaults) {
        Some((own, defaults)) => plan.set("tags_all", tags::all(&own, &defaults)),
        None => plan.set_unknown("tags_all"),
    }
}

fn aws<'a, R: Resource<Client = Client>>(plan: &'a Plan<'_, R>) -> Option<&'a Aws> {
    plan.client().and_then(|client| client.aws().ok())
}

fn known(own: Value<BTreeMap<String, Value<String>>>) -> Option<Tags> {
    match own {
        Value::Null => Some(Tags::new()),
        Value::Unknown => None,
        Value::Known(own) => own
            .into_iter()
            .map(|(key, value)| Some((key, value.known()?)))
            .collect(),
    }
}
