//! Destinations of vended logs, and who may deliver to them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::vended::{List, Named, conflict, missing, tags, vended};
use crate::arn::{Arn, arn};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ops::{Answer, Call, LOGS_PAGES, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::Tags;
use crate::state::vended::DeliveryDestination;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutDeliveryDestination", put),
    &Op::read("GetDeliveryDestination", |call, input: Named| {
        let here = call.caller;
        let answer = view(here, &input.name, find(call, &input.name)?);
        Ok(json!({ "deliveryDestination": answer }))
    }),
    &Op::read("DescribeDeliveryDestinations", |call, input| {
        describe(call, &input)
    }),
    &Op::write("DeleteDeliveryDestination", |call, input| delete(call, &input)),
    &Op::write("PutDeliveryDestinationPolicy", put_policy),
    &Op::read("GetDeliveryDestinationPolicy", |call, input: OfPolicy| {
        let policy = &find(call, &input.delivery_destination_name)?.policy;
        Ok(policy.as_ref().map_or(json!({}), view_policy))
    }),
    &Op::write("DeleteDeliveryDestinationPolicy", |call, input: OfPolicy| {
        find(call, &input.delivery_destination_name)?.policy = None;
        Ok(json!({}))
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    name: String,
    output_format: Option<String>,
    delivery_destination_configuration: Option<Configuration>,
    delivery_destination_type: Option<String>,
    role_arn: Option<String>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    destination_resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfPolicy {
    delivery_destination_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutPolicy {
    delivery_destination_name: String,
    delivery_destination_policy: String,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let resource = input
        .delivery_destination_configuration
        .map(|configuration| configuration.destination_resource_arn);
    let kind = kind(resource.as_deref(), input.delivery_destination_type.as_deref())?;
    if kind == "CWL" {
        check_group(call, resource.as_deref().unwrap_or_default())?;
    }
    let all = vended(call);
    let before = all.delivery_destinations.get(&input.name).cloned();
    if before.as_ref().is_some_and(|before| before.kind != kind) {
        return Err(conflict("The type of a delivery destination cannot be changed."));
    }
    let (policy, old_tags, old_format) =
        before.map_or((None, None, None), |old| (old.policy, Some(old.tags), old.format));
    let destination = DeliveryDestination {
        kind,
        format: input.output_format.or(old_format),
        resource_arn: resource,
        role_arn: input.role_arn,
        policy,
        tags: input.tags.or(old_tags).unwrap_or_default(),
    };
    let answer = view(call.caller, &input.name, &destination);
    vended(call).delivery_destinations.insert(input.name, destination);
    Ok(json!({ "deliveryDestination": answer }))
}

/// The type, which the resource's service gives.
fn kind(resource: Option<&str>, asked: Option<&str>) -> Result<String, Fault> {
    let Some(resource) = resource else {
        let is_xray = asked == Some("XRAY");
        let missing = || {
            Fault::validation("deliveryDestinationConfiguration is needed but for destinations of type XRAY.")
        };
        return is_xray.then(|| "XRAY".to_owned()).ok_or_else(missing);
    };
    let service = Arn::parse(resource).map(|arn| arn.service);
    let kind = match service {
        Some("logs") => "CWL",
        Some("s3") => "S3",
        Some("firehose") => "FH",
        _ => {
            return Err(Fault::validation(
                "The destinationResourceArn is not the ARN of a log group, a bucket or a delivery stream.",
            ));
        }
    };
    if asked.is_some_and(|asked| asked != kind) {
        return Err(Fault::validation(format!(
            "The deliveryDestinationType does not fit the destinationResourceArn, which is of type {kind}."
        )));
    }
    Ok(kind.to_owned())
}

fn check_group(call: &mut Call<'_>, text: &str) -> Result<(), Fault> {
    let arn = Arn::parse(text)
        .filter(|arn| (arn.account, arn.region) == (&call.caller.account, &call.caller.region));
    let group = arn.and_then(|arn| arn.log_group());
    let exists = group.is_some_and(|group| call.realm().log_groups.contains_key(group));
    exists.then_some(()).ok_or_else(|| missing("log group"))
}

fn describe(call: &mut Call<'_>, input: &List) -> Answer {
    let here = call.caller;
    let rows = vended(call).delivery_destinations.iter();
    let rows = rows.map(|(name, destination)| (name.as_str(), view(here, name, destination)));
    let of = "DescribeDeliveryDestinations";
    let page = LOGS_PAGES.page(of, rows, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "deliveryDestinations": page.items, "nextToken": page.next }),
    ))
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    let arn = arn_of(call.caller, &input.name);
    let all = vended(call);
    if all
        .deliveries
        .values()
        .any(|delivery| delivery.destination_arn == arn)
    {
        return Err(conflict("The delivery destination has a delivery."));
    }
    let removed = all.delivery_destinations.remove(&input.name);
    removed.ok_or_else(|| missing("destination"))?;
    Ok(json!({}))
}

fn put_policy(call: &mut Call<'_>, input: PutPolicy) -> Answer {
    Policy::parse(&input.delivery_destination_policy)
        .map_err(|why| Fault::validation(format!("The policy is not valid: {why}")))?;
    let destination = find(call, &input.delivery_destination_name)?;
    let answer = view_policy(&input.delivery_destination_policy);
    destination.policy = Some(input.delivery_destination_policy);
    Ok(answer)
}

fn view_policy(text: &String) -> Value {
    json!({ "policy": { "deliveryDestinationPolicy": text } })
}

fn find<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut DeliveryDestination, Fault> {
    let found = vended(call).delivery_destinations.get_mut(name);
    found.ok_or_else(|| missing("destination"))
}

fn arn_of(here: &Caller, name: &str) -> String {
    let resource = format!("delivery-destination:{name}");
    arn("logs", &here.region, &here.account, &resource)
}

fn view(here: &Caller, name: &str, destination: &DeliveryDestination) -> Value {
    let resource = destination.resource_arn.as_ref();
    without_nulls(json!({
        "name": name,
        "arn": arn_of(here, name),
        "deliveryDestinationType": destination.kind,
        "outputFormat": destination.format,
        "deliveryDestinationConfiguration": resource.map(|arn| json!({ "destinationResourceArn": arn })),
        "roleArn": destination.role_arn,
        "tags": tags(&destination.tags),
    }))
}
