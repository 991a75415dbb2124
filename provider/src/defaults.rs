//! The provider's defaults for AWS-side resources, region and tags: as they are planned, and as operations use them.

use std::collections::BTreeMap;

use tfplugin::{Action, ClientOf, Cx, Diagnostic, Plan, Resource, Result, Value};

use crate::aws::tags::{Tags, Written, all};
use crate::aws::{Aws, Limits, Regional};
use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;

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
        .map_err(|e| e.during("reach AWS"))
}

/// The tags that everything gets.
pub fn tags(client: &Client) -> Result<&Tags> {
    Ok(&client.aws()?.settings().default_tags)
}

/// Plans the region where the configuration names none: the provider's own if it is written there. One that the
/// environment names is planned for what is new only: moving to another machine must not replace anything.
pub fn plan_region<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>) {
    if plan.action() == Action::Delete || !plan.config::<String>("region").is_null() {
        return;
    }
    let Some((written, environment)) = aws(plan).map(|aws| {
        let settings = aws.settings();
        (settings.region.clone(), settings.environment_region.clone())
    }) else {
        return;
    };
    match (plan.planned::<String>("region"), written) {
        (Value::Known(held), Some(written)) if held != written => {
            plan.set("region", written);
            plan.replace("region");
        }
        (Value::Known(_), _) => {}
        (_, written) => {
            if let Some(region) = written.or(environment) {
                plan.set("region", region);
            }
        }
    }
}

/// Plans `tags_all`.
pub fn plan_tags<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>) {
    if plan.action() == Action::Delete {
        return;
    }
    let own = plan.config::<BTreeMap<String, Value<String>>>("tags");
    let defaults = aws(plan).map(|aws| aws.settings().default_tags.clone());
    match known(own).zip(defaults) {
        Some((own, defaults)) => plan.set("tags_all", all(&own, &defaults)),
        None => plan.set_unknown("tags_all"),
    }
}

fn aws<'a, R: Resource<Client = Client>>(plan: &'a Plan<'_, R>) -> Option<&'a Aws> {
    plan.client().and_then(|client| client.aws().ok())
}

fn known(own: Value<BTreeMap<String, Value<String>>>) -> Option<Written> {
    let one = |(key, value): (String, Value<String>)| (!value.is_unknown()).then(|| (key, value.known()));
    match own {
        Value::Null => Some(Written::new()),
        Value::Unknown => None,
        Value::Known(own) => own.into_iter().map(one).collect(),
    }
}
