//! Replays of archived events.

use serde::Deserialize;
use serde_json::{Value, json};

use super::archives::{bus_of, find as find_archive};
use crate::arn::{Arn, arn};
use crate::clock::{Millis, epoch_seconds, read_time};
use crate::delivery::envelope::Envelope;
use crate::delivery::publish_to;
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::RealmId;
use crate::state::archive::{Archived, Replay};
use crate::state::timers::Timer;
use crate::turn::Turn;

/// AWS's quota of replays at once.
const ACTIVE_MAX: usize = 10;
/// How long a replay is STARTING, then RUNNING, and how long it is CANCELLING.
const STEP_MS: Millis = 1_000;
/// How many events a replay publishes in one step, and how many bytes of them.
const REPLAYED_MAX: usize = 250;
const REPLAYED_BYTES_MAX: usize = 1024 * 1024;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("StartReplay", start),
    &Op::write("CancelReplay", |call, input| cancel(call, &input)),
    &Op::read("DescribeReplay", |call, input| describe(call, &input)),
    &Op::read("ListReplays", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Start {
    replay_name: String,
    description: Option<String>,
    event_source_arn: String,
    event_start_time: Value,
    event_end_time: Value,
    destination: Destination,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    arn: String,
    filter_arns: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    replay_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    state: Option<String>,
    event_source_arn: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn start(call: &mut Call<'_>, input: Start) -> Answer {
    if call.realm().replays.contains_key(&input.replay_name) {
        return Err(Fault::exists(format!(
            "Replay {} already exists.",
            input.replay_name
        )));
    }
    let bad_time = || Fault::validation("Parameter EventStartTime or EventEndTime is not valid.");
    let from = read_time(&input.event_start_time).ok_or_else(bad_time)?;
    let to = read_time(&input.event_end_time).ok_or_else(bad_time)?;
    if to <= from {
        return Err(Fault::validation(
            "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
        ));
    }
    check_destination(call, &input)?;
    let active = call.realm().replays.values().filter(|replay| !replay.is_over());
    if active.count() >= ACTIVE_MAX {
        return Err(Fault::quota());
    }
    let replay = Replay {
        name: input.replay_name.clone(),
        description: input.description,
        archive_arn: input.event_source_arn,
        from,
        to,
        bus_arn: input.destination.arn,
        rules: input.destination.filter_arns.unwrap_or_default(),
        state: "STARTING".to_owned(),
        started: call.turn.now,
        ended: None,
        last: None,
        left: None,
    };
    let realm = call.here();
    call.realm().replays.insert(input.replay_name.clone(), replay);
    let at = call.turn.now + STEP_MS;
    set_timer(&mut call.turn, &realm, &input.replay_name, at);
    Ok(json!({
        "ReplayArn": replay_arn(call, &input.replay_name),
        "State": "STARTING",
        "ReplayStartTime": epoch_seconds(call.turn.now),
    }))
}

/// An archive is replayed to its own bus only.
fn check_destination(call: &mut Call<'_>, input: &Start) -> Result<(), Fault> {
    bus_of(call, "Destination.Arn", &input.destination.arn)?;
    let bad_archive =
        |why: &str| Fault::validation(format!("Parameter EventSourceArn is not valid. Reason: {why}"));
    let archive = Arn::parse(&input.event_source_arn).and_then(|arn| arn.resource.strip_prefix("archive/"));
    let archive = archive.ok_or_else(|| bad_archive("Must contain an archive ARN."))?;
    let found = find_archive(call, archive).map_err(|missing| bad_archive(&missing.message))?;
    if found.bus_arn != input.destination.arn {
        return Err(Fault::validation(
            "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
        ));
    }
    Ok(())
}

fn set_timer(turn: &mut Turn<'_>, realm: &RealmId, name: &str, at: Millis) {
    let timer = Timer::Replay {
        realm: realm.clone(),
        name: name.to_owned(),
    };
    turn.world.timers.set(at, timer);
}

/// Moves a replay to its next state: it runs, is completed, or is cancelled.
pub(crate) fn step(turn: &mut Turn<'_>, realm: &RealmId, name: &str) {
    let now = turn.now;
    let Some(replay) = turn.world.realm(realm).replays.get_mut(name) else {
        return;
    };
    match replay.state.as_str() {
        "STARTING" => {
            "RUNNING".clone_into(&mut replay.state);
            let at = replay.started + 2 * STEP_MS;
            set_timer(turn, realm, name, at);
        }
        "RUNNING" => run(turn, realm, name),
        "CANCELLING" => {
            "CANCELLED".clone_into(&mut replay.state);
            replay.ended = Some(now);
        }
        _ => {}
    }
}

/// Publishes some of the archived events of a replay on their bus again, each with the replay's name in it. The rest
/// follows in the next step, which is due at once: between two steps others get the engine's lock.
fn run(turn: &mut Turn<'_>, realm: &RealmId, name: &str) {
    let now = turn.now;
    let Some((bus, rules, events, more)) = take(turn, realm, name) else {
        return;
    };
    let last = events.last().map(|event| event.time);
    turn.events = events.len();
    for event in events {
        let open = event.text.strip_suffix('}').unwrap_or(&event.text);
        let text = format!("{open},\"replay-name\":{}}}", Value::from(name)).into();
        let envelope = Envelope {
            id: event.id,
            time: event.time,
            text,
        };
        publish_to(turn, realm, &bus, envelope, &rules);
        turn.events -= 1;
    }
    if let Some(replay) = turn.world.realm(realm).replays.get_mut(name) {
        replay.last = last.or(replay.last);
        if !more {
            "COMPLETED".clone_into(&mut replay.state);
            (replay.ended, replay.left) = (Some(now), None);
        }
    }
    if more {
        set_timer(turn, realm, name, now);
    }
}

/// Takes the next events of a replay; gives its bus, its rules, the events, and whether more are left.
fn take(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    name: &str,
) -> Option<(String, Vec<String>, Vec<Archived>, bool)> {
    let now = turn.now;
    let here = turn.world.realm(realm);
    let replay = here.replays.get_mut(name)?;
    if replay.left.is_none() {
        let archive = replay.archive_arn.rsplit('/').next();
        let archive = archive.and_then(|archive| here.archives.get(archive));
        let span = replay.from..=replay.to;
        let kept = archive.into_iter().flat_map(|archive| archive.kept(now));
        let mut events: Vec<Archived> = kept.filter(|event| span.contains(&event.time)).cloned().collect();
        events.sort_by_key(|event| event.time);
        replay.left = Some(events.into());
    }
    let left = replay.left.get_or_insert_default();
    let (mut events, mut bytes) = (Vec::new(), 0);
    while events.len() < REPLAYED_MAX
        && bytes < REPLAYED_BYTES_MAX
        && let Some(event) = left.pop_front()
    {
        bytes += event.text.len();
        events.push(event);
    }
    let more = !left.is_empty();
    let bus = crate::arn::bus_name(&replay.bus_arn).to_owned();
    Some((bus, replay.rules.clone(), events, more))
}

fn cancel(call: &mut Call<'_>, input: &Name) -> Answer {
    let arn = replay_arn(call, &input.replay_name);
    let replay = find(call, &input.replay_name)?;
    if replay.state != "STARTING" && replay.state != "RUNNING" {
        let why = format!(
            "Replay {} is not in a valid state for this operation.",
            input.replay_name
        );
        return Err(Fault::new("IllegalStatusException", why));
    }
    "CANCELLING".clone_into(&mut replay.state);
    replay.left = None;
    let (realm, at) = (call.here(), call.turn.now + STEP_MS);
    set_timer(&mut call.turn, &realm, &input.replay_name, at);
    Ok(json!({ "ReplayArn": arn, "State": "CANCELLING" }))
}

fn describe(call: &mut Call<'_>, input: &Name) -> Answer {
    let arn = replay_arn(call, &input.replay_name);
    let replay = find(call, &input.replay_name)?;
    let mut answer = view(replay);
    answer["ReplayArn"] = json!(arn);
    answer["Description"] = json!(replay.description);
    let filters = (!replay.rules.is_empty()).then(|| replay.rules.clone());
    answer["Destination"] = without_nulls(json!({ "Arn": replay.bus_arn, "FilterArns": filters }));
    Ok(without_nulls(answer))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let given = [
        input.name_prefix.is_some(),
        input.event_source_arn.is_some(),
        input.state.is_some(),
    ];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(Fault::validation(
            "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix.",
        ));
    }
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let rows = call.realm().replays.iter().filter(|(name, replay)| {
        name.starts_with(prefix)
            && input
                .event_source_arn
                .as_ref()
                .is_none_or(|arn| *arn == replay.archive_arn)
            && input.state.as_ref().is_none_or(|state| *state == replay.state)
    });
    let rows = rows.map(|(name, replay)| (name.as_str(), without_nulls(view(replay))));
    let page = EVENTS_PAGES.page("ListReplays", rows, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "Replays": page.items, "NextToken": page.next }),
    ))
}

fn view(replay: &Replay) -> Value {
    let time = |at: Option<Millis>| at.map(epoch_seconds);
    json!({
        "ReplayName": replay.name,
        "EventSourceArn": replay.archive_arn,
        "State": replay.state,
        "EventStartTime": epoch_seconds(replay.from),
        "EventEndTime": epoch_seconds(replay.to),
        "EventLastReplayedTime": time(replay.last),
        "ReplayStartTime": epoch_seconds(replay.started),
        "ReplayEndTime": time(replay.ended),
    })
}

fn replay_arn(call: &Call<'_>, name: &str) -> String {
    arn(
        "events",
        &call.caller.region,
        &call.caller.account,
        &format!("replay/{name}"),
    )
}

fn find<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Replay, Fault> {
    let found = call.realm().replays.get_mut(name);
    found.ok_or_else(|| Fault::not_found(format!("Replay {name} does not exist.")))
}
