//! Subscribers of custom event buses.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::arns::{bus, check_state, here, named, source, subscriber, subscriber_arn};
use super::faults::{concurrent, exists, invalid, limit, missing, state};
use super::subscriber_input::{Start, check_batch, check_invoke, read_filters, read_start};
use super::tags;
use super::token::{Made, once};
use crate::assumptions::EmptyOnFailure;
use crate::clock::{DAY, Millis, epoch_seconds};
use crate::delivery::custom_bus::{To, run};
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Call, EVENTSV2_PAGES, Op, Operation, without_nulls};
use crate::state::Tags;
use crate::state::custom_bus::{
    Batching, BusState, CustomBus, Deliveries, Delivering, FilterSet, Ordering, Program, Retry, Subscriber,
    new_id,
};
use crate::state::rule::Target;

/// AWS's default quota of subscribers of a bus.
const SUBSCRIBERS_MAX: usize = 10_000;
/// How often the filters of a subscriber may be changed within a day.
const FILTER_CHANGES_MAX: usize = 24;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateSubscriber", |call, input| {
        once(call, "CreateSubscriber", input, create)
    }),
    &Op::write("DeleteSubscriber", |call, input| delete(call, &input)),
    &Op::write("UpdateSubscriber", update),
    &Op::read("DescribeSubscriber", |call, input| describe(call, &input)),
    &Op::read("ListSubscribers", |call, input| list(call, &input)),
    &Op::write("RevokeResource", |call, input| revoke(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    event_bus_arn: String,
    invoke_configuration: Value,
    #[serde(rename = "Type")]
    ordering: Option<Ordering>,
    starting_position: Option<String>,
    point_in_time_configuration: Option<Value>,
    #[serde(default)]
    tags: Tags,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    subscriber_arn: String,
    resume_position: Option<String>,
    invoke_configuration: Option<Value>,
    #[serde(flatten)]
    settings: Settings,
}

/// What can be changed. A block that is given replaces the one that is there, whole.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    description: Option<String>,
    filter_configuration: Option<Value>,
    batch_configuration: Option<Value>,
    transformer: Option<Value>,
    retry_policy: Option<RetryPolicy>,
    on_failure_configuration: Option<OnFailure>,
    log_configuration: Option<Value>,
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RetryPolicy {
    max_retry_attempts: Option<u32>,
    max_event_age_in_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnFailure {
    arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    subscriber_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Revoke {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    event_bus_arn: Option<String>,
    name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

impl Settings {
    fn check(&self, invoke: &Value) -> Result<(), Fault> {
        match &self.transformer {
            Some(transformer) => check_transformer(transformer, invoke),
            None => Ok(()),
        }
    }

    /// What was accepted once is not refused by rules that came later.
    fn check_batch(&self, invoke: &Value, stored: bool) -> Result<(), Fault> {
        if stored {
            return Ok(());
        }
        let target = invoke.get("TargetArn").and_then(Value::as_str);
        check_batch(target.unwrap_or_default(), self.batch_configuration.as_ref())
    }

    /// An `OnFailureConfiguration` without an ARN, as it is assumed to be read.
    fn read_on_failure(&mut self, reading: EmptyOnFailure) -> Result<(), Fault> {
        let given = self.on_failure_configuration.as_ref();
        if given.is_none_or(|queue| queue.arn.is_some()) {
            return Ok(());
        }
        match reading {
            EmptyOnFailure::Removed => {}
            EmptyOnFailure::Kept => self.on_failure_configuration = None,
            EmptyOnFailure::Refused => return Err(invalid("OnFailureConfiguration.Arn is required.")),
        }
        Ok(())
    }

    /// Everything but filters and state.
    fn write(self, to: &mut Subscriber) {
        if let Some(description) = self.description {
            to.description = Some(description).filter(|text| !text.is_empty());
        }
        to.batch = self.batch_configuration.or_else(|| to.batch.take());
        to.transformer = self.transformer.or_else(|| to.transformer.take());
        to.log = self.log_configuration.or_else(|| to.log.take());
        if let Some(policy) = self.retry_policy {
            let default = Retry::default();
            to.retry = Retry {
                attempts_max: policy.max_retry_attempts.unwrap_or(default.attempts_max),
                age_seconds_max: policy.max_event_age_in_seconds.unwrap_or(default.age_seconds_max),
            };
        }
        if let Some(queue) = self.on_failure_configuration {
            to.dead_letter = queue.arn;
        }
    }
}

fn check_transformer(transformer: &Value, invoke: &Value) -> Result<(), Fault> {
    let kind = transformer.get("Type").and_then(Value::as_str).unwrap_or("RAW");
    let jsonata = transformer.get("JsonataConfiguration");
    match (kind, jsonata) {
        ("JSONATA", None) => {
            return Err(invalid(
                "Transformer.JsonataConfiguration is required when Type is JSONATA",
            ));
        }
        ("RAW" | "WITH_METADATA", Some(_)) => {
            return Err(invalid(format!(
                "Transformer.JsonataConfiguration must not be provided when Type is {kind}"
            )));
        }
        _ => {}
    }
    let target = invoke
        .get("TargetArn")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if target.contains(":event-bus/") && kind != "RAW" {
        return Err(invalid(
            "Transformer must be RAW for a target that is a Classic event bus",
        ));
    }
    if target.contains(":aws-sdk:") && kind != "RAW" {
        return Err(invalid("Transformer is not supported for USI targets"));
    }
    Ok(())
}

/// What was accepted once is not refused by rules that came later.
fn check_program(program: &Program, stored: bool) -> Result<(), Fault> {
    let problem = if stored { None } else { program.problem() };
    problem.map_or(Ok(()), |problem| Err(invalid(problem)))
}

fn create(call: &mut Call<'_>, input: Value) -> Result<Made, Fault> {
    let mut input: Create = parse(input)?;
    let (now, realm) = (call.turn.now, call.here());
    let takes = call.turn.world.assumptions.subscriber_change_ms;
    let (filters, start) = check(call, &input)?;
    let empty = call.turn.world.assumptions.empty_on_failure;
    input.settings.read_on_failure(empty)?;
    if here(call)?.bus_of_subscriber(&input.name).is_some() {
        return Err(exists("Subscriber", &input.name));
    }
    change_subscribers(bus(call, &input.event_bus_arn)?, now, takes)?;
    let id = new_id(&mut call.turn.dice);
    let found = bus(call, &input.event_bus_arn)?;
    if found.subscribers.len() >= SUBSCRIBERS_MAX {
        return Err(limit(format!(
            "An event bus can have {SUBSCRIBERS_MAX} subscribers."
        )));
    }
    let (name, bus_arn) = (input.name.clone(), input.event_bus_arn.clone());
    let (next, from, replayed_to, end) = match start {
        Start::Latest => (found.log.count + 1, now, 0, None),
        Start::At { from, end } => (found.log.number_at(from), from, found.log.count, end),
    };
    let arn = subscriber_arn(&realm, &name, &id);
    let new = Subscriber {
        next: Some(next),
        from,
        replayed_to,
        end,
        filters,
        ..input.subscriber(&arn, id, now)
    };
    let mut answer = view(&bus_arn, &new);
    if let Some(members) = answer.as_object_mut() {
        members.remove("LastModifiedTime");
    }
    let bus_name = found.name.clone();
    here(call)?.add_subscriber(&bus_name, new);
    let to = To {
        realm: &realm,
        bus: &bus_name,
        name: &name,
    };
    run(&mut call.turn, &to);
    Ok(Made { arn, answer })
}

/// Checks what is asked for, in AWS's order; gives the filters and where the subscriber begins.
fn check(call: &mut Call<'_>, input: &Create) -> Result<(FilterSet, Start), Fault> {
    let (now, realm, stored) = (call.turn.now, call.here(), call.stored);
    tags::check(&input.tags)?;
    let found = bus(call, &input.event_bus_arn)?;
    check_state(
        found,
        now,
        "CreateSubscriber",
        &[BusState::Active, BusState::Updating],
    )?;
    let window = found.window_start(now);
    check_invoke(&realm, &input.event_bus_arn, &input.invoke_configuration, stored)?;
    let filters = match &input.settings.filter_configuration {
        Some(given) if given.get("Filters").is_none() => {
            return Err(invalid(
                "FilterConfiguration must have Filters; leave it out to receive every event",
            ));
        }
        Some(given) => read_filters(given, stored)?,
        None => FilterSet::default(),
    };
    let start = read_start(
        input.starting_position.as_deref(),
        input.point_in_time_configuration.as_ref(),
        window,
        now,
    )?;
    input.settings.check(&input.invoke_configuration)?;
    input.settings.check_batch(&input.invoke_configuration, stored)?;
    let program = Program::new(input.settings.transformer.as_ref(), &input.invoke_configuration);
    check_program(&program, stored)?;
    Ok((filters, start))
}

impl Create {
    /// A subscriber without filters that follows its bus.
    fn subscriber(self, arn: &str, id: String, now: Millis) -> Subscriber {
        let mut new = Subscriber {
            id,
            arn: arn.into(),
            target: target(&self.name, &self.invoke_configuration),
            name: self.name,
            invoke: self.invoke_configuration,
            description: None,
            filters: FilterSet::default(),
            ordering: self.ordering.unwrap_or(Ordering::Unordered),
            point_in_time: self.point_in_time_configuration,
            batch: None,
            transformer: None,
            program: Program::default(),
            retry: Retry::default(),
            dead_letter: None,
            log: None,
            running: self.settings.state.as_deref() != Some("STOPPED"),
            revoked: false,
            tags: self.tags,
            created: now,
            modified: now,
            filter_changes: Vec::new(),
            next: None,
            from: now,
            replayed_to: 0,
            end: None,
            deliveries: Deliveries::default(),
            metrics: Delivering::default(),
        };
        self.settings.write(&mut new);
        new.program = Program::new(new.transformer.as_ref(), &new.invoke);
        new
    }
}

/// One subscriber of a bus is created or deleted at a time.
fn change_subscribers(bus: &mut CustomBus, now: i64, takes: i64) -> Result<(), Fault> {
    if now < bus.subscribers_busy_until {
        return Err(concurrent(
            "Another subscriber of the event bus is being created or deleted: try again when that is done.",
        ));
    }
    bus.subscribers_busy_until = now + takes;
    Ok(())
}

/// The target in the form that stories and invocations show.
fn target(name: &str, invoke: &Value) -> Arc<Target> {
    let text = |member: &str| invoke.get(member).and_then(Value::as_str).map(str::to_owned);
    Arc::new(Target {
        id: name.to_owned(),
        arn: text("TargetArn").unwrap_or_default(),
        role_arn: text("RoleArn"),
        ..Target::default()
    })
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    let (now, takes) = (call.turn.now, call.turn.world.assumptions.subscriber_change_ms);
    let name = subscriber(call, &input.subscriber_arn)?.name.clone();
    let here = here(call)?;
    let found = here.bus_of_subscriber(&name);
    let found = found.ok_or_else(|| missing("Subscriber", &input.subscriber_arn))?;
    change_subscribers(found, now, takes)?;
    here.remove_subscriber(&name);
    here.forget(&input.subscriber_arn);
    Ok(json!({}))
}

fn update(call: &mut Call<'_>, mut input: Update) -> Answer {
    let (now, realm, stored) = (call.turn.now, call.here(), call.stored);
    let name = subscriber(call, &input.subscriber_arn)?.name.clone();
    let found = here(call)?.bus_of_subscriber(&name);
    let found = found.ok_or_else(|| missing("Subscriber", &input.subscriber_arn))?;
    let allowed = [BusState::Active, BusState::Updating];
    check_state(found, now, "UpdateSubscriber", &allowed)?;
    let (bus_name, bus_arn, latest) = (
        found.name.clone(),
        super::arns::bus_arn(&realm, found),
        found.log.count,
    );
    let found = subscriber(call, &input.subscriber_arn)?;
    if found.revoked {
        return Err(state("The subscriber is revoked: it can only be deleted."));
    }
    let mut changed = found.clone();
    if let Some(mut invoke) = input.invoke_configuration {
        // The target cannot be changed, and the request has none.
        invoke["TargetArn"] = changed.invoke["TargetArn"].clone();
        check_invoke(&realm, &bus_arn, &invoke, stored)?;
        changed.target = target(&name, &invoke);
        changed.invoke = invoke;
    }
    change_filters(
        &mut changed,
        input.settings.filter_configuration.as_ref(),
        now,
        stored,
    )?;
    input.settings.check(&changed.invoke)?;
    let empty = call.turn.world.assumptions.empty_on_failure;
    input.settings.read_on_failure(empty)?;
    if input.settings.batch_configuration.is_some() {
        input.settings.check_batch(&changed.invoke, stored)?;
    }
    let running = input
        .settings
        .state
        .as_deref()
        .map_or(changed.running, |state| state == "RUNNING");
    if running && !changed.running && input.resume_position.as_deref() == Some("LATEST") {
        changed.skip_to(latest);
    }
    if running {
        changed.running = true;
    } else {
        changed.stop(latest);
    }
    input.settings.write(&mut changed);
    changed.program = Program::new(changed.transformer.as_ref(), &changed.invoke);
    check_program(&changed.program, stored)?;
    changed.modified = now;
    let mut answer = view(&bus_arn, &changed);
    if let Some(members) = answer.as_object_mut() {
        members.remove("CreationTime");
    }
    *subscriber(call, &input.subscriber_arn)? = changed;
    if let Some(bus) = here(call)?.buses.get_mut(&bus_name) {
        bus.subscriber_changed(&name);
    }
    let to = To {
        realm: &realm,
        bus: &bus_name,
        name: &name,
    };
    run(&mut call.turn, &to);
    Ok(answer)
}

/// Other filters than before count against a day's limit; the same ones do not.
fn change_filters(to: &mut Subscriber, given: Option<&Value>, now: i64, stored: bool) -> Result<(), Fault> {
    let Some(given) = given else { return Ok(()) };
    let filters = read_filters(given, stored)?;
    if filters.texts == to.filters.texts {
        return Ok(());
    }
    to.filter_changes.retain(|at| now - at < DAY);
    if to.filter_changes.len() >= FILTER_CHANGES_MAX {
        return Err(limit(format!(
            "FILTER_CHANGE_LIMIT_EXCEEDED: the filters of a subscriber can be changed {FILTER_CHANGES_MAX} times in 24 hours"
        )));
    }
    to.filter_changes.push(now);
    to.filters = filters;
    Ok(())
}

fn describe(call: &mut Call<'_>, input: &Named) -> Answer {
    let realm = call.here();
    let found = subscriber(call, &input.subscriber_arn)?.clone();
    let bus = here(call)?.bus_of_subscriber(&found.name);
    let bus_arn = bus
        .map(|bus| super::arns::bus_arn(&realm, bus))
        .unwrap_or_default();
    let mut all = view(&bus_arn, &found);
    let filter = |(scope, pattern): &(String, String)| json!({ "Scope": scope, "Pattern": pattern });
    let filters: Vec<Value> = found.filters.texts.iter().map(filter).collect();
    let described = json!({
        "InvokeConfiguration": found.invoke,
        "Description": found.description,
        "FilterConfiguration": (!filters.is_empty())
            .then(|| json!({ "Language": "EVENT_BRIDGE_PATTERN", "Filters": filters })),
        "BatchConfiguration": batch(&found),
        "Transformer": found.transformer.unwrap_or_else(|| json!({ "Type": "RAW" })),
        "RetryPolicy": {
            "MaxRetryAttempts": found.retry.attempts_max,
            "MaxEventAgeInSeconds": found.retry.age_seconds_max,
            "RetryStrategy": "ALL",
        },
        "OnFailureConfiguration": found.dead_letter.map(|arn| json!({ "Arn": arn })),
        "LogConfiguration": found.log,
        "Revoked": found.revoked.then_some(true),
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, described) {
        all.extend(more);
    }
    Ok(without_nulls(all))
}

fn batch(subscriber: &Subscriber) -> Value {
    let Batching { size, window, .. } = Batching::of(&subscriber.target.arn, subscriber.batch.as_ref());
    json!({ "MaxBatchSize": size, "MaxBatchWindowInSeconds": window / 1_000 })
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let realm = call.here();
    if let Some(arn) = &input.event_bus_arn {
        bus(call, arn)?;
    }
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let mut rows = BTreeMap::new();
    for bus in here(call)?.buses.values() {
        let bus_arn = super::arns::bus_arn(&realm, bus);
        if input
            .event_bus_arn
            .as_ref()
            .is_some_and(|asked| *asked != bus_arn)
        {
            continue;
        }
        for (name, subscriber) in bus
            .subscribers
            .iter()
            .filter(|(name, _)| name.starts_with(prefix))
        {
            let mut row = view(&bus_arn, subscriber);
            if let Some(members) = row.as_object_mut() {
                members.remove("StartingPosition");
                members.remove("PointInTimeConfiguration");
            }
            row["TargetArn"] = json!(subscriber.target.arn);
            row["SubscriberAccountId"] = json!(realm.account());
            if subscriber.revoked {
                row["Revoked"] = json!(true);
            }
            rows.insert(name.clone(), row);
        }
    }
    let rows = rows.iter().map(|(name, row)| (name.as_str(), row.clone()));
    let page = EVENTSV2_PAGES.page(
        "ListSubscribers",
        rows,
        input.next_token.as_deref(),
        input.max_results,
    )?;
    Ok(without_nulls(
        json!({ "Subscribers": page.items, "NextToken": page.next }),
    ))
}

/// Takes a subscriber or an event source off a bus, for good; only its owner can delete it.
fn revoke(call: &mut Call<'_>, input: &Revoke) -> Answer {
    if named(call, &input.arn)?.kind == "subscriber" {
        let found = subscriber(call, &input.arn)?;
        found.revoked = true;
        let name = found.name.clone();
        if let Some(bus) = here(call)?.bus_of_subscriber(&name) {
            bus.subscriber_changed(&name);
        }
    } else {
        source(call, &input.arn)?.revoked = true;
    }
    Ok(json!({ "Arn": input.arn }))
}

/// What creation, update, description and listing have in common.
fn view(bus_arn: &str, subscriber: &Subscriber) -> Value {
    let is_late = subscriber.point_in_time.is_some();
    without_nulls(json!({
        "SubscriberArn": subscriber.arn,
        "Name": subscriber.name,
        "EventBusArn": bus_arn,
        "Type": subscriber.ordering,
        "StartingPosition": if is_late { "POINT_IN_TIME" } else { "LATEST" },
        "PointInTimeConfiguration": subscriber.point_in_time,
        "State": if subscriber.running { "RUNNING" } else { "STOPPED" },
        "CreationTime": epoch_seconds(subscriber.created),
        "LastModifiedTime": epoch_seconds(subscriber.modified),
    }))
}
