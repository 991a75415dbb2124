//! Partner event sources as the customer sees them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::partner::expiration;
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, events_page, slim};
use crate::state::source::{Source, State};

pub(super) const OPS: &[Op] = &[
    Op::read("DescribeEventSource", |cx, body| describe(cx, &parse(body)?)),
    Op::read("ListEventSources", |cx, body| list(cx, &parse(body)?)),
    Op::write("ActivateEventSource", |cx, body| activate(cx, &parse(body)?)),
    Op::write("DeactivateEventSource", |cx, body| deactivate(cx, &parse(body)?)),
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

fn describe(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let region = cx.caller.region.clone();
    Ok(view(offered(cx, &input.name)?, &region))
}

fn list(cx: &mut Cx<'_>, input: &List) -> Answer {
    let (account, region) = (cx.caller.account.clone(), cx.caller.region.clone());
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let sources = cx.world.sources_in(&region);
    let offered = sources
        .iter()
        .filter(|(name, source)| source.customer == account && name.starts_with(prefix))
        .map(|(name, source)| (name.as_str(), view(source, &region)));
    let page = events_page(
        "ListEventSources",
        offered,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(slim(
        json!({ "EventSources": page.items, "NextToken": page.next }),
    ))
}

fn activate(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let source = offered(cx, &input.name)?;
    wrong_state_unless(source, State::Pending)?;
    if !cx.realm().buses.contains_key(&input.name) {
        let name = &input.name;
        return Err(Fault::not_found(format!(
            "Event source {name} or event bus {name} does not exist."
        )));
    }
    offered(cx, &input.name)?.activate();
    Ok(json!({}))
}

fn deactivate(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let now = cx.now;
    let source = offered(cx, &input.name)?;
    wrong_state_unless(source, State::Active)?;
    source.suspend(now);
    cx.world.watch_source(&cx.caller.region, &input.name);
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
pub(super) fn offered<'c>(cx: &'c mut Cx<'_>, name: &str) -> Result<&'c mut Source, Fault> {
    let account = cx.caller.account.clone();
    let source = cx
        .world
        .sources_in(&cx.caller.region)
        .get_mut(name)
        .filter(|source| source.customer == account);
    source.ok_or_else(|| Fault::not_found(format!("Event source {name} does not exist.")))
}

fn view(source: &Source, region: &str) -> Value {
    slim(json!({
        "Arn": source.arn(region),
        "CreatedBy": source.created_by(),
        "CreationTime": epoch_seconds(source.created),
        "ExpirationTime": expiration(source),
        "Name": source.name,
        "State": source.state.as_str(),
    }))
}
