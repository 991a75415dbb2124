//! API destinations: HTTP endpoints as targets.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::arn::{Arn, arn};
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Caller, Cx, Op, events_page, slim};
use crate::state::outside::ApiDestination;

/// AWS's default of invocations a second.
const RATE_DEFAULT: u32 = 300;

pub(super) const OPS: &[Op] = &[
    Op::write("CreateApiDestination", |cx, body| create(cx, parse(body)?)),
    Op::write("UpdateApiDestination", |cx, body| update(cx, parse(body)?)),
    Op::write("DeleteApiDestination", |cx, body| delete(cx, &parse(body)?)),
    Op::read("DescribeApiDestination", |cx, body| describe(cx, &parse(body)?)),
    Op::read("ListApiDestinations", |cx, body| list(cx, &parse(body)?)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    description: Option<String>,
    connection_arn: String,
    invocation_endpoint: String,
    http_method: String,
    invocation_rate_limit_per_second: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    name: String,
    description: Option<String>,
    connection_arn: Option<String>,
    invocation_endpoint: Option<String>,
    http_method: Option<String>,
    invocation_rate_limit_per_second: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    connection_arn: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn create(cx: &mut Cx<'_>, input: Create) -> Answer {
    check_connection(cx, &input.connection_arn)?;
    if cx.realm().api_destinations.contains_key(&input.name) {
        return Err(Fault::exists(format!(
            "An api-destination '{}' already exists.",
            input.name
        )));
    }
    let destination = ApiDestination {
        name: input.name.clone(),
        id: cx.dice.uuid(),
        description: input.description,
        connection_arn: input.connection_arn,
        endpoint: input.invocation_endpoint,
        method: input.http_method,
        rate_per_second: input.invocation_rate_limit_per_second,
        created: cx.now,
        modified: cx.now,
    };
    let answer = receipt(&destination, cx.caller);
    cx.realm().api_destinations.insert(input.name, destination);
    Ok(answer)
}

fn update(cx: &mut Cx<'_>, input: Update) -> Answer {
    if let Some(connection) = &input.connection_arn {
        check_connection(cx, connection)?;
    }
    let (now, caller) = (cx.now, cx.caller);
    let there = find(cx, &input.name)?;
    there.description = input.description.or_else(|| there.description.clone());
    there.rate_per_second = input.invocation_rate_limit_per_second.or(there.rate_per_second);
    there.connection_arn = input
        .connection_arn
        .unwrap_or_else(|| there.connection_arn.clone());
    there.endpoint = input
        .invocation_endpoint
        .unwrap_or_else(|| there.endpoint.clone());
    there.method = input.http_method.unwrap_or_else(|| there.method.clone());
    there.modified = now;
    Ok(receipt(there, caller))
}

fn delete(cx: &mut Cx<'_>, input: &Name) -> Answer {
    find(cx, &input.name)?;
    cx.realm().api_destinations.remove(&input.name);
    Ok(json!({}))
}

fn describe(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let caller = cx.caller;
    let there = find(cx, &input.name)?;
    let mut answer = view(there, caller);
    answer["Description"] = json!(there.description);
    Ok(slim(answer))
}

fn list(cx: &mut Cx<'_>, input: &List) -> Answer {
    let caller = cx.caller;
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let rows = cx.realm().api_destinations.iter().filter(|(name, there)| {
        name.starts_with(prefix)
            && input
                .connection_arn
                .as_ref()
                .is_none_or(|arn| *arn == there.connection_arn)
    });
    let rows = rows.map(|(name, there)| (name.as_str(), view(there, caller)));
    let page = events_page(
        "ListApiDestinations",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(slim(
        json!({ "ApiDestinations": page.items, "NextToken": page.next }),
    ))
}

fn check_connection(cx: &mut Cx<'_>, text: &str) -> Result<(), Fault> {
    let missing = || Fault::not_found(format!("Connection '{text}' does not exist."));
    let arn =
        Arn::parse(text).filter(|arn| arn.account == cx.caller.account && arn.region == cx.caller.region);
    let mut parts = arn.ok_or_else(missing)?.resource.split('/').skip(1);
    let (name, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let there = cx
        .realm()
        .connections
        .get(name)
        .filter(|connection| connection.id == id);
    there.map(|_| ()).ok_or_else(missing)
}

fn receipt(there: &ApiDestination, caller: &Caller) -> Value {
    let resource = format!("api-destination/{}/{}", there.name, there.id);
    json!({
        "ApiDestinationArn": arn("events", &caller.region, &caller.account, &resource),
        "ApiDestinationState": "ACTIVE",
        "CreationTime": epoch_seconds(there.created),
        "LastModifiedTime": epoch_seconds(there.modified),
    })
}

fn view(there: &ApiDestination, caller: &Caller) -> Value {
    let mut row = receipt(there, caller);
    row["Name"] = json!(there.name);
    row["ConnectionArn"] = json!(there.connection_arn);
    row["InvocationEndpoint"] = json!(there.endpoint);
    row["HttpMethod"] = json!(there.method);
    row["InvocationRateLimitPerSecond"] = json!(there.rate_per_second.unwrap_or(RATE_DEFAULT));
    row
}

fn find<'c>(cx: &'c mut Cx<'_>, name: &str) -> Result<&'c mut ApiDestination, Fault> {
    let found = cx.realm().api_destinations.get_mut(name);
    found.ok_or_else(|| {
        Fault::not_found(format!(
            "Failed to describe the api-destination(s). An api-destination '{name}' does not exist."
        ))
    })
}
