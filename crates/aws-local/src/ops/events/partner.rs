//! Partner event sources as the partner sees them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::{Millis, epoch_seconds};
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::source::{Remains, Source, State};
use crate::state::{RealmId, World};

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreatePartnerEventSource", |call, input| create(call, &input)),
    &Op::write("DeletePartnerEventSource", |call, input| Ok(delete(call, &input))),
    &Op::read("DescribePartnerEventSource", |call, input| describe(call, &input)),
    &Op::read("ListPartnerEventSources", |call, input| list(call, &input)),
    &Op::read("ListPartnerEventSourceAccounts", |call, input| {
        accounts(call, &input)
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    account: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: String,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accounts {
    event_source_name: String,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn create(call: &mut Call<'_>, input: &Create) -> Answer {
    let now = call.turn.now;
    let before = call
        .turn
        .world
        .sources_in(&call.caller.region)
        .get(&input.name)
        .map(|source| source.state);
    if before.is_some_and(|state| state != State::Deleted) {
        return Err(Fault::exists(format!(
            "Event source {} already exists.",
            input.name
        )));
    }
    let customer = RealmId::new(&input.account, &call.caller.region);
    let mut source = Source::new(&input.name, &call.caller.account, &input.account, now);
    source.bus_from_before = has_bus(call.turn.world, &customer, &input.name);
    source.had_bus = source.bus_from_before;
    let arn = source.arn(&call.caller.region);
    call.turn
        .world
        .sources_in(&call.caller.region)
        .insert(input.name.clone(), source);
    call.turn.world.watch_source(&call.caller.region, &input.name);
    Ok(json!({ "EventSourceArn": arn }))
}

fn has_bus(world: &mut World, customer: &RealmId, name: &str) -> bool {
    world
        .realm_if_any(customer)
        .is_some_and(|realm| realm.buses.contains_key(name))
}

fn delete(call: &mut Call<'_>, input: &Create) -> Value {
    let partner = call.caller.account.clone();
    let sources = call.turn.world.sources_in(&call.caller.region);
    let ours = |source: &&mut Source| source.partner == partner && source.customer == input.account;
    if let Some(source) = sources.get_mut(&input.name).filter(ours)
        && source.delete() == Remains::Nothing
    {
        sources.remove(&input.name);
    }
    json!({})
}

fn describe(call: &mut Call<'_>, input: &Name) -> Answer {
    let region = call.caller.region.clone();
    let source = own(call, &input.name).filter(|source| source.state != State::Deleted);
    let source = source.ok_or_else(|| missing(&input.name))?;
    Ok(json!({ "Arn": source.arn(&region), "Name": source.name }))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let (partner, region) = (call.caller.account.clone(), call.caller.region.clone());
    let sources = call.turn.world.sources_in(&region);
    let ours = sources
        .range(input.name_prefix.clone()..)
        .take_while(|(name, _)| name.starts_with(&input.name_prefix))
        .filter(|(_, source)| source.partner == partner && source.state != State::Deleted)
        .map(|(name, source)| (name.as_str(), json!({ "Arn": source.arn(&region), "Name": name })));
    let page = EVENTS_PAGES.page(
        "ListPartnerEventSources",
        ours,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "PartnerEventSources": page.items, "NextToken": page.next }),
    ))
}

fn accounts(call: &mut Call<'_>, input: &Accounts) -> Answer {
    let source = own(call, &input.event_source_name).ok_or_else(|| missing(&input.event_source_name))?;
    let row = without_nulls(json!({
        "Account": source.customer,
        "CreationTime": epoch_seconds(source.created),
        "ExpirationTime": expiration(source),
        "State": source.state.as_str(),
    }));
    let rows = std::iter::once((source.customer.as_str(), row));
    let page = EVENTS_PAGES.page(
        "ListPartnerEventSourceAccounts",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "PartnerEventSourceAccounts": page.items, "NextToken": page.next }),
    ))
}

/// `ExpirationTime`: only a PENDING source has one.
pub(super) fn expiration(source: &Source) -> Option<Value> {
    source
        .expires
        .filter(|_| source.state == State::Pending)
        .map(|at: Millis| epoch_seconds(at))
}

fn own<'c>(call: &'c mut Call<'_>, name: &str) -> Option<&'c Source> {
    let partner = call.caller.account.clone();
    call.turn
        .world
        .sources_in(&call.caller.region)
        .get(name)
        .filter(|source| source.partner == partner)
}

fn missing(name: &str) -> Fault {
    Fault::not_found(format!("Event source {name} does not exist."))
}
