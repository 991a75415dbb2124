//! Rules, and the pattern test.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::DEFAULT_BUS;
use super::buses::find as find_bus;
use super::pattern::{GivenPattern, compile};
use super::tags::{TagList, read_tags};
use crate::arn;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::schedule::Schedule;
use crate::state::bus::Bus;
use crate::state::rule::Rule;
use crate::state::timers::Timer;

/// AWS's default quota of rules on a bus.
const RULES_MAX: usize = 300;
/// What the compiled patterns of a bus may take in memory, estimated; they take about as much again in its matcher.
const PATTERN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The state of a rule that matches CloudTrail's management events too.
const MANAGEMENT_EVENTS: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutRule", put).prepared(|input| GivenPattern::compile_if_any(&mut input.event_pattern)),
    &Op::write("DeleteRule", |call, input| delete(call, &input)),
    &Op::write("EnableRule", |call, input| set_state(call, &input, "ENABLED")),
    &Op::write("DisableRule", |call, input| set_state(call, &input, "DISABLED")),
    &Op::read("DescribeRule", |call, input| describe(call, &input)),
    &Op::read("ListRules", |call, input| list(call, &input)),
    &Op::read("ListRuleNamesByTarget", |call, input| by_target(call, &input)),
    &Op::read("TestEventPattern", |_, input: TestPattern| {
        input
            .result
            .unwrap_or_else(|| test_pattern(&input.event_pattern, &input.event))
    })
    .prepared(|input| input.result = Some(test_pattern(&input.event_pattern, &input.event))),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    name: String,
    schedule_expression: Option<String>,
    event_pattern: Option<GivenPattern>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    tags: Option<TagList>,
    event_bus_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByName {
    name: String,
    event_bus_name: Option<String>,
    /// Of DeleteRule: managed rules are deleted too.
    force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByTarget {
    target_arn: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TestPattern {
    event_pattern: String,
    event: String,
    /// It depends on no state.
    #[serde(skip)]
    result: Option<Answer>,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let here = call.caller.clone();
    let tags = read_tags(input.tags.clone().unwrap_or_default())?;
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    check(&input, bus)?;
    let before = bus.rules_mut().remove(&input.name);
    let (tags, targets, places) = before.map_or_else(
        || (tags, BTreeMap::new(), BTreeMap::new()),
        |old| (old.tags, old.targets, old.places),
    );
    let rule = Rule {
        name: input.name.clone(),
        pattern: input
            .event_pattern
            .filter(|given| !given.is_empty())
            .map(GivenPattern::into_pattern),
        schedule: input.schedule_expression.filter(|text| !text.is_empty()),
        state: input.state.unwrap_or_else(|| "ENABLED".to_owned()),
        next_fire: None,
        description: input.description,
        role_arn: input.role_arn,
        created_by: here.account.clone(),
        managed_by: None,
        tags,
        targets,
        places,
    };
    bus.rules_mut().insert(input.name.clone(), rule);
    let bus = bus.name.clone();
    wind(call, &bus, &input.name);
    Ok(json!({ "RuleArn": arn::rule(&here.region, &here.account, &bus, &input.name) }))
}

/// What AWS refuses of a rule on a bus.
fn check(input: &Put, bus: &Bus) -> Result<(), Fault> {
    let pattern = input.event_pattern.as_ref().filter(|given| !given.is_empty());
    let schedule = input
        .schedule_expression
        .as_deref()
        .filter(|text| !text.is_empty());
    if pattern.is_none() && schedule.is_none() {
        return Err(Fault::validation(
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ));
    }
    if schedule.is_some() && bus.name != DEFAULT_BUS {
        return Err(Fault::validation(
            "ScheduleExpression is supported only on the default event bus.",
        ));
    }
    if schedule.is_some_and(|text| Schedule::parse(text).is_none()) {
        return Err(Fault::validation("Parameter ScheduleExpression is not valid."));
    }
    let bytes = pattern.map_or(Ok(None), GivenPattern::check)?;
    if input.state.as_deref() == Some(MANAGEMENT_EVENTS) && bus.name.starts_with("aws.partner/") {
        return Err(Fault::validation(format!(
            "Parameter State is not valid. Reason: {MANAGEMENT_EVENTS} does not apply to partner event buses."
        )));
    }
    if let Some(service) = &bus.managed_by {
        let why = format!(
            "The event bus {} is managed by {service}: rules cannot be put on it.",
            bus.name
        );
        return Err(Fault::new("ManagedRuleException", why));
    }
    match bus.rules.get(&input.name) {
        Some(rule) => unmanaged(rule, false)?,
        None if bus.rules.len() >= RULES_MAX => return Err(Fault::quota()),
        None => {}
    }
    match bytes {
        Some(bytes) if bus.pattern_bytes_without(&input.name) + bytes > PATTERN_BYTES_MAX => {
            Err(Fault::quota())
        }
        _ => Ok(()),
    }
}

/// A managed rule may be changed by its service only, unless a call forces it.
pub(super) fn unmanaged(rule: &Rule, force: bool) -> Result<(), Fault> {
    if force || rule.managed_by.is_none() {
        return Ok(());
    }
    let why = format!(
        "Rule {} is managed by an AWS service can only be modified if force is specified.",
        rule.name
    );
    Err(Fault::new("ManagedRuleException", why))
}

/// Sets the timer of a rule with a schedule.
fn wind(call: &mut Call<'_>, bus: &str, name: &str) {
    let (now, realm) = (call.turn.now, call.here());
    let rule = call
        .realm()
        .buses
        .get_mut(bus)
        .and_then(|bus| bus.rules.get_mut(name));
    if let Some(at) = rule.and_then(|rule| rule.schedule_next(now)) {
        call.turn.world.timers.set(
            at,
            Timer::Schedule {
                realm,
                rule: name.to_owned(),
            },
        );
    }
}

fn delete(call: &mut Call<'_>, input: &ByName) -> Answer {
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    if let Some(rule) = bus.rules.get(&input.name) {
        unmanaged(rule, input.force == Some(true))?;
        if !rule.targets.is_empty() {
            return Err(Fault::validation("Rule can't be deleted since it has targets."));
        }
    }
    bus.rules_mut().remove(&input.name);
    Ok(json!({}))
}

fn set_state(call: &mut Call<'_>, input: &ByName, state: &str) -> Answer {
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    unmanaged(find(bus, &input.name)?, false)?;
    if let Some(rule) = bus.rules_mut().get_mut(&input.name) {
        state.clone_into(&mut rule.state);
    }
    let bus = bus.name.clone();
    wind(call, &bus, &input.name);
    Ok(json!({}))
}

fn describe(call: &mut Call<'_>, input: &ByName) -> Answer {
    let here = call.caller.clone();
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let rule = find(bus, &input.name)?;
    let mut answer = view(rule, &bus.name, &here);
    answer["CreatedBy"] = json!(rule.created_by);
    Ok(answer)
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let here = call.caller.clone();
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let rules = bus
        .rules
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, rule)| (name.as_str(), view(rule, &bus.name, &here)));
    let page = EVENTS_PAGES.page("ListRules", rules, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "Rules": page.items, "NextToken": page.next }),
    ))
}

fn by_target(call: &mut Call<'_>, input: &ByTarget) -> Answer {
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let rules = bus
        .rules
        .iter()
        .filter(|(_, rule)| rule.targets.values().any(|target| target.arn == input.target_arn))
        .map(|(name, _)| (name.as_str(), name.clone()));
    let page = EVENTS_PAGES.page(
        "ListRuleNamesByTarget",
        rules,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "RuleNames": page.items, "NextToken": page.next }),
    ))
}

/// What every event has, whatever the values. AWS's model names `resources` too, but AWS takes events without them.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only their being there counts")]
struct Mandatory {
    id: IgnoredAny,
    account: IgnoredAny,
    source: IgnoredAny,
    time: IgnoredAny,
    region: IgnoredAny,
    #[serde(rename = "detail-type")]
    detail_type: IgnoredAny,
}

fn test_pattern(pattern: &str, event: &str) -> Answer {
    let pattern = compile(pattern)?;
    let refused = || Fault::validation("Parameter Event is not valid.");
    let result = pattern.matches(event).map_err(|_| refused())?;
    // Values are skipped: the pattern's JSON reader accepts more than a tree of values can hold.
    let mut event = serde_json::Deserializer::from_str(event);
    Mandatory::deserialize(&mut event).map_err(|_| refused())?;
    Ok(json!({ "Result": result }))
}

fn view(rule: &Rule, bus: &str, here: &Caller) -> Value {
    without_nulls(json!({
        "Name": rule.name,
        "Arn": arn::rule(&here.region, &here.account, bus, &rule.name),
        "EventPattern": rule.pattern,
        "ScheduleExpression": rule.schedule,
        "State": rule.state,
        "Description": rule.description,
        "RoleArn": rule.role_arn,
        "ManagedBy": rule.managed_by,
        "EventBusName": bus,
    }))
}

/// The rule of that name on a bus.
pub(super) fn find<'b>(bus: &'b Bus, name: &str) -> Result<&'b Rule, Fault> {
    bus.rules.get(name).ok_or_else(|| missing(name, &bus.name))
}

/// AWS's refusal of a rule that does not exist.
pub(super) fn missing(name: &str, bus: &str) -> Fault {
    Fault::not_found(format!("Rule {name} does not exist on EventBus {bus}."))
}
