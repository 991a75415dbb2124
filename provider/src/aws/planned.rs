//! What every AWS-side resource plans alike: its region and its tags.

use std::collections::BTreeMap;

use tfplugin::{Action, ClientOf, Cx, Diagnostic, Plan, Resource, Result, Value};

use super::tags::{self, Tags, Written};
use super::{Aws, Limits, Regional, arn};
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

/// Plans the region where the configuration names none: the provider's own if it is written there. One that the
/// environment names is planned for what is new only: moving to another machine must not replace anything.
pub fn region<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>) {
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

/// An optional text as AWS holds it. AWS has no empty ones: one that is written as empty stays so.
pub fn held_text(written: Option<&str>, held: Option<&str>) -> Option<String> {
    let held = held.filter(|text| !text.is_empty());
    held.or(written.filter(|text| text.is_empty())).map(str::to_owned)
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

fn known(own: Value<BTreeMap<String, Value<String>>>) -> Option<Written> {
    let one = |(key, value): (String, Value<String>)| (!value.is_unknown()).then(|| (key, value.known()));
    match own {
        Value::Null => Some(Written::new()),
        Value::Unknown => None,
        Value::Known(own) => own.into_iter().map(one).collect(),
    }
}

/// What is not there is gone only if it was looked for in its own account: with credentials of another, everything would
/// seem deleted.
pub async fn same_account(aws: &Regional, of: Option<&str>) -> Result<()> {
    let Some(wanted) = of.and_then(arn::account).filter(|account| !account.is_empty()) else {
        return Ok(());
    };
    let doing = || {
        format!(
            "cannot tell the account that this looked for `{}` in",
            of.unwrap_or_default()
        )
    };
    let found = aws.account().await.map_err(|e| e.during(doing()))?;
    if found.is_empty() || found == wanted {
        return Ok(());
    }
    Err(
        Diagnostic::error(format!("The AWS credentials are of account {found}, not {wanted}"))
            .detail(format!(
                "`{}` is in the state, and account {found} does not have it. Nothing was changed, and the state is kept. Use \
                 credentials of account {wanted}; `aws = {{ allowed_account_ids = [\"{wanted}\"] }}` in the provider refuses \
                 others at once. If the object is meant to be in account {found} now, take it out of the state first: \
                 `terraform state rm`.",
                of.unwrap_or_default()
            ))
            .into(),
    )
}
