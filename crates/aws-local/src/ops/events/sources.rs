//! Partner event sources as the customer sees them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::partner::expiration;
use crate::assumptions::Deactivation;
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::source::{Source, State};

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::read("DescribeEventSource", |call, input| describe(call, &input)),
    &Op::read("ListEventSources", |call, input| list(call, &input)),
    &Op::write("ActivateEventSource", |call, input| activate(call, &input)),
    &Op::write("DeactivateEventSource", |call, input| deactivate(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn describe(call: &mut Call<'_>, input: &Name) -> Answer {
    let region = call.caller.region.clone();
    Ok(view(offered(call, &input.name)?, &region))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let (account, region) = (call.caller.account.clone(), call.caller.region.clone());
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let sources = call.turn.world.sources_in(&region);
    let offered = sources
        .iter()
        .filter(|(name, source)| source.customer == account && name.starts_with(prefix))
        .map(|(name, source)| (name.as_str(), view(source, &region)));
    let page = EVENTS_PAGES.page(
        "ListEventSources",
        offered,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "EventSources": page.items, "NextToken": page.next }),
    ))
}

fn activate(call: &mut Call<'_>, input: &Name) -> Answer {
    let source = offered(call, &input.name)?;
    wrong_state_unless(source, State::Pending)?;
    if !call.realm().buses.contains_key(&input.name) {
        let name = &input.name;
        return Err(Fault::not_found(format!(
            "Event source {name} or event bus {name} does not exist."
        )));
    }
    offered(call, &input.name)?.activate();
    Ok(json!({}))
}

fn deactivate(call: &mut Call<'_>, input: &Name) -> Answer {
    let now = call.turn.now;
    let source = offered(call, &input.name)?;
    wrong_state_unless(source, State::Active)?;
    let is_refused = call.turn.world.assumptions.deactivation == Deactivation::Refused;
    let manager = call.realm().buses.get(&input.name);
    if let Some(service) = manager
        .and_then(|bus| bus.managed_by.as_ref())
        .filter(|_| is_refused)
    {
        let why = format!(
            "The event source {} is managed by {service}, which alone deactivates it.",
            input.name
        );
        return Err(Fault::new("OperationDisabledException", why));
    }
    offered(call, &input.name)?.suspend(now);
    call.turn.world.watch_source(&call.caller.region, &input.name);
    Ok(json!({}))
}

fn wrong_state_unless(source: &Source, wanted: State) -> Result<(), Fault> {
    if source.state == wanted {
        return Ok(());
    }
    let (name, state) = (&source.name, source.state.as_str());
    Err(Fault::state(format!(
        "Event source {name} is in state {state}; {} is needed.",
        wanted.as_str()
    )))
}

/// The source, if it was made for the caller's account.
pub(super) fn offered<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Source, Fault> {
    let account = call.caller.account.clone();
    let source = call
        .turn
        .world
        .sources_in(&call.caller.region)
        .get_mut(name)
        .filter(|source| source.customer == account);
    source.ok_or_else(|| Fault::not_found(format!("Event source {name} does not exist.")))
}

fn view(source: &Source, region: &str) -> Value {
    without_nulls(json!({
        "Arn": source.arn(region),
        "CreatedBy": source.created_by(),
        "CreationTime": epoch_seconds(source.created),
        "ExpirationTime": expiration(source),
        "Name": source.name,
        "State": source.state.as_str(),
    }))
}
