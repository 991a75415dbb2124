//! Why an event did not arrive: its story, the invocations that left, and the counters.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::shown;
use crate::clock::rfc3339_seconds;
use crate::http::edge::Edge;
use crate::state::World;
use crate::state::bus::CompiledRule;
use crate::state::story::{Attempt, Delivery, Pass, Story};

/// How many events the list shows.
const LISTED_MAX: usize = 100;

/// The latest events, newest first.
pub(crate) async fn list(State(edge): State<Arc<Edge>>) -> (StatusCode, Json<Value>) {
    let list = |world: &World| {
        let row = |(id, story): (&Arc<str>, &Story)| {
            let at = rfc3339_seconds(story.accepted);
            json!({ "id": id, "accepted": at, "dropped": story.dropped, "deliveries": story.passes.iter().map(|p| p.deliveries.len()).sum::<usize>() })
        };
        json!({ "events": world.stories.latest().take(LISTED_MAX).map(row).collect::<Vec<_>>() })
    };
    shown(edge.engine.look(list).await)
}

/// One event's whole story.
pub(crate) async fn one(State(edge): State<Arc<Edge>>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let find = |world: &World| world.stories.get(&id).map(|story| view(&id, story));
    if let Some(answer) = edge.engine.look(find).await.transpose() {
        return shown(answer);
    }
    let why = format!("No event {id} is remembered: it was never accepted, or is too long ago.");
    (StatusCode::NOT_FOUND, Json(json!({ "message": why })))
}

/// What targets that are not emulated would have been sent.
pub(crate) async fn invocations(State(edge): State<Arc<Edge>>) -> (StatusCode, Json<Value>) {
    let list = |world: &World| {
        let rows: Vec<Value> = world
            .outbox
            .invocations
            .iter()
            .map(|seen| {
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
            })
            .collect();
        json!({ "invocations": rows })
    };
    shown(edge.engine.look(list).await)
}

/// Counters under AWS's metric names, in all and by account and region.
pub(crate) async fn metrics(State(edge): State<Arc<Edge>>) -> (StatusCode, Json<Value>) {
    let list = |world: &World| {
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
        json!({ "totals": totals, "realms": realms })
    };
    shown(edge.engine.look(list).await)
}

fn view(id: &str, story: &Story) -> Value {
    let event: Value = serde_json::from_str(&story.event).unwrap_or_default();
    json!({
        "id": id,
        "accepted": rfc3339_seconds(story.accepted),
        "status": if story.dropped.is_some() { "dropped" } else { "accepted" },
        "reason": story.dropped,
        "event": event,
        "buses": story.passes.iter().map(|pass| view_pass(pass, &story.event)).collect::<Vec<_>>(),
    })
}

fn view_pass(pass: &Pass, event: &str) -> Value {
    let rules = pass.rules.iter().enumerate();
    let rules: Vec<Value> = rules
        .map(|(at, rule)| view_rule(rule, pass.matched.contains(&at), event))
        .collect();
    json!({
        "account": pass.realm.account(),
        "region": pass.realm.region(),
        "bus": pass.bus,
        "rules": rules,
        "deliveries": pass.deliveries.iter().map(view_delivery).collect::<Vec<_>>(),
    })
}

/// A rule that did not match is shown with the leaves that did not.
fn view_rule(rule: &CompiledRule, matched: bool, event: &str) -> Value {
    if matched {
        return json!({ "rule": rule.name, "matched": true });
    }
    let explained = match rule.pattern.explain(event) {
        Ok(explained) => explained,
        Err(error) => {
            return json!({ "rule": rule.name, "matched": false, "missed": [], "reason": error.to_string() });
        }
    };
    let reason = explained
        .split_over_elements
        .then_some("each leaf holds, but not within one element of the event's arrays");
    let missed: Vec<Value> = explained
        .leaves
        .iter()
        .filter(|leaf| !leaf.matched)
        .map(|leaf| {
            json!({ "path": leaf.path, "expected": leaf.expected, "found": leaf.found, "nearest": leaf.nearest })
        })
        .collect();
    json!({ "rule": rule.name, "matched": false, "missed": missed, "reason": reason })
}

fn view_delivery(delivery: &Delivery) -> Value {
    let attempt = |attempt: &Attempt| {
        let (code, message) = attempt.error.clone().unzip();
        json!({ "at": rfc3339_seconds(attempt.at), "error_code": code, "error_message": message })
    };
    json!({
        "rule": delivery.rule,
        "target_id": delivery.target.id,
        "target_arn": delivery.target.arn,
        "outcome": delivery.outcome,
        "attempts": delivery.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "dead_letter": delivery.dead_letter,
    })
}
