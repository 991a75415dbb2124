//! Log streams.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{group, named};
use crate::arn::arn;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation, logs_page, logs_page_down, without_nulls};
use crate::state::log_group::Stream;

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
    // The key of a page's token has to sort as the listing does.
    let mut rows: Vec<(String, Value)> = group
        .streams
        .iter()
        .filter(|(stream, _)| stream.starts_with(prefix))
        .map(|(stream, state)| {
            let last = state.positions.last().map_or(0, |position| position.0);
            let key = if by_time {
                format!("{last:020}{stream}")
            } else {
                stream.to_string()
            };
            (key, view(&name, stream, state, &here))
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let down = input.descending == Some(true);
    if down {
        rows.reverse();
    }
    let rows = rows.iter().map(|(key, row)| (key.as_str(), row.clone()));
    let (token, limit) = (input.next_token.as_deref(), input.limit);
    let page = if down {
        logs_page_down("DescribeLogStreams", rows, token, limit)?
    } else {
        logs_page("DescribeLogStreams", rows, token, limit)?
    };
    Ok(without_nulls(
        json!({ "logStreams": page.items, "nextToken": page.next }),
    ))
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
