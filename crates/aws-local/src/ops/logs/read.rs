//! FilterLogEvents and GetLogEvents.

use std::ops::Bound;

use serde::Deserialize;

use super::filter::Filter;
use super::{group, named};
use crate::clock::{DAY, Millis};
use crate::fault::Fault;
use crate::ops::log_events::{EventsPage, Row};
use crate::ops::{Call, Op, Operation};
use crate::page;
use crate::state::log_group::{LogEvent, LogGroup, Position, event_bytes};

const EVENTS_MAX: usize = 10_000;
const PAGE_BYTES_MAX: u64 = 1_048_576;
/// How many events one call scans; a page may be empty and have a token, as AWS's may.
const SEARCHED_MAX: usize = 20_000;

/// Newest first is served from here on, 2024-01-01T00:00:00Z.
const BACKWARD_FROM: Millis = 1_704_067_200_000;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::read("FilterLogEvents", filter),
    &Op::read("GetLogEvents", get),
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

fn filter(call: &mut Call<'_>, input: FilterEvents) -> Result<EventsPage, Fault> {
    let now = call.turn.now;
    let (token, forward) = check_filter(&input, now)?;
    let pattern = Filter::parse(input.filter_pattern.as_deref().unwrap_or_default())
        .map_err(|why| Fault::parameter(format!("Invalid filter pattern: {why}")))?;
    let name = named(
        call.caller,
        input.log_group_name,
        input.log_group_identifier.as_deref(),
    )?;
    let group = group(call, &name)?;
    group.expire(now);
    if let Some(missing) = input
        .log_stream_names
        .iter()
        .flatten()
        .find(|s| !group.streams.contains_key(s.as_str()))
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
    let found = search(
        group,
        span,
        token.map(|token| token.place),
        forward,
        limit,
        &wanted,
    );
    let way = if forward { FORWARD } else { BACKWARD };
    let token = |place| Token {
        way,
        issued: now,
        place,
    };
    let next = found.next.map(|place| token(place).encode("FilterLogEvents"));
    let rows = found.events.into_iter().map(|(at, event)| Row::named(*at, event));
    Ok(EventsPage {
        events: rows.collect(),
        next_token: next,
        searched_log_streams: Some([]),
        ..EventsPage::default()
    })
}

/// Refuses members that exclude each other; gives the token, and whether the oldest come first.
fn check_filter(input: &FilterEvents, now: Millis) -> Result<(Option<Token>, bool), Fault> {
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
    let token = input.next_token.as_deref();
    let token = token
        .map(|token| Token::decode(token, "FilterLogEvents", now))
        .transpose()?;
    // A token keeps the direction of its request, whatever this one says.
    let asked = input.start_from_head.unwrap_or(true);
    let forward = token.as_ref().map_or(asked, |token| token.way == FORWARD);
    if !forward && input.start_time.is_some_and(|start| start < BACKWARD_FROM) {
        return Err(Fault::parameter(
            "startFromHead can be false only if startTime is on or after 2024-01-01T00:00:00Z.",
        ));
    }
    Ok((token, forward))
}

/// The events of one call, and where the next continues.
struct FoundEvents<'g> {
    events: Vec<(&'g Position, &'g LogEvent)>,
    next: Option<Position>,
}

fn search<'g>(
    group: &'g LogGroup,
    span: (Millis, Millis),
    after: Option<Position>,
    forward: bool,
    limit: usize,
    wanted: &dyn Fn(&LogEvent) -> bool,
) -> FoundEvents<'g> {
    let mut low = Bound::Included((span.0, 0));
    let mut high = Bound::Included((span.1, u64::MAX));
    match (after, forward) {
        (Some(position), true) if position >= (span.0, 0) => low = Bound::Excluded(position),
        (Some(position), false) if position <= (span.1, u64::MAX) => high = Bound::Excluded(position),
        _ => {}
    }
    let mut found = FoundEvents {
        events: Vec::new(),
        next: None,
    };
    if is_empty(low, high) {
        return found;
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
            return found;
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
    found.next = rest.next().and(last);
    found
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

fn get(call: &mut Call<'_>, input: GetEvents) -> Result<EventsPage, Fault> {
    let now = call.turn.now;
    let name = named(
        call.caller,
        input.log_group_name,
        input.log_group_identifier.as_deref(),
    )?;
    let group = group(call, &name)?;
    group.expire(now);
    let stream = group.streams.get(input.log_stream_name.as_str());
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
    let given = input.next_token.as_deref();
    let token = given
        .map(|token| Token::decode(token, "GetLogEvents", now))
        .transpose()?;
    let (from, to) = window(&all, group, token.as_ref(), input.start_from_head, limit);
    let rows = all[from..to]
        .iter()
        .filter_map(|position| Some(Row::bare(*position, group.events().get(position)?)));
    let events = rows.collect();
    // At either end the answer has the token that was given.
    let mark = |way: char, at: usize| {
        let place = place(&all, at);
        let same = token
            .as_ref()
            .is_some_and(|token| token.way == way && token.place == place);
        given.filter(|_| same).map_or_else(
            || {
                let issued = now;
                Token { way, issued, place }.encode("GetLogEvents")
            },
            str::to_owned,
        )
    };
    Ok(EventsPage {
        events,
        next_backward_token: Some(mark(BACKWARD, from)),
        next_forward_token: Some(mark(FORWARD, to)),
        ..EventsPage::default()
    })
}

/// The part of a stream's events that a call gives: `from..to`. A token is a position between two events.
fn window(
    all: &[Position],
    group: &LogGroup,
    token: Option<&Token>,
    from_head: Option<bool>,
    limit: usize,
) -> (usize, usize) {
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
    match token {
        Some(token) => {
            let at = all.partition_point(|each| *each < token.place);
            if token.way == FORWARD { ahead(at) } else { back(at) }
        }
        None if from_head == Some(true) => ahead(0),
        None => back(all.len()),
    }
}

/// The position of a mark at index `at`: that of the event there, or just after the last one.
fn place(all: &[Position], at: usize) -> Position {
    all.get(at)
        .copied()
        .or_else(|| all.last().map(|last| (last.0, last.1 + 1)))
        .unwrap_or_default()
}

/// The position of a reader, and its direction.
struct Token {
    way: char,
    issued: Millis,
    place: Position,
}

const FORWARD: char = 'f';
const BACKWARD: char = 'b';

impl Token {
    fn encode(&self, of: &str) -> String {
        let (at, number) = self.place;
        page::encode_token(of, &format!("{}/{}/{at}/{number}", self.way, self.issued))
    }

    /// Reads a token, unless it is a day old.
    fn decode(token: &str, of: &str, now: Millis) -> Result<Self, Fault> {
        let text = page::decode_token(of, token).ok();
        let read = |text: &str| {
            let mut parts = text.split('/');
            let token = Self {
                way: parts.next()?.chars().next()?,
                issued: parts.next()?.parse().ok()?,
                place: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
            };
            Some(token)
        };
        text.as_deref()
            .and_then(read)
            .filter(|token| now < token.issued + DAY)
            .ok_or_else(|| Fault::parameter("The specified nextToken is invalid."))
    }
}
