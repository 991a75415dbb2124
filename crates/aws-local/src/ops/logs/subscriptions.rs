//! Subscription filters, and the destinations that other accounts use in them: stored and described. The refusals are recorded
//! of AWS, in `localstack/localstack`, `tests/aws/services/logs/test_logs.snapshot.json`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::parsed;
use super::group;
use crate::arn::{Arn, arn};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ops::{Answer, Call, LOGS_PAGES, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::vended::{LogDestination, SubscriptionFilter};
use crate::state::{RealmId, Tags};

/// AWS's quota of filters on a log group.
const FILTERS_MAX: usize = 2;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutSubscriptionFilter", put)
        .prepared(|input| input.refused = parsed(&input.filter_pattern).err()),
    &Op::read("DescribeSubscriptionFilters", |call, input| {
        describe(call, &input)
    }),
    &Op::write("DeleteSubscriptionFilter", |call, input| delete(call, &input)),
    &Op::write("PutDestination", put_destination),
    &Op::write("PutDestinationPolicy", put_policy),
    &Op::read("DescribeDestinations", |call, input| {
        describe_destinations(call, &input)
    }),
    &Op::write("DeleteDestination", |call, input| {
        delete_destination(call, &input)
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    destination_arn: String,
    role_arn: Option<String>,
    distribution: Option<String>,
    apply_on_transformed_logs: Option<bool>,
    field_selection_criteria: Option<String>,
    emit_system_fields: Option<Vec<String>>,
    /// Why the pattern is none, found before the lock is taken.
    #[serde(skip)]
    refused: Option<Fault>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: String,
    filter_name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    log_group_name: String,
    filter_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutDestination {
    destination_name: String,
    target_arn: String,
    role_arn: String,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutPolicy {
    destination_name: String,
    access_policy: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeDestinations {
    #[serde(rename = "DestinationNamePrefix")]
    destination_name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    destination_name: String,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    if let Some(refused) = input.refused {
        return Err(refused);
    }
    let class = group(call, &input.log_group_name)?.class.clone();
    if class.is_some_and(|class| class != "STANDARD") {
        return Err(Fault::new(
            "InvalidOperationException",
            "Subscription filters are for log groups of the Standard class only.",
        ));
    }
    check_target(call, &input.destination_arn, input.role_arn.as_deref())?;
    let now = call.turn.now;
    let filters = &mut group(call, &input.log_group_name)?.subscriptions;
    let created = filters.get(&input.filter_name).map(|filter| filter.created);
    if created.is_none() && filters.len() >= FILTERS_MAX {
        return Err(Fault::limit("Resource limit exceeded."));
    }
    let filter = SubscriptionFilter {
        pattern: input.filter_pattern,
        destination_arn: input.destination_arn,
        role_arn: input.role_arn,
        distribution: input.distribution.unwrap_or_else(|| "ByLogStream".to_owned()),
        on_transformed: input.apply_on_transformed_logs.unwrap_or_default(),
        field_selection: input.field_selection_criteria,
        system_fields: input.emit_system_fields,
        created: created.unwrap_or(now),
    };
    filters.insert(input.filter_name, filter);
    Ok(json!({}))
}

/// What the events of a filter may be sent to, and which of them need a role.
fn check_target(call: &mut Call<'_>, text: &str, role: Option<&str>) -> Result<(), Fault> {
    let Some(arn) = Arn::parse(text) else {
        return Err(Fault::parameter("The destinationArn is not a valid ARN."));
    };
    match arn.service {
        "kinesis" | "firehose" if role.is_none() => Err(Fault::parameter(format!(
            "destinationArn for vendor {} cannot be used without roleArn",
            arn.service
        ))),
        "lambda" if role.is_some() => Err(Fault::parameter(
            "destinationArn for vendor lambda cannot be used with roleArn",
        )),
        "kinesis" | "firehose" | "lambda" => Ok(()),
        "logs" if arn.resource.starts_with("destination:") => {
            let realm = RealmId::new(arn.account, arn.region);
            let name = arn.resource.trim_start_matches("destination:");
            let exists = call
                .turn
                .world
                .realm(&realm)
                .vended
                .destinations
                .contains_key(name);
            exists
                .then_some(())
                .ok_or_else(|| Fault::not_found("The specified destination does not exist."))
        }
        other => Err(Fault::parameter(format!(
            "PutSubscriptionFilter operation cannot work with destinationArn for vendor {other}"
        ))),
    }
}

fn describe(call: &mut Call<'_>, input: &Describe) -> Answer {
    let prefix = input.filter_name_prefix.as_deref().unwrap_or_default();
    let name = &input.log_group_name;
    let filters = group(call, name)?.subscriptions.iter();
    let rows = filters
        .filter(|(filter, _)| filter.starts_with(prefix))
        .map(|(filter, it)| (filter.as_str(), view(name, filter, it)));
    let of = "DescribeSubscriptionFilters";
    let page = LOGS_PAGES.page(of, rows, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "subscriptionFilters": page.items, "nextToken": page.next }),
    ))
}

fn view(group: &str, name: &str, filter: &SubscriptionFilter) -> Value {
    without_nulls(json!({
        "filterName": name,
        "logGroupName": group,
        "filterPattern": filter.pattern,
        "destinationArn": filter.destination_arn,
        "roleArn": filter.role_arn,
        "distribution": filter.distribution,
        "applyOnTransformedLogs": filter.on_transformed,
        "fieldSelectionCriteria": filter.field_selection,
        "emitSystemFields": filter.system_fields,
        "creationTime": filter.created,
    }))
}

fn delete(call: &mut Call<'_>, input: &Delete) -> Answer {
    let removed = group(call, &input.log_group_name)?
        .subscriptions
        .remove(&input.filter_name);
    removed.ok_or_else(|| Fault::not_found("The specified subscription filter does not exist."))?;
    Ok(json!({}))
}

fn put_destination(call: &mut Call<'_>, input: PutDestination) -> Answer {
    let is =
        |text: &str, services: &[&str]| Arn::parse(text).is_some_and(|arn| services.contains(&arn.service));
    if !is(&input.target_arn, &["kinesis", "firehose"]) {
        return Err(Fault::parameter("The targetArn is not the ARN of a stream."));
    }
    if !is(&input.role_arn, &["iam"]) {
        return Err(Fault::parameter("The roleArn is not the ARN of a role."));
    }
    let (now, here) = (call.turn.now, call.caller);
    let all = &mut call.realm().vended.destinations;
    let before = all.remove(&input.destination_name);
    let (policy, created, old) =
        before.map_or((None, now, None), |old| (old.policy, old.created, Some(old.tags)));
    let destination = LogDestination {
        target_arn: input.target_arn,
        role_arn: input.role_arn,
        policy,
        created,
        tags: input.tags.or(old).unwrap_or_default(),
    };
    let answer = view_destination(here, &input.destination_name, &destination);
    all.insert(input.destination_name, destination);
    Ok(json!({ "destination": answer }))
}

fn put_policy(call: &mut Call<'_>, input: PutPolicy) -> Answer {
    Policy::parse(&input.access_policy)
        .map_err(|why| Fault::parameter(format!("The access policy is not valid: {why}")))?;
    let destination = call.realm().vended.destinations.get_mut(&input.destination_name);
    let missing = || Fault::parameter("The specified destination does not exist.");
    destination.ok_or_else(missing)?.policy = Some(input.access_policy);
    Ok(json!({}))
}

fn describe_destinations(call: &mut Call<'_>, input: &DescribeDestinations) -> Answer {
    let here = call.caller;
    let prefix = input.destination_name_prefix.as_deref().unwrap_or_default();
    let rows = call.realm().vended.destinations.iter();
    let rows = rows
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, it)| (name.as_str(), view_destination(here, name, it)));
    let page = LOGS_PAGES.page(
        "DescribeDestinations",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "destinations": page.items, "nextToken": page.next }),
    ))
}

fn delete_destination(call: &mut Call<'_>, input: &Destination) -> Answer {
    let removed = call.realm().vended.destinations.remove(&input.destination_name);
    removed.ok_or_else(|| Fault::not_found("The specified destination does not exist."))?;
    Ok(json!({}))
}

fn view_destination(here: &Caller, name: &str, destination: &LogDestination) -> Value {
    without_nulls(json!({
        "destinationName": name,
        "targetArn": destination.target_arn,
        "roleArn": destination.role_arn,
        "accessPolicy": destination.policy,
        "arn": arn("logs", &here.region, &here.account, &format!("destination:{name}")),
        "creationTime": destination.created,
    }))
}
