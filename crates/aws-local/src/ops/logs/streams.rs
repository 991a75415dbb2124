//! Log streams.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{group, named};
use crate::arn::arn;
use crate::caller::Caller;
use crate::clock::Millis;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation, without_nulls};
use crate::page;
use crate::state::log_group::Stream;

/// How many streams a page has if the request does not say, and what its token is of.
const PAGE: usize = 50;
const LISTING: &str = "DescribeLogStreams";

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateLogStream", |call, input| create(call, &input)),
    &Op::write("DeleteLogStream", |call, input| delete(call, &input)),
    &Op::read("DescribeLogStreams", describe),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn create(call: &mut Call<'_>, input: &Name) -> Answer {
    let now = call.turn.now;
    let group = group(call, &input.log_group_name)?;
    if group.streams.contains_key(input.log_stream_name.as_str()) {
        return Err(Fault::exists("The specified log stream already exists"));
    }
    group.ensure_stream(&input.log_stream_name, now);
    Ok(json!({}))
}

fn delete(call: &mut Call<'_>, input: &Name) -> Answer {
    if group(call, &input.log_group_name)?.remove_stream(&input.log_stream_name) {
        return Ok(json!({}));
    }
    Err(Fault::not_found("The specified log stream does not exist."))
}

fn describe(call: &mut Call<'_>, input: Describe) -> Answer {
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    if by_time && input.log_stream_name_prefix.is_some() {
        return Err(Fault::parameter(
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ));
    }
    let here = call.caller.clone();
    let name = named(
        call.caller,
        input.log_group_name,
        input.log_group_identifier.as_deref(),
    )?;
    let group = group(call, &name)?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let mut rows: Vec<(Millis, &Arc<str>, &Stream)> = group
        .streams
        .iter()
        .filter(|(stream, _)| stream.starts_with(prefix))
        .map(|(name, stream)| {
            let last = stream.positions.last().map_or(0, |position| position.0);
            (if by_time { last } else { 0 }, name, stream)
        })
        .collect();
    rows.sort_unstable_by_key(|(last, name, _)| (*last, *name));
    let down = input.descending == Some(true);
    if down {
        rows.reverse();
    }
    let after = input.next_token.as_deref().map(read_token).transpose()?;
    let is_past = |row: &(Millis, &Arc<str>, &Stream)| {
        after.as_ref().is_some_and(|(last, name)| {
            let order = (row.0, &**row.1).cmp(&(*last, name.as_str()));
            if down { order.is_ge() } else { order.is_le() }
        })
    };
    let from = rows.partition_point(is_past);
    let limit = input.limit.unwrap_or(PAGE);
    let page = &rows[from..rows.len().min(from.saturating_add(limit))];
    let next = page.last().filter(|_| from + page.len() < rows.len());
    let next = next.map(|(last, name, _)| page::encode_token(LISTING, &format!("{last:020}{name}")));
    let page: Vec<Value> = page
        .iter()
        .map(|(_, stream, state)| view(&name, stream, state, &here))
        .collect();
    Ok(without_nulls(json!({ "logStreams": page, "nextToken": next })))
}

/// The time and name of the last stream of the page before.
fn read_token(token: &str) -> Result<(Millis, String), Fault> {
    let text = page::decode_token(LISTING, token).ok();
    let read = |text: &str| {
        let (last, name) = text.split_at_checked(20)?;
        Some((last.parse().ok()?, name.to_owned()))
    };
    text.as_deref()
        .and_then(read)
        .ok_or_else(|| Fault::parameter("The specified nextToken is invalid."))
}

fn view(group: &str, name: &str, stream: &Stream, here: &Caller) -> Value {
    without_nulls(json!({
        "logStreamName": name,
        "creationTime": stream.created,
        "firstEventTimestamp": stream.positions.first().map(|position| position.0),
        "lastEventTimestamp": stream.positions.last().map(|position| position.0),
        "lastIngestionTime": stream.last_ingestion,
        "uploadSequenceToken": stream.last_ingestion.map(|_| format!("{:056}", stream.positions.len() + 1)),
        "arn": arn("logs", &here.region, &here.account, &format!("log-group:{group}:log-stream:{name}")),
        "storedBytes": 0,
    }))
}
