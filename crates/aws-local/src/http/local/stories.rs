//! Why an event did not arrive: its story, the invocations that left, and the counters.
//!
//! What the engine's lock is held for is bounded: a page is copied there, and explained and written without it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::pages::{Page, with_token};
use super::story::steps;
use super::{refused, shown};
use crate::clock::rfc3339_seconds;
use crate::fault::Fault;
use crate::http::edge::Edge;
use crate::page;
use crate::state::custom_bus::MetricsRow;
use crate::state::outbox::InvocationRecord;
use crate::state::story::Story;
use crate::state::{Realm, RealmId, World};
use crate::turn::STEPS_MAX;

/// How many events the list shows in a page.
const LISTED_MAX: usize = 100;
/// How many bytes of payloads a page of invocations shows, if it has more than one.
const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

type Shown = (StatusCode, Json<Value>);

/// The latest events, newest first, a page at a time.
pub(crate) async fn list(State(edge): State<Arc<Edge>>, Query(asked): Query<Page>) -> Shown {
    let before = match asked.number("events") {
        Ok(before) => before,
        Err(fault) => return refused(&fault),
    };
    let list = |world: &World| {
        let row = |(id, story): (&Arc<str>, &Story)| {
            let at = rfc3339_seconds(story.accepted);
            json!({ "id": id, "accepted": at, "dropped": story.dropped, "deliveries": story.passes.iter().map(|p| p.deliveries.len()).sum::<usize>() })
        };
        let mut latest = world.stories.latest(before).peekable();
        let (mut rows, mut last) = (Vec::new(), 0);
        while rows.len() < LISTED_MAX
            && let Some((number, id, story)) = latest.next()
        {
            rows.push(row((id, story)));
            last = number;
        }
        let next = latest
            .peek()
            .map(|_| page::encode_token("events", &last.to_string()));
        with_token(json!({ "events": rows }), next)
    };
    shown(edge.engine.look(list).await)
}

/// One event's story, so many of its steps at a time.
pub(crate) async fn one(
    State(edge): State<Arc<Edge>>,
    Path(id): Path<String>,
    Query(asked): Query<Page>,
) -> Shown {
    let from = match asked.number(&id) {
        Ok(from) => usize::try_from(from.unwrap_or_default()).unwrap_or(usize::MAX),
        Err(fault) => return refused(&fault),
    };
    let find = |world: &World| world.stories.get(&id).map(|story| steps(story, from));
    let found = match edge.engine.look(find).await {
        Ok(found) => found,
        Err(fault) => return shown(Err(fault)),
    };
    let Some(found) = found else {
        let why = format!("No event {id} is remembered: it was never accepted, or is too long ago.");
        return (StatusCode::NOT_FOUND, Json(json!({ "message": why })));
    };
    let written = tokio::task::spawn_blocking(move || found.view(&id)).await;
    shown(written.map_err(|_| Fault::internal("The event's story could not be written.")))
}

/// What targets that are not emulated would have been sent, oldest first, a page at a time.
pub(crate) async fn invocations(State(edge): State<Arc<Edge>>, Query(asked): Query<Page>) -> Shown {
    let from = match asked.number("invocations") {
        Ok(from) => from.unwrap_or_default(),
        Err(fault) => return refused(&fault),
    };
    let list = |world: &World| {
        let outbox = &world.outbox;
        let skipped = usize::try_from(from.saturating_sub(outbox.invocations_dropped)).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |seen: &&InvocationRecord| {
            let first = bytes == 0;
            bytes += seen.payload.len().max(1);
            first || bytes <= PAYLOAD_BYTES_MAX
        };
        let seen: Vec<InvocationRecord> = outbox
            .invocations
            .iter()
            .skip(skipped)
            .take_while(fits)
            .cloned()
            .collect();
        let end = skipped.saturating_add(seen.len());
        let next = (end < outbox.invocations.len()).then(|| outbox.invocations_dropped + end as u64);
        (seen, next)
    };
    let (seen, next) = match edge.engine.look(list).await {
        Ok(found) => found,
        Err(fault) => return shown(Err(fault)),
    };
    let row = |seen: &InvocationRecord| {
        json!({
            "time": rfc3339_seconds(seen.at),
            "account": seen.account,
            "region": seen.region,
            "rule_arn": seen.rule_arn,
            "target_arn": seen.target.arn,
            "target": *seen.target,
            "role_arn": seen.target.role_arn,
            "event_id": seen.event_id,
            "payload": &*seen.payload,
        })
    };
    let next = next.map(|next| page::encode_token("invocations", &next.to_string()));
    let answer = json!({ "invocations": seen.iter().map(row).collect::<Vec<_>>() });
    shown(Ok(with_token(answer, next)))
}

/// Counters under AWS's metric names, in all and by account and region; those of custom event buses by their dimensions.
pub(crate) async fn metrics(State(edge): State<Arc<Edge>>) -> Shown {
    let list = |world: &World| {
        let custom = |(id, realm): (&RealmId, &Realm)| (id.clone(), realm.custom_buses.metrics());
        let custom: Vec<(RealmId, Vec<MetricsRow>)> = world.realms().map(custom).collect();
        let mut totals = std::collections::BTreeMap::<&str, u64>::new();
        for (_, realm) in world.realms() {
            for (name, count) in realm.metrics.totals() {
                *totals.entry(name).or_default() += count;
            }
        }
        let realms: Vec<Value> = world
            .realms()
            .map(|(id, realm)| json!({ "account": id.account(), "region": id.region(), "metrics": realm.metrics }))
            .collect();
        let logs = json!({ "bytes": world.log_bytes(), "dropped_events": world.log_events_dropped });
        let queues = || world.realms().flat_map(|(_, realm)| realm.queues.values());
        let bytes: usize = queues().map(|queue| queue.messages.bytes()).sum();
        let refused: u64 = queues().map(|queue| queue.refused).sum();
        let queues = json!({ "bytes": bytes, "refused_messages": refused });
        let turns = json!({ "steps_most": world.steps_most, "steps_max": STEPS_MAX });
        let all = json!({
            "totals": totals,
            "realms": realms,
            "logs": logs,
            "queues": queues,
            "turns": turns,
            "custom_event_buses": { "dropped_events": world.custom_events_dropped },
        });
        (all, custom)
    };
    let written = edge.engine.look(list).await.map(|(mut all, custom)| {
        let rows = |(id, rows): (RealmId, Vec<MetricsRow>)| {
            let rows: Vec<Value> = rows.into_iter().map(MetricsRow::view).collect();
            json!({ "account": id.account(), "region": id.region(), "metrics": rows })
        };
        let custom = custom.into_iter().filter(|(_, rows)| !rows.is_empty());
        all["events_v2"] = custom.map(rows).collect();
        all
    });
    shown(written)
}
