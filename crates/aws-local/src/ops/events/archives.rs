//! Archives of a bus's events.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::buses::find as find_bus;
use super::pattern::GivenPattern;
use crate::arn::{self as arns, Arn};
use crate::clock::{Millis, epoch_seconds};
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::Tags;
use crate::state::archive::Archive;
use crate::state::bus::Bus;
use crate::state::pattern::EventPattern;
use crate::state::rule::{ARCHIVER, InputTransformer, Rule, Target};

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateArchive", create)
        .prepared(|input| GivenPattern::compile_if_any(&mut input.event_pattern)),
    &Op::write("UpdateArchive", update)
        .prepared(|input| GivenPattern::compile_if_any(&mut input.event_pattern)),
    &Op::write("DeleteArchive", |call, input| delete(call, &input)),
    &Op::read("DescribeArchive", |call, input| describe(call, &input)),
    &Op::read("ListArchives", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    archive_name: String,
    event_source_arn: String,
    description: Option<String>,
    event_pattern: Option<GivenPattern>,
    retention_days: Option<i64>,
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    archive_name: String,
    description: Option<String>,
    event_pattern: Option<GivenPattern>,
    retention_days: Option<i64>,
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    archive_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    event_source_arn: Option<String>,
    state: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    if call.realm().archives.contains_key(&input.archive_name) {
        return Err(Fault::exists(format!(
            "Archive {} already exists.",
            input.archive_name
        )));
    }
    bus_of(call, "EventSourceArn", &input.event_source_arn)?;
    check_pattern(input.event_pattern.as_ref())?;
    let mut archive = Archive::new(&input.archive_name, &input.event_source_arn, call.turn.now);
    archive.description = input.description;
    archive.pattern = input.event_pattern.map(GivenPattern::into_pattern);
    archive.retention_days = input.retention_days.unwrap_or(0);
    archive.kms_key = input.kms_key_identifier;
    let rule = managed_rule(call, &archive);
    let bus = bus_of(call, "EventSourceArn", &input.event_source_arn)?;
    if bus.rules.contains_key(&rule.name) {
        return Err(Fault::exists(format!("Rule {} already exists.", rule.name)));
    }
    bus.rules_mut().insert(rule.name.clone(), rule);
    call.realm().archives.insert(input.archive_name.clone(), archive);
    receipt(call, &input.archive_name)
}

/// The rule that AWS shows on the bus for an archive: it matches all events but replayed ones.
fn managed_rule(call: &mut Call<'_>, archive: &Archive) -> Rule {
    let id = call.turn.dice.uuid();
    let text = archive.pattern.as_ref().map_or("{}", |pattern| pattern.text());
    let mut pattern: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({}));
    pattern["replay-name"] = json!([{ "exists": false }]);
    let arn = archive_arn(call, &archive.name);
    let target = Target {
        id: archive.rule_name(),
        arn: arns::arn("events", &call.caller.region, "", ":"),
        input_transformer: Some(InputTransformer {
            input_paths_map: Some(BTreeMap::new()),
            input_template: format!(
                r#"{{"archive-arn": "{arn}:{id}", "event": <aws.events.event.json>, "ingestion-time": <aws.events.event.ingestion-time>}}"#
            ),
        }),
        ..Target::default()
    };
    Rule {
        name: archive.rule_name(),
        pattern: Some(EventPattern::new(&pattern.to_string())),
        schedule: None,
        state: "ENABLED".to_owned(),
        next_fire: None,
        description: None,
        role_arn: None,
        created_by: call.caller.account.clone(),
        managed_by: Some(ARCHIVER.to_owned()),
        tags: Tags::new(),
        targets: BTreeMap::from([(target.id.clone(), Arc::new(target))]),
        places: BTreeMap::new(),
    }
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    check_pattern(input.event_pattern.as_ref())?;
    let archive = find(call, &input.archive_name)?;
    if let Some(given) = input.event_pattern {
        archive.pattern = Some(given.into_pattern());
    }
    archive.description = input.description.or_else(|| archive.description.clone());
    archive.retention_days = input.retention_days.unwrap_or(archive.retention_days);
    archive.kms_key = input.kms_key_identifier.or_else(|| archive.kms_key.clone());
    let archive = find(call, &input.archive_name)?.outline();
    let rule = managed_rule(call, &archive);
    if let Ok(bus) = bus_of(call, "EventSourceArn", &archive.bus_arn) {
        bus.rules_mut().insert(rule.name.clone(), rule);
    }
    receipt(call, &input.archive_name)
}

fn delete(call: &mut Call<'_>, input: &Name) -> Answer {
    let archive = find(call, &input.archive_name)?.outline();
    if let Ok(bus) = bus_of(call, "EventSourceArn", &archive.bus_arn) {
        bus.rules_mut().remove(&archive.rule_name());
    }
    if let Some(archive) = call.realm().archives.remove(&input.archive_name) {
        call.turn.dropped.push(Box::new(archive));
    }
    Ok(json!({}))
}

fn describe(call: &mut Call<'_>, input: &Name) -> Answer {
    let (now, arn) = (call.turn.now, archive_arn(call, &input.archive_name));
    let archive = find(call, &input.archive_name)?;
    let mut answer = view(archive, now);
    answer["ArchiveArn"] = json!(arn);
    answer["Description"] = json!(archive.description);
    answer["EventPattern"] = json!(archive.pattern);
    answer["KmsKeyIdentifier"] = json!(archive.kms_key);
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
            "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.",
        ));
    }
    if let Some(bus) = &input.event_source_arn {
        bus_of(call, "EventSourceArn", bus)?;
    }
    let now = call.turn.now;
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let rows = call.realm().archives.iter().filter(|(name, archive)| {
        name.starts_with(prefix)
            && input
                .event_source_arn
                .as_ref()
                .is_none_or(|arn| *arn == archive.bus_arn)
            && input.state.as_deref().is_none_or(|state| state == "ENABLED")
    });
    let rows = rows.map(|(name, archive)| (name.as_str(), view(archive, now)));
    let page = EVENTS_PAGES.page("ListArchives", rows, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "Archives": page.items, "NextToken": page.next }),
    ))
}

fn check_pattern(given: Option<&GivenPattern>) -> Result<(), Fault> {
    given.map_or(Ok(()), |given| given.check().map(|_| ()))
}

/// The caller's bus that a parameter names by its ARN.
pub(super) fn bus_of<'c>(call: &'c mut Call<'_>, parameter: &str, text: &str) -> Result<&'c mut Bus, Fault> {
    if Arn::parse(text).and_then(|arn| arn.event_bus()).is_none() {
        return Err(Fault::validation(format!(
            "Parameter {parameter} is not valid. Reason: Must contain an event bus ARN."
        )));
    }
    find_bus(call, text)
}

fn view(archive: &Archive, now: Millis) -> Value {
    let (count, bytes) = archive.size(now);
    json!({
        "ArchiveName": archive.name,
        "EventSourceArn": archive.bus_arn,
        "State": "ENABLED",
        "RetentionDays": archive.retention_days,
        "SizeBytes": bytes,
        "EventCount": count,
        "CreationTime": epoch_seconds(archive.created),
    })
}

fn receipt(call: &mut Call<'_>, name: &str) -> Answer {
    let arn = archive_arn(call, name);
    let created = find(call, name)?.created;
    Ok(json!({ "ArchiveArn": arn, "State": "ENABLED", "CreationTime": epoch_seconds(created) }))
}

fn archive_arn(call: &Call<'_>, name: &str) -> String {
    arns::arn(
        "events",
        &call.caller.region,
        &call.caller.account,
        &format!("archive/{name}"),
    )
}

pub(super) fn find<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Archive, Fault> {
    let found = call.realm().archives.get_mut(name);
    found.ok_or_else(|| Fault::not_found(format!("Archive {name} does not exist.")))
}
