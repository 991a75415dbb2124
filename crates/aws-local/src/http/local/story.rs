//! The steps of one event's story: each rule that it was matched against, and each delivery.

use std::sync::Arc;

use event_pattern::Pattern;
use serde_json::{Value, json};

use super::pages::with_token;
use crate::clock::{Millis, rfc3339_seconds};
use crate::page;
use crate::state::RealmId;
use crate::state::bus::NamedPattern;
use crate::state::story::{Attempt, Delivery, Pass, Story};

/// How many steps a page has.
const STEPS_MAX: usize = 500;
/// A page ends where explaining its rules has read so much, or where it is so long.
const READ_BYTES_MAX: usize = 16 * 1024 * 1024;
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// What explaining a rule takes besides reading the event, as bytes.
const EXPLAINED_BYTES: usize = 32 * 1024;
/// How many leaves are shown of a rule that did not match.
const LEAVES_MAX: usize = 50;

/// A part of a story, copied under the lock. Its texts are shared with the state.
pub(super) struct PartOfStory {
    accepted: Millis,
    dropped: Option<String>,
    event: Arc<str>,
    buses: Vec<PartOfBus>,
    /// The number of the first step.
    from: usize,
    /// How many steps the whole story has.
    all: usize,
}

struct PartOfBus {
    realm: RealmId,
    bus: String,
    rules: Vec<(NamedPattern, Known)>,
    deliveries: Vec<Delivery>,
}

/// What is known of a rule and an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Matched,
    Missed,
    Undecided,
}

/// Copies the steps from a number on, as many as a page may have.
pub(super) fn steps(story: &Story, from: usize) -> PartOfStory {
    let (mut skip, mut room, mut all) = (from, STEPS_MAX, 0);
    let mut buses = Vec::new();
    for pass in story.passes.iter() {
        all += pass.rules.len() + pass.deliveries.len();
        let rules = part(&pass.rules, &mut skip, &mut room);
        let rules = rules
            .iter()
            .map(|rule| (rule.clone(), known(pass, rule)))
            .collect();
        let deliveries = part(&pass.deliveries, &mut skip, &mut room).to_vec();
        buses.push(PartOfBus {
            realm: pass.realm.clone(),
            bus: pass.bus.to_string(),
            rules,
            deliveries,
        });
    }
    PartOfStory {
        accepted: story.accepted,
        dropped: story.dropped.clone(),
        event: Arc::clone(&story.event),
        buses,
        from,
        all,
    }
}

/// What is left of a list after those that are skipped, as far as there is room.
fn part<'l, T>(list: &'l [T], skip: &mut usize, room: &mut usize) -> &'l [T] {
    let from = list.len().min(*skip);
    let to = list.len().min(from + *room);
    *skip -= from;
    *room -= to - from;
    &list[from..to]
}

fn known(pass: &Pass, rule: &NamedPattern) -> Known {
    let is_in = |names: &[Arc<str>]| names.binary_search_by(|name| (**name).cmp(&rule.name)).is_ok();
    if is_in(&pass.matched) {
        Known::Matched
    } else if is_in(&pass.undecided) {
        Known::Undecided
    } else {
        Known::Missed
    }
}

/// What a page may still hold.
struct Room {
    steps: usize,
    read: usize,
    written: usize,
}

impl Room {
    fn is_left(&self) -> bool {
        self.read < READ_BYTES_MAX && self.written < PAGE_BYTES_MAX
    }

    fn add(&mut self, rows: &mut Vec<Value>, row: Value) {
        self.steps += 1;
        self.written += row.to_string().len();
        rows.push(row);
    }
}

impl PartOfStory {
    /// As it is answered. The page ends early where its steps are costly.
    pub(super) fn view(&self, id: &str) -> Value {
        let mut room = Room {
            steps: 0,
            read: 0,
            written: 0,
        };
        let buses: Vec<Value> = self
            .buses
            .iter()
            .map(|bus| self.view_bus(bus, &mut room))
            .collect();
        let end = self.from.saturating_add(room.steps);
        let next = (end < self.all).then(|| page::encode_token(id, &end.to_string()));
        let event: Value = serde_json::from_str(&self.event).unwrap_or_default();
        let answer = json!({
            "id": id,
            "accepted": rfc3339_seconds(self.accepted),
            "status": if self.dropped.is_some() { "dropped" } else { "accepted" },
            "reason": self.dropped,
            "event": event,
            "buses": buses,
        });
        with_token(answer, next)
    }

    fn view_bus(&self, bus: &PartOfBus, room: &mut Room) -> Value {
        let (mut rules, mut deliveries) = (Vec::new(), Vec::new());
        for (rule, known) in &bus.rules {
            if !room.is_left() {
                break;
            }
            if *known == Known::Missed {
                room.read += self.event.len() + EXPLAINED_BYTES;
            }
            room.add(&mut rules, view_rule(rule, *known, &self.event));
        }
        for delivery in &bus.deliveries {
            if !room.is_left() {
                break;
            }
            room.add(&mut deliveries, view_delivery(delivery));
        }
        json!({
            "account": bus.realm.account(),
            "region": bus.realm.region(),
            "bus": bus.bus,
            "rules": rules,
            "deliveries": deliveries,
        })
    }
}

/// A rule that did not match is shown with the leaves that did not.
fn view_rule(rule: &NamedPattern, known: Known, event: &str) -> Value {
    let missed =
        |reason: &str| json!({ "rule": rule.name, "matched": false, "missed": [], "reason": reason });
    match known {
        Known::Matched => return json!({ "rule": rule.name, "matched": true }),
        Known::Undecided => {
            return missed(
                "not decided: matching the events of this request took more steps than one request may take",
            );
        }
        Known::Missed => {}
    }
    let explained = match Pattern::compile(&rule.pattern).map(|pattern| pattern.explain(event)) {
        Ok(Ok(explained)) => explained,
        Ok(Err(error)) => return missed(&error.to_string()),
        Err(error) => return missed(&error.to_string()),
    };
    let reason = explained
        .split_over_elements
        .then_some("each leaf holds, but not within one element of the event's arrays");
    let mut leaves = explained.leaves.iter().filter(|leaf| !leaf.matched);
    let shown: Vec<Value> = leaves
        .by_ref()
        .take(LEAVES_MAX)
        .map(|leaf| {
            json!({ "path": leaf.path, "expected": leaf.expected, "found": leaf.found, "nearest": leaf.nearest })
        })
        .collect();
    let left_out = leaves.count() + explained.leaves_left_out;
    let mut view = json!({ "rule": rule.name, "matched": false, "missed": shown, "reason": reason });
    if left_out > 0 {
        view["missed_left_out"] = json!(left_out);
    }
    view
}

fn view_delivery(delivery: &Delivery) -> Value {
    let attempt = |attempt: &Attempt| {
        let (code, message) = attempt.error.clone().unzip();
        json!({ "at": rfc3339_seconds(attempt.at), "error_code": code, "error_message": message })
    };
    let mut view = json!({
        "rule": delivery.rule,
        "target_id": delivery.target.id,
        "target_arn": delivery.target.arn,
        "outcome": delivery.outcome,
        "attempts": delivery.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "dead_letter": delivery.dead_letter,
    });
    if delivery.unknown_role {
        view["role"] = json!("never created here, so it counts as one that allows the delivery");
    }
    view
}
