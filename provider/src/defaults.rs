//! The provider's defaults for AWS-side resources, region and tags: as they are planned, and as operations use them.

use std::collections::BTreeMap;

use tfplugin::{Attr, ClientOf, Operation, Plan, Resource, Result, Value};

use crate::aws::look::Look;
use crate::aws::tags::{Tags, Written, all};
use crate::aws::{Aws, Error, Limits, Regional};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::values::Region;

/// The clients for a resource's region, within the operation's limits.
pub async fn regional<T, K>(operation: &Operation<'_, T>, region: Option<&Region>) -> Result<Regional>
where
    T: ClientOf<K, Client = Client>,
{
    let aws = operation.client().aws()?;
    let regional = aws
        .region(region.map(|region| &**region), Limits::of(operation))
        .await;
    regional.map_err(|e| match e {
        Error::Unreachable { .. } => e.during("reach AWS"),
        e => e.during("look up the account of the AWS credentials"),
    })
}

/// The clients for a look with a plan; none where its region is not known yet, or AWS cannot be asked.
pub async fn look<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    region: &Attr<R, Option<Region>>,
) -> Option<Look> {
    let known = plan.planned(region.clone()).known();
    // What neither configuration nor environment names is found by the SDK.
    if known.is_none() && !plan.config(region.clone()).is_null() {
        return None;
    }
    aws(plan)?.look(known.as_deref(), plan.cancelled()).await
}

/// The tags that everything gets.
pub fn tags(client: &Client) -> Result<&Tags> {
    Ok(&client.aws()?.settings().default_tags)
}

/// Plans the region where the configuration names none: the provider's own if it is written there. One that the
/// environment names is planned for what is new only: moving to another machine must not replace anything.
pub fn plan_region<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>, attr: &Attr<R, Option<Region>>) {
    if !plan.config(attr.clone()).is_null() {
        return;
    }
    let Some((written, environment)) = aws(plan).map(|aws| {
        let settings = aws.settings();
        (settings.region.clone(), settings.environment_region.clone())
    }) else {
        return;
    };
    match (plan.planned(attr.clone()), written) {
        (Value::Known(held), Some(written)) if *held != *written => {
            plan.set(attr.clone(), Region::from(&*written));
            plan.replace(attr.clone());
        }
        (Value::Known(_), _) => {}
        (_, written) => {
            if let Some(region) = written.or(environment) {
                plan.set(attr.clone(), Region::from(&*region));
            }
        }
    }
}

/// Plans all tags: the resource's own over the defaults.
pub fn plan_tags<R: Resource<Client = Client>>(
    plan: &mut Plan<'_, R>,
    own: &Attr<R, Option<Written>>,
    everything: &Attr<R, Option<Tags>>,
) {
    let own = plan.config(own.with_unknowns());
    let defaults = aws(plan).map(|aws| aws.settings().default_tags.clone());
    match known(own).zip(defaults) {
        Some((own, defaults)) => plan.set(everything.clone(), all(&own, &defaults)),
        None => plan.set_unknown(everything.clone()),
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
