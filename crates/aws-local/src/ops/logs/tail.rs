//! StartLiveTail: what arrives in log groups from now on. The checks are those of AWS's reference (StartLiveTail).

use serde::Deserialize;
use serde_json::json;

use super::filter::{Filter, parsed};
use super::{identified, missing};
use crate::fault::Fault;
use crate::ops::live_tail::{Matches, Tail, Tailed};
use crate::ops::{Call, Op, Operation, without_nulls};

pub(super) const OPS: &[&dyn Operation] =
    &[&Op::read("StartLiveTail", start).prepared(|input| input.filter = Some(parse(input)))];

#[derive(Deserialize)]
struct Start {
    #[serde(rename = "logGroupIdentifiers")]
    groups: Vec<String>,
    #[serde(rename = "logStreamNames")]
    streams: Option<Vec<String>>,
    #[serde(rename = "logStreamNamePrefixes")]
    prefixes: Option<Vec<String>>,
    #[serde(rename = "logEventFilterPattern")]
    pattern: Option<String>,
    /// The pattern, parsed before the lock is taken.
    #[serde(skip)]
    filter: Option<Result<Filter, Fault>>,
}

fn parse(input: &Start) -> Result<Filter, Fault> {
    parsed(input.pattern.as_deref().unwrap_or_default())
}

fn start(call: &mut Call<'_>, mut input: Start) -> Result<Tail, Fault> {
    let filter = input.filter.take().unwrap_or_else(|| parse(&input))?;
    check_streams(&input)?;
    let groups: Result<Vec<Tailed>, Fault> = input
        .groups
        .iter()
        .map(|identifier| tailed(call, identifier))
        .collect();
    let start = without_nulls(json!({
        "requestId": call.turn.dice.uuid(),
        "sessionId": call.turn.dice.uuid(),
        "logGroupIdentifiers": input.groups,
        "logStreamNames": input.streams,
        "logStreamNamePrefixes": input.prefixes,
        "logEventFilterPattern": input.pattern.unwrap_or_default(),
    }));
    Ok(Tail {
        realm: call.here(),
        groups: groups?,
        streams: input.streams,
        prefixes: input.prefixes,
        matches: Matches(Box::new(move |message| filter.matches(message))),
        start,
    })
}

fn check_streams(input: &Start) -> Result<(), Fault> {
    let by_stream = [&input.streams, &input.prefixes];
    let given = by_stream.iter().filter(|given| given.is_some()).count();
    if given > 1 {
        return Err(Fault::parameter(
            "logStreamNames and logStreamNamePrefixes are mutually exclusive.",
        ));
    }
    if given > 0 && input.groups.len() > 1 {
        return Err(Fault::parameter(
            "logStreamNames and logStreamNamePrefixes can be specified with one log group only.",
        ));
    }
    Ok(())
}

/// The group of an identifier, from its next event on.
fn tailed(call: &mut Call<'_>, identifier: &str) -> Result<Tailed, Fault> {
    if !identifier.starts_with("arn:") || identifier.ends_with('*') {
        return Err(Fault::parameter(format!(
            "The log group identifier {identifier} must be an ARN without an asterisk at its end."
        )));
    }
    let name = identified(call.caller, identifier)
        .ok_or_else(missing)?
        .to_owned();
    let group = call.realm().log_groups.get(&name).ok_or_else(missing)?;
    if group.class.as_deref().is_some_and(|class| class != "STANDARD") {
        return Err(Fault::new(
            "InvalidOperationException",
            "Live tail is for log groups of the Standard class only.",
        ));
    }
    let (created, next) = (group.created, group.next());
    Ok(Tailed { name, created, next })
}
