//! FilterLogEvents and GetLogEvents.

use std::ops::Bound;

use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::Filter;
use super::{group, named};
use crate::clock::Millis;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, slim};
use crate::page;
use crate::state::log_group::{LogEvent, LogGroup, Position, event_bytes};

const EVENTS_MAX: usize = 10_000;
const PAGE_BYTES_MAX: u64 = 1_048_576;
/// How many events one call looks at; a page may come back empty with a token, as AWS's may.
const SEARCHED_MAX: usize = 20_000;

pub(super) const OPS: &[Op] = &[
    Op::read("FilterLogEvents", |cx, body| filter(cx, parse(body)?)),
    Op::read("GetLogEvents", |cx, body| get(cx, parse(body)?)),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilterEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
    start_from_head: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    next_token: Option<String>,
    limit: Option<usize>,
    start_from_head: Option<bool>,
}

fn filter(cx: &mut Cx<'_>, input: FilterEvents) -> Answer {
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(Fault::parameter(
            "logStreamNames and logStreamNamePrefix are mutually exclusive.",
        ));
    }
    if let (Some(start), Some(end)) = (input.start_time, input.end_time)
        && start > end
    {
        return Err(Fault::parameter(
            "endTime must be greater than or equal to startTime.",
        ));
    }
    let pattern = Filter::parse(input.filter_pattern.as_deref().unwrap_or_default())
        .map_err(|why| Fault::parameter(format!("Invalid filter pattern: {why}")))?;
    let now = cx.now;
    let name = named(input.log_group_name, input.log_group_identifier.as_deref())?;
    let group = group(cx, &name)?;
    group.expire(now);
    if let Some(missing) = input
        .log_stream_names
        .iter()
        .flatten()
        .find(|s| !group.streams.contains_key(*s))
    {
        return Err(Fault::not_found(format!(
            "The specified log stream does not exist: {missing}"
        )));
    }
    let wanted = |event: &LogEvent| {
        input
            .log_stream_names
            .as_ref()
            .is_none_or(|all| all.iter().any(|stream| **stream == *event.stream))
            && input
                .log_stream_name_prefix
                .as_ref()
                .is_none_or(|prefix| event.stream.starts_with(prefix))
            && pattern.matches(&event.message)
    };
    let span = (
        input.start_time.unwrap_or(0),
        input.end_time.unwrap_or(Millis::MAX),
    );
    let limit = input.limit.unwrap_or(EVENTS_MAX);
    let forward = input.start_from_head.unwrap_or(true);
    let found = search(group, span, input.next_token.as_deref(), forward, limit, &wanted)?;
    let events: Vec<Value> = found
        .events
        .iter()
        .map(|(position, event)| {
            json!({
                "logStreamName": event.stream,
                "timestamp": position.0,
                "message": event.message,
                "ingestionTime": event.ingested,
                "eventId": event_id(**position),
            })
        })
        .collect();
    Ok(slim(
        json!({ "events": events, "searchedLogStreams": [], "nextToken": found.next }),
    ))
}

/// What one call found, and where the next goes on.
struct Found<'g> {
    events: Vec<(&'g Position, &'g LogEvent)>,
    next: Option<String>,
}

fn search<'g>(
    group: &'g LogGroup,
    span: (Millis, Millis),
    token: Option<&str>,
    forward: bool,
    limit: usize,
    wanted: &dyn Fn(&LogEvent) -> bool,
) -> Result<Found<'g>, Fault> {
    let after = token.map(|token| open("FilterLogEvents", token)).transpose()?;
    let mut low = Bound::Included((span.0, 0));
    let mut high = Bound::Included((span.1, u64::MAX));
    match (after, forward) {
        (Some(position), true) if position >= (span.0, 0) => low = Bound::Excluded(position),
        (Some(position), false) if position <= (span.1, u64::MAX) => high = Bound::Excluded(position),
        _ => {}
    }
    let mut found = Found {
        events: Vec::new(),
        next: None,
    };
    if is_empty(low, high) {
        return Ok(found);
    }
    let range = group.events().range((low, high));
    let mut rest: Box<dyn Iterator<Item = (&Position, &LogEvent)>> = if forward {
        Box::new(range)
    } else {
        Box::new(range.rev())
    };
    let (mut bytes, mut last) = (0, None);
    for _ in 0..SEARCHED_MAX {
        let Some((position, event)) = rest.next() else {
            return Ok(found);
        };
        last = Some(*position);
        if wanted(event) {
            bytes += event_bytes(&event.message);
            found.events.push((position, event));
            if found.events.len() >= limit || bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
    }
    found.next = rest.next().and(last).map(|last| seal("FilterLogEvents", last));
    Ok(found)
}

/// `BTreeMap::range` panics where the bounds cross.
fn is_empty(low: Bound<Position>, high: Bound<Position>) -> bool {
    match (low, high) {
        (Bound::Excluded(low), Bound::Included(high)) | (Bound::Included(low), Bound::Excluded(high)) => {
            low >= high
        }
        (Bound::Included(low), Bound::Included(high)) => low > high,
        _ => false,
    }
}

fn get(cx: &mut Cx<'_>, input: GetEvents) -> Answer {
    let now = cx.now;
    let name = named(input.log_group_name, input.log_group_identifier.as_deref())?;
    let group = group(cx, &name)?;
    group.expire(now);
    let stream = group.streams.get(&input.log_stream_name);
    let stream = stream.ok_or_else(|| Fault::not_found("The specified log stream does not exist."))?;
    let span = (
        input.start_time.unwrap_or(0),
        input.end_time.unwrap_or(Millis::MAX),
    );
    let all: Vec<Position> = stream
        .positions
        .iter()
        .copied()
        .filter(|position| (span.0..span.1).contains(&position.0))
        .collect();
    let limit = input.limit.unwrap_or(EVENTS_MAX);
    let (from, to) = window(
        &all,
        group,
        input.next_token.as_deref(),
        input.start_from_head,
        limit,
    )?;
    let events: Vec<Value> = all[from..to]
        .iter()
        .filter_map(|position| Some((position, group.events().get(position)?)))
        .map(|(position, event)| {
            json!({ "timestamp": position.0, "message": event.message, "ingestionTime": event.ingested })
        })
        .collect();
    let mark = |way: &str, at: usize| page::seal("GetLogEvents", &format!("{way}/{}", place(&all, at)));
    Ok(json!({ "events": events, "nextForwardToken": mark("f", to), "nextBackwardToken": mark("b", from) }))
}

/// The part of a stream's events that a call gives: `from..to`. A token stands between two events.
fn window(
    all: &[Position],
    group: &LogGroup,
    token: Option<&str>,
    from_head: Option<bool>,
    limit: usize,
) -> Result<(usize, usize), Fault> {
    let fits = |at: &usize, bytes: &mut u64| {
        *bytes += all
            .get(*at)
            .and_then(|p| group.events().get(p))
            .map_or(0, |event| event_bytes(&event.message));
        *bytes <= PAGE_BYTES_MAX
    };
    let ahead = |from: usize| {
        let mut bytes = 0;
        let count = (from..all.len())
            .take(limit)
            .take_while(|at| fits(at, &mut bytes))
            .count();
        (from, (from + count.max(1)).min(all.len()).max(from))
    };
    let back = |to: usize| {
        let mut bytes = 0;
        let count = (0..to)
            .rev()
            .take(limit)
            .take_while(|at| fits(at, &mut bytes))
            .count();
        (to.saturating_sub(count.max(1)), to)
    };
    let Some(token) = token else {
        return Ok(if from_head == Some(true) {
            ahead(0)
        } else {
            back(all.len())
        });
    };
    let bad = || Fault::parameter("The specified nextToken is invalid.");
    let opened = page::open("GetLogEvents", token).map_err(|_| bad())?;
    let (way, place) = opened.split_once('/').ok_or_else(bad)?;
    let position = read_position(place).ok_or_else(bad)?;
    let at = all.partition_point(|each| *each < position);
    Ok(if way == "f" { ahead(at) } else { back(at) })
}

/// The position a mark at index `at` stands before: that of the event there, or just after the last one.
fn place(all: &[Position], at: usize) -> String {
    let position = all
        .get(at)
        .copied()
        .or_else(|| all.last().map(|last| (last.0, last.1 + 1)))
        .unwrap_or_default();
    format!("{}/{}", position.0, position.1)
}

fn seal(of: &str, position: Position) -> String {
    page::seal(of, &format!("{}/{}", position.0, position.1))
}

fn open(of: &str, token: &str) -> Result<Position, Fault> {
    let text = page::open(of, token).ok();
    text.as_deref()
        .and_then(read_position)
        .ok_or_else(|| Fault::parameter("The specified nextToken is invalid."))
}

fn read_position(text: &str) -> Option<Position> {
    let (at, number) = text.split_once('/')?;
    Some((at.parse().ok()?, number.parse().ok()?))
}

/// AWS's ids are 56 digits.
fn event_id(position: Position) -> String {
    format!("{:036}{:020}", position.0, position.1)
}
