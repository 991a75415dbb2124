//! API destinations: HTTP endpoints as targets.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::arn::{Arn, arn};
use crate::caller::Caller;
use crate::clock::{Millis, epoch_seconds};
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::api_destination::{ApiDestination, Connection};

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateApiDestination", create),
    &Op::write("UpdateApiDestination", update),
    &Op::write("DeleteApiDestination", |call, input| delete(call, &input)),
    &Op::read("DescribeApiDestination", |call, input| describe(call, &input)),
    &Op::read("ListApiDestinations", |call, input| list(call, &input)),
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

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    check_connection(call, &input.connection_arn)?;
    if call.realm().api_destinations.contains_key(&input.name) {
        return Err(Fault::exists(format!(
            "An api-destination '{}' already exists.",
            input.name
        )));
    }
    let destination = ApiDestination {
        name: input.name.clone(),
        id: call.turn.dice.uuid(),
        description: input.description,
        connection_arn: input.connection_arn,
        endpoint: input.invocation_endpoint,
        method: input.http_method,
        rate_per_second: input.invocation_rate_limit_per_second,
        created: call.turn.now,
        modified: call.turn.now,
        slots: VecDeque::new(),
    };
    let (now, caller) = (call.turn.now, call.caller);
    let answer = receipt(&destination, &call.realm().connections, caller, now);
    call.realm().api_destinations.insert(input.name, destination);
    Ok(answer)
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    if let Some(connection) = &input.connection_arn {
        check_connection(call, connection)?;
    }
    let (now, caller) = (call.turn.now, call.caller);
    let there = find(call, &input.name)?;
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
    let there = there.clone();
    Ok(receipt(&there, &call.realm().connections, caller, now))
}

fn delete(call: &mut Call<'_>, input: &Name) -> Answer {
    find(call, &input.name)?;
    call.realm().api_destinations.remove(&input.name);
    Ok(json!({}))
}

fn describe(call: &mut Call<'_>, input: &Name) -> Answer {
    let (now, caller) = (call.turn.now, call.caller);
    let there = find(call, &input.name).map_err(|missing| {
        Fault::not_found(format!(
            "Failed to describe the api-destination(s). {}",
            missing.message
        ))
    })?;
    let there = there.clone();
    let mut answer = view(&there, &call.realm().connections, caller, now);
    answer["Description"] = json!(there.description);
    Ok(without_nulls(answer))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let (now, caller) = (call.turn.now, call.caller);
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let realm = call.realm();
    let rows = realm.api_destinations.iter().filter(|(name, there)| {
        name.starts_with(prefix)
            && input
                .connection_arn
                .as_ref()
                .is_none_or(|arn| *arn == there.connection_arn)
    });
    let rows = rows.map(|(name, there)| (name.as_str(), view(there, &realm.connections, caller, now)));
    let page = EVENTS_PAGES.page(
        "ListApiDestinations",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "ApiDestinations": page.items, "NextToken": page.next }),
    ))
}

fn check_connection(call: &mut Call<'_>, text: &str) -> Result<(), Fault> {
    let missing = || Fault::not_found(format!("Connection '{text}' does not exist."));
    let own = Arn::parse(text)
        .is_some_and(|arn| arn.account == call.caller.account && arn.region == call.caller.region);
    let there = Connection::find(&call.realm().connections, text).filter(|_| own);
    there.map(|_| ()).ok_or_else(missing)
}

type Connections = BTreeMap<String, Connection>;

/// It is ACTIVE while its connection is authorized.
fn receipt(there: &ApiDestination, connections: &Connections, caller: &Caller, now: Millis) -> Value {
    let connection = Connection::find(connections, &there.connection_arn);
    let authorized = connection.is_some_and(|connection| connection.state(now) == "AUTHORIZED");
    let resource = format!("api-destination/{}/{}", there.name, there.id);
    json!({
        "ApiDestinationArn": arn("events", &caller.region, &caller.account, &resource),
        "ApiDestinationState": if authorized { "ACTIVE" } else { "INACTIVE" },
        "CreationTime": epoch_seconds(there.created),
        "LastModifiedTime": epoch_seconds(there.modified),
    })
}

fn view(there: &ApiDestination, connections: &Connections, caller: &Caller, now: Millis) -> Value {
    let mut row = receipt(there, connections, caller, now);
    row["Name"] = json!(there.name);
    row["ConnectionArn"] = json!(there.connection_arn);
    row["InvocationEndpoint"] = json!(there.endpoint);
    row["HttpMethod"] = json!(there.method);
    row["InvocationRateLimitPerSecond"] = json!(there.rate());
    row
}

fn find<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut ApiDestination, Fault> {
    let found = call.realm().api_destinations.get_mut(name);
    found.ok_or_else(|| Fault::not_found(format!("An api-destination '{name}' does not exist.")))
}
