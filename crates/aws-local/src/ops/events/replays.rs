//! Replays of archived events.

use serde::Deserialize;
use serde_json::{Value, json};

use super::archives::{bus_of, find as find_archive};
use crate::arn::{Arn, arn};
use crate::clock::{Millis, epoch_seconds, read_time};
use crate::delivery::envelope::Envelope;
use crate::delivery::publish_to;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, events_page, slim};
use crate::state::RealmId;
use crate::state::archive::{Archived, Replay};
use crate::timers::Timer;

/// AWS's quota of replays at once.
const ACTIVE_MAX: usize = 10;
/// How long a replay is STARTING, then RUNNING, and how long it is CANCELLING.
const STEP_MS: Millis = 1_000;

pub(super) const OPS: &[Op] = &[
    Op::write("StartReplay", |cx, body| start(cx, parse(body)?)),
    Op::write("CancelReplay", |cx, body| cancel(cx, &parse(body)?)),
    Op::read("DescribeReplay", |cx, body| describe(cx, &parse(body)?)),
    Op::read("ListReplays", |cx, body| list(cx, &parse(body)?)),
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

fn start(cx: &mut Cx<'_>, input: Start) -> Answer {
    if cx.realm().replays.contains_key(&input.replay_name) {
        return Err(Fault::exists(format!(
            "Replay {} already exists.",
            input.replay_name
        )));
    }
    check_way(cx, &input)?;
    let bad_time = || Fault::validation("Parameter EventStartTime or EventEndTime is not valid.");
    let from = read_time(&input.event_start_time).ok_or_else(bad_time)?;
    let to = read_time(&input.event_end_time).ok_or_else(bad_time)?;
    if to <= from {
        return Err(Fault::validation(
            "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
        ));
    }
    let active = cx.realm().replays.values().filter(|replay| !replay.is_over());
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
        started: cx.now,
        ended: None,
        last: None,
    };
    let realm = cx.here();
    cx.realm().replays.insert(input.replay_name.clone(), replay);
    wake(cx, &realm, &input.replay_name, cx.now + STEP_MS);
    Ok(json!({
        "ReplayArn": replay_arn(cx, &input.replay_name),
        "State": "STARTING",
        "ReplayStartTime": epoch_seconds(cx.now),
    }))
}

/// Events go from an archive to the bus that it was made for.
fn check_way(cx: &mut Cx<'_>, input: &Start) -> Result<(), Fault> {
    bus_of(cx, "Destination.Arn", &input.destination.arn)?;
    let bad_archive =
        |why: &str| Fault::validation(format!("Parameter EventSourceArn is not valid. Reason: {why}"));
    let archive = Arn::parse(&input.event_source_arn).and_then(|arn| arn.resource.strip_prefix("archive/"));
    let archive = archive.ok_or_else(|| bad_archive("Must contain an archive ARN."))?;
    let found = find_archive(cx, archive).map_err(|missing| bad_archive(&missing.message))?;
    if found.bus_arn != input.destination.arn {
        return Err(Fault::validation(
            "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
        ));
    }
    Ok(())
}

fn wake(cx: &mut Cx<'_>, realm: &RealmId, name: &str, at: Millis) {
    let timer = Timer::Replay {
        realm: realm.clone(),
        name: name.to_owned(),
    };
    cx.world.timers.set(at, timer);
}

/// Takes a replay one step on: it runs, it is done, or it is cancelled.
pub(crate) fn step(cx: &mut Cx<'_>, realm: &RealmId, name: &str) {
    let now = cx.now;
    let Some(replay) = cx.world.realm(realm).replays.get_mut(name) else {
        return;
    };
    match replay.state.as_str() {
        "STARTING" => {
            "RUNNING".clone_into(&mut replay.state);
            let at = replay.started + 2 * STEP_MS;
            wake(cx, realm, name, at);
        }
        "RUNNING" => run(cx, realm, name),
        "CANCELLING" => {
            "CANCELLED".clone_into(&mut replay.state);
            replay.ended = Some(now);
        }
        _ => {}
    }
}

/// Brings the archived events of a replay to their bus again, each with the replay's name in it.
fn run(cx: &mut Cx<'_>, realm: &RealmId, name: &str) {
    let now = cx.now;
    let here = cx.world.realm(realm);
    let Some(replay) = here.replays.get(name).cloned() else {
        return;
    };
    let archive = replay
        .archive_arn
        .rsplit('/')
        .next()
        .and_then(|archive| here.archives.get(archive));
    let span = replay.from..=replay.to;
    let mut events: Vec<Archived> = archive
        .into_iter()
        .flat_map(|archive| archive.kept(now))
        .filter(|event| span.contains(&event.time))
        .cloned()
        .collect();
    events.sort_by_key(|event| event.time);
    let last = events.last().map(|event| event.time);
    let bus = crate::arn::bus_name(&replay.bus_arn).to_owned();
    for event in events {
        let open = event.text.strip_suffix('}').unwrap_or(&event.text);
        let text = format!("{open},\"replay-name\":{}}}", Value::from(name)).into();
        let envelope = Envelope {
            id: event.id,
            time: event.time,
            text,
        };
        publish_to(cx, realm, &bus, envelope, &replay.rules);
    }
    if let Some(replay) = cx.world.realm(realm).replays.get_mut(name) {
        "COMPLETED".clone_into(&mut replay.state);
        (replay.ended, replay.last) = (Some(now), last);
    }
}

fn cancel(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let arn = replay_arn(cx, &input.replay_name);
    let replay = find(cx, &input.replay_name)?;
    if replay.state != "STARTING" && replay.state != "RUNNING" {
        let why = format!(
            "Replay {} is not in a valid state for this operation.",
            input.replay_name
        );
        return Err(Fault::new("IllegalStatusException", why));
    }
    "CANCELLING".clone_into(&mut replay.state);
    let (realm, at) = (cx.here(), cx.now + STEP_MS);
    wake(cx, &realm, &input.replay_name, at);
    Ok(json!({ "ReplayArn": arn, "State": "CANCELLING" }))
}

fn describe(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let arn = replay_arn(cx, &input.replay_name);
    let replay = find(cx, &input.replay_name)?;
    let mut answer = view(replay);
    answer["ReplayArn"] = json!(arn);
    answer["Description"] = json!(replay.description);
    let filters = (!replay.rules.is_empty()).then(|| replay.rules.clone());
    answer["Destination"] = slim(json!({ "Arn": replay.bus_arn, "FilterArns": filters }));
    Ok(slim(answer))
}

fn list(cx: &mut Cx<'_>, input: &List) -> Answer {
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
    let rows = cx.realm().replays.iter().filter(|(name, replay)| {
        name.starts_with(prefix)
            && input
                .event_source_arn
                .as_ref()
                .is_none_or(|arn| *arn == replay.archive_arn)
            && input.state.as_ref().is_none_or(|state| *state == replay.state)
    });
    let rows = rows.map(|(name, replay)| (name.as_str(), slim(view(replay))));
    let page = events_page("ListReplays", rows, input.next_token.as_deref(), input.limit)?;
    Ok(slim(json!({ "Replays": page.items, "NextToken": page.next })))
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

fn replay_arn(cx: &Cx<'_>, name: &str) -> String {
    arn(
        "events",
        &cx.caller.region,
        &cx.caller.account,
        &format!("replay/{name}"),
    )
}

fn find<'c>(cx: &'c mut Cx<'_>, name: &str) -> Result<&'c mut Replay, Fault> {
    let found = cx.realm().replays.get_mut(name);
    found.ok_or_else(|| Fault::not_found(format!("Replay {name} does not exist.")))
}
