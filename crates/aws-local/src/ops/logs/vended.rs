//! Vended logs: sources, destinations and deliveries, stored and described. Limits and refusals are those of AWS's reference
//! (PutDeliverySource, PutDeliveryDestination, CreateDelivery). What a delivery to a log group brings there is up to
//! `delivery`; a new one begins by making sure that it may.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::arn::{Arn, arn};
use crate::caller::Caller;
use crate::delivery::{Writer, may_log};
use crate::fault::Fault;
use crate::ops::{Answer, Call, LOGS_PAGES, Op, Operation, without_nulls};
use crate::state::log_group::{EVENT_MEMORY, LogGroup, LogPolicy, event_bytes};
use crate::state::vended::{Delivery, DeliverySource, Vended};
use crate::state::{RealmId, Tags};

/// What an event bus logs: AWS's guide has these types (eb-event-bus-logs).
const BUS_LOG_TYPES: [&str; 3] = ["ERROR_LOGS", "INFO_LOGS", "TRACE_LOGS"];
/// What a new delivery to a log group leaves there: both the name and the text are on record.
const VALIDATION_STREAM: &str = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions";
const VALIDATION: &str = "Permissions are set correctly to allow AWS CloudWatch Logs to write into your logs while creating a subscription.";

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutDeliverySource", put_source),
    &Op::read("GetDeliverySource", |call, input: Named| {
        let here = call.caller;
        let source = vended(call)
            .sources
            .get(&input.name)
            .ok_or_else(|| missing("source"))?;
        Ok(json!({ "deliverySource": view_source(here, &input.name, source) }))
    }),
    &Op::read("DescribeDeliverySources", |call, input| {
        describe_sources(call, &input)
    }),
    &Op::write("DeleteDeliverySource", |call, input| delete_source(call, &input)),
    &Op::write("CreateDelivery", create),
    &Op::read("GetDelivery", |call, input: Id| {
        let here = call.caller;
        let delivery = vended(call).deliveries.get(&input.id);
        let delivery = delivery.ok_or_else(|| missing("delivery"))?;
        Ok(json!({ "delivery": view(here, &input.id, delivery) }))
    }),
    &Op::read("DescribeDeliveries", |call, input| describe(call, &input)),
    &Op::write("DeleteDelivery", |call, input: Id| {
        let removed = vended(call).deliveries.remove(&input.id);
        removed.ok_or_else(|| missing("delivery"))?;
        Ok(json!({}))
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutSource {
    name: String,
    resource_arn: String,
    log_type: String,
    delivery_source_configuration: Option<Value>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    pub(super) next_token: Option<String>,
    pub(super) limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    delivery_source_name: String,
    delivery_destination_arn: String,
    record_fields: Option<Vec<String>>,
    field_delimiter: Option<String>,
    s3_delivery_configuration: Option<Value>,
    tags: Option<Tags>,
}

/// What the caller's account and region have of these.
pub(super) fn vended<'c>(call: &'c mut Call<'_>) -> &'c mut Vended {
    &mut call.realm().vended
}

pub(super) fn missing(what: &str) -> Fault {
    Fault::not_found(format!("Cannot find the requested {what}."))
}

pub(super) fn conflict(why: impl Into<String>) -> Fault {
    Fault::new("ConflictException", why)
}

fn put_source(call: &mut Call<'_>, input: PutSource) -> Answer {
    let Some(resource) = Arn::parse(&input.resource_arn) else {
        return Err(Fault::validation("The resourceArn is not a valid ARN."));
    };
    let service = resource.service.to_owned();
    if let Some(bus) = resource.event_bus() {
        if !BUS_LOG_TYPES.contains(&input.log_type.as_str()) {
            return Err(Fault::validation(format!(
                "The logType {} is not one of an event bus: {}.",
                input.log_type,
                BUS_LOG_TYPES.join(", ")
            )));
        }
        let realm = RealmId::new(resource.account, resource.region);
        if realm != call.here() || !call.realm().buses.contains_key(bus) {
            return Err(missing("resource"));
        }
    }
    let is_same = |source: &DeliverySource| {
        source.resource_arn == input.resource_arn && source.log_type == input.log_type
    };
    let sources = &mut vended(call).sources;
    if sources.get(&input.name).is_some_and(|source| !is_same(source)) {
        return Err(conflict(
            "A delivery source of this name has another resource or log type.",
        ));
    }
    if sources
        .iter()
        .any(|(name, source)| *name != input.name && is_same(source))
    {
        return Err(conflict(
            "This resource and log type belong to another delivery source.",
        ));
    }
    let before = sources.get(&input.name).map(|source| source.tags.clone());
    let source = DeliverySource {
        resource_arn: input.resource_arn,
        service,
        log_type: input.log_type,
        configuration: input.delivery_source_configuration,
        tags: input.tags.or(before).unwrap_or_default(),
    };
    let answer = view_source(call.caller, &input.name, &source);
    vended(call).sources.insert(input.name, source);
    Ok(json!({ "deliverySource": answer }))
}

fn describe_sources(call: &mut Call<'_>, input: &List) -> Answer {
    let here = call.caller;
    let rows = vended(call).sources.iter();
    let rows = rows.map(|(name, source)| (name.as_str(), view_source(here, name, source)));
    let page = LOGS_PAGES.page(
        "DescribeDeliverySources",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "deliverySources": page.items, "nextToken": page.next }),
    ))
}

fn delete_source(call: &mut Call<'_>, input: &Named) -> Answer {
    let all = vended(call);
    if all
        .deliveries
        .values()
        .any(|delivery| delivery.source == input.name)
    {
        return Err(conflict("The delivery source has a delivery."));
    }
    all.sources.remove(&input.name).ok_or_else(|| missing("source"))?;
    Ok(json!({}))
}

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    if !vended(call).sources.contains_key(&input.delivery_source_name) {
        return Err(missing("source"));
    }
    let kind = kind_of_destination(call, &input.delivery_destination_arn)?;
    if input.s3_delivery_configuration.is_some() && kind != "S3" {
        return Err(Fault::validation(
            "s3DeliveryConfiguration is for destinations of type S3 only.",
        ));
    }
    let is_same = |delivery: &Delivery| {
        delivery.source == input.delivery_source_name
            && (delivery.destination_arn == input.delivery_destination_arn || delivery.kind == kind)
    };
    if vended(call).deliveries.values().any(is_same) {
        return Err(conflict(
            "The delivery source has a delivery to this destination, or to one of its type.",
        ));
    }
    let id = format!("{:016x}", call.turn.dice.roll());
    let delivery = Delivery {
        source: input.delivery_source_name,
        destination_arn: input.delivery_destination_arn,
        kind,
        record_fields: input.record_fields,
        field_delimiter: input.field_delimiter,
        s3: input.s3_delivery_configuration,
        tags: input.tags.unwrap_or_default(),
    };
    let answer = view(call.caller, &id, &delivery);
    begin(call, &delivery);
    vended(call).deliveries.insert(id, delivery);
    Ok(json!({ "delivery": answer }))
}

/// A delivery to a log group of the caller's that has no policy, and that no policy of the account lets it write to, gives
/// the group one; where it may write then, it leaves an event that says so. AWS's guide has both the rule and the policy
/// (AWS-logs-infrastructure-V2-CloudWatchLogs).
fn begin(call: &mut Call<'_>, delivery: &Delivery) {
    let (here, now) = (call.here(), call.turn.now);
    let Some((realm, group)) = call.turn.world.delivered_to(delivery) else {
        return;
    };
    let (name, is_bare) = (group.name.clone(), group.policy.is_none());
    let source = ["delivery-source:", &delivery.source].concat();
    let source = arn("logs", here.region(), here.account(), &source);
    let mut may = may_write(call, &realm, &name, &source);
    if !may && is_bare && realm == here {
        let revision = format!("{:032x}", u128::from(call.turn.dice.roll()));
        let policy = LogPolicy::new(policy(&here, &name), now, revision);
        if let Some(group) = group_mut(call, &realm, &name) {
            group.policy = Some(policy);
        }
        may = may_write(call, &realm, &name, &source);
    }
    if may && let Some(group) = group_mut(call, &realm, &name) {
        group.append_delivered(VALIDATION_STREAM, now, now, VALIDATION.into());
        call.turn.world.log_bytes_added += event_bytes(VALIDATION) + EVENT_MEMORY;
    }
}

fn group_mut<'c>(call: &'c mut Call<'_>, realm: &RealmId, name: &str) -> Option<&'c mut LogGroup> {
    call.turn.world.realm(realm).log_groups.get_mut(name)
}

/// Whether policies let a delivery source write to a group.
fn may_write(call: &Call<'_>, to: &RealmId, group: &str, source_arn: &str) -> bool {
    let Some(realm) = call.turn.world.realm_at(to) else {
        return false;
    };
    let writer = Writer::delivery_source(source_arn, &call.caller.account);
    realm
        .log_groups
        .get(group)
        .is_some_and(|group| may_log(group, realm.log_policies.values(), to, VALIDATION_STREAM, &writer))
}

/// The policy that lets the deliveries of an account write to a group of its own.
fn policy(here: &RealmId, group: &str) -> String {
    let arn = |resource: &str| arn("logs", here.region(), here.account(), resource);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AWSLogDeliveryWrite20150319",
            "Effect": "Allow",
            "Principal": { "Service": ["delivery.logs.amazonaws.com"] },
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [arn(&format!("log-group:{group}:log-stream:*"))],
            "Condition": {
                "StringEquals": { "aws:SourceAccount": [here.account()] },
                "ArnLike": { "aws:SourceArn": [arn("*")] },
            },
        }],
    })
    .to_string()
}

/// The type of a destination of the caller's account. One of another account has a policy that would have to allow it, and
/// accounts do not share them here.
fn kind_of_destination(call: &mut Call<'_>, text: &str) -> Result<String, Fault> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "logs");
    let name = arn.and_then(|arn| arn.resource.strip_prefix("delivery-destination:"));
    let (Some(arn), Some(name)) = (arn, name) else {
        return Err(Fault::validation(
            "The deliveryDestinationArn is not the ARN of a delivery destination.",
        ));
    };
    let realm = RealmId::new(arn.account, arn.region);
    let is_ours = realm == call.here();
    let there = call
        .turn
        .world
        .realm(&realm)
        .vended
        .delivery_destinations
        .get(name);
    let there = there.ok_or_else(|| missing("destination"))?;
    if !is_ours && there.policy.is_none() {
        return Err(Fault::new(
            "AccessDeniedException",
            "The delivery destination's policy does not allow logs:CreateDelivery to this account.",
        ));
    }
    Ok(there.kind.clone())
}

fn describe(call: &mut Call<'_>, input: &List) -> Answer {
    let here = call.caller;
    let rows = vended(call).deliveries.iter();
    let rows = rows.map(|(id, delivery)| (id.as_str(), view(here, id, delivery)));
    let page = LOGS_PAGES.page(
        "DescribeDeliveries",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "deliveries": page.items, "nextToken": page.next }),
    ))
}

fn view_source(here: &Caller, name: &str, source: &DeliverySource) -> Value {
    without_nulls(json!({
        "name": name,
        "arn": arn("logs", &here.region, &here.account, &format!("delivery-source:{name}")),
        "resourceArns": [source.resource_arn],
        "service": source.service,
        "logType": source.log_type,
        "deliverySourceConfiguration": source.configuration,
        "tags": tags(&source.tags),
    }))
}

fn view(here: &Caller, id: &str, delivery: &Delivery) -> Value {
    without_nulls(json!({
        "id": id,
        "arn": arn("logs", &here.region, &here.account, &format!("delivery:{id}")),
        "deliverySourceName": delivery.source,
        "deliveryDestinationArn": delivery.destination_arn,
        "deliveryDestinationType": delivery.kind,
        "recordFields": delivery.record_fields,
        "fieldDelimiter": delivery.field_delimiter,
        "s3DeliveryConfiguration": delivery.s3,
        "tags": tags(&delivery.tags),
    }))
}

/// No tags are not shown.
pub(super) fn tags(all: &Tags) -> Option<&Tags> {
    Some(all).filter(|all| !all.is_empty())
}
