//! FilterLogEvents and GetLogEvents.

use std::collections::{BTreeSet, HashSet};
use std::ops::Bound;

use serde::Deserialize;

use super::filter::{Filter, parsed};
use super::{group, named};
use crate::clock::{DAY, Millis};
use crate::fault::Fault;
use crate::ops::log_events::{EventsPage, Row};
use crate::ops::{Call, Op, Operation};
use crate::page;
use crate::state::log_group::{LogEvent, LogGroup, Position, event_bytes};

const EVENTS_MAX: usize = 10_000;
const PAGE_BYTES_MAX: u64 = 1_048_576;
/// How many events one call scans, and how many bytes of them, each as often as the pattern reads it; a page may be
/// empty and have a token, as AWS's may.
const SEARCHED_MAX: usize = 20_000;
const SEARCHED_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Newest first is served from here on, 2024-01-01T00:00:00Z.
const BACKWARD_FROM: Millis = 1_704_067_200_000;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::read("FilterLogEvents", filter).prepared(|input| input.pattern = Some(parse(input))),
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
    /// The pattern, parsed before the lock is taken.
    #[serde(skip)]
    pattern: Option<Result<Filter, Fault>>,
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

fn parse(input: &FilterEvents) -> Result<Filter, Fault> {
    parsed(input.filter_pattern.as_deref().unwrap_or_default())
}

fn filter(call: &mut Call<'_>, input: FilterEvents) -> Result<EventsPage, Fault> {
    let now = call.turn.now;
    let (token, forward) = check_filter(&input, now)?;
    let pattern = input.pattern.unwrap_or_else(|| Ok(Filter::Everything))?;
    let name = named(
        call.caller,
        input.log_group_name,
        input.log_group_identifier.as_deref(),
    )?;
    let group = readable(call, &name, "FilterLogEvents")?;
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
    let streams = input.log_stream_names.as_ref();
    let streams: Option<HashSet<&str>> = streams.map(|all| all.iter().map(String::as_str).collect());
    let wanted = |event: &LogEvent| {
        streams.as_ref().is_none_or(|all| all.contains(&*event.stream))
            && input
                .log_stream_name_prefix
                .as_ref()
                .is_none_or(|prefix| event.stream.starts_with(prefix))
            && pattern.matches(&event.message)
    };
    let span = (
        input.start_time.unwrap_or(0).max(group.kept_from(now)),
        input.end_time.unwrap_or(Millis::MAX),
    );
    let limit = input.limit.unwrap_or(EVENTS_MAX);
    let found = search(
        group,
        span,
        token.map(|token| token.place),
        forward,
        limit,
        (&wanted, pattern.passes()),
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

/// The group, unless its class refuses the operation. The answer to FilterLogEvents is on record (aws/karpenter-provider-aws pull
/// request 9567); AWS's table of log classes has both operations in one row.
fn readable<'c>(call: &'c mut Call<'_>, name: &str, operation: &str) -> Result<&'c mut LogGroup, Fault> {
    let group = group(call, name)?;
    match group.class.as_deref() {
        Some(class @ "INFREQUENT_ACCESS") => Err(Fault::new(
            "InvalidOperationException",
            format!(
                "The log group {name} is of log-group-class {class}. {operation} is not supported for this log class."
            ),
        )),
        _ => Ok(group),
    }
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
    (wanted, passes): (&dyn Fn(&LogEvent) -> bool, usize),
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
    let (mut bytes, mut searched, mut last) = (0, 0, None);
    for _ in 0..SEARCHED_MAX {
        let Some((position, event)) = rest.next() else {
            return found;
        };
        last = Some(*position);
        searched += event.message.len() * passes;
        if wanted(event) {
            bytes += event_bytes(&event.message);
            found.events.push((position, event));
            if found.events.len() >= limit || bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
        if searched >= SEARCHED_BYTES_MAX {
            break;
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
    let group = readable(call, &name, "GetLogEvents")?;
    group.expire(now);
    let stream = group.streams.get(input.log_stream_name.as_str());
    let stream = stream.ok_or_else(|| Fault::not_found("The specified log stream does not exist."))?;
    let start = input.start_time.unwrap_or(0).max(group.kept_from(now));
    let span = Span {
        positions: &stream.positions,
        start: (start, 0),
        end: (input.end_time.unwrap_or(Millis::MAX), 0),
    };
    let limit = input.limit.unwrap_or(EVENTS_MAX);
    let given = input.next_token.as_deref();
    let token = given
        .map(|token| Token::decode(token, "GetLogEvents", now))
        .transpose()?;
    let (at, forward) = match &token {
        Some(token) => (token.place, token.way == FORWARD),
        None if input.start_from_head == Some(true) => (span.start, true),
        None => (span.end, false),
    };
    let found = span.page(group, at, forward, limit);
    let from = found.first().map_or_else(|| span.mark(at), |(first, _)| *first);
    let to = found
        .last()
        .map_or_else(|| span.mark(at), |(last, _)| span.mark((last.0, last.1 + 1)));
    // At either end the answer has the token that was given.
    let mark = |way: char, place: Position| {
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
        next_backward_token: Some(mark(BACKWARD, from)),
        next_forward_token: Some(mark(FORWARD, to)),
        events: found
            .into_iter()
            .map(|(at, event)| Row::bare(at, event))
            .collect(),
        ..EventsPage::default()
    })
}

/// The events of a stream within a time.
struct Span<'g> {
    positions: &'g BTreeSet<Position>,
    start: Position,
    /// The first position behind it.
    end: Position,
}

impl Span<'_> {
    fn range(&self, from: Position, to: Position) -> impl DoubleEndedIterator<Item = Position> {
        let (from, to) = (from.max(self.start), to.min(self.end));
        // A range whose bounds cross would panic.
        let range = self.positions.range(from.min(to)..to);
        range.copied()
    }

    /// The events that a call gives, in order: those from a position on, or those before it.
    fn page<'g>(
        &self,
        group: &'g LogGroup,
        at: Position,
        forward: bool,
        limit: usize,
    ) -> Vec<(Position, &'g LogEvent)> {
        let places: &mut dyn Iterator<Item = Position> = if forward {
            &mut self.range(at, self.end)
        } else {
            &mut self.range(self.start, at).rev()
        };
        let mut bytes = 0;
        let mut page = Vec::new();
        for place in places.take(limit) {
            let Some(event) = group.events().get(&place) else {
                continue;
            };
            bytes += event_bytes(&event.message);
            if bytes > PAGE_BYTES_MAX && !page.is_empty() {
                break;
            }
            page.push((place, event));
        }
        if !forward {
            page.reverse();
        }
        page
    }

    /// A mark between two events: the position of the one behind it, or just behind the last one.
    fn mark(&self, at: Position) -> Position {
        let behind = self.range(at, self.end).next();
        let last = || self.range(self.start, self.end).next_back();
        let behind_last = |last: Position| (last.0, last.1 + 1);
        behind.or_else(|| last().map(behind_last)).unwrap_or_default()
    }
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
