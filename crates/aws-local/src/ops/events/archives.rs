//! Archives of a bus's events.

use serde::Deserialize;
use serde_json::{Value, json};

use super::buses::find as find_bus;
use super::rules::compile;
use crate::arn::{Arn, arn};
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, events_page, slim};
use crate::state::archive::Archive;

pub(super) const OPS: &[Op] = &[
    Op::write("CreateArchive", |cx, body| create(cx, parse(body)?)),
    Op::write("UpdateArchive", |cx, body| update(cx, parse(body)?)),
    Op::write("DeleteArchive", |cx, body| delete(cx, &parse(body)?)),
    Op::read("DescribeArchive", |cx, body| describe(cx, &parse(body)?)),
    Op::read("ListArchives", |cx, body| list(cx, &parse(body)?)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    archive_name: String,
    event_source_arn: String,
    description: Option<String>,
    event_pattern: Option<String>,
    retention_days: Option<i64>,
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    archive_name: String,
    description: Option<String>,
    event_pattern: Option<String>,
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

fn create(cx: &mut Cx<'_>, input: Create) -> Answer {
    if cx.realm().archives.contains_key(&input.archive_name) {
        return Err(Fault::exists(format!(
            "Archive {} already exists.",
            input.archive_name
        )));
    }
    let bus = own_bus(cx, &input.event_source_arn)?;
    find_bus(cx, &bus)?;
    check_pattern(input.event_pattern.as_deref())?;
    let mut archive = Archive::new(&input.archive_name, &input.event_source_arn, cx.now);
    archive.description = input.description;
    archive.set_pattern(input.event_pattern);
    archive.retention_days = input.retention_days.unwrap_or(0);
    archive.kms_key = input.kms_key_identifier;
    cx.realm().archives.insert(input.archive_name.clone(), archive);
    receipt(cx, &input.archive_name)
}

fn update(cx: &mut Cx<'_>, input: Update) -> Answer {
    check_pattern(input.event_pattern.as_deref())?;
    let archive = find(cx, &input.archive_name)?;
    if input.event_pattern.is_some() {
        archive.set_pattern(input.event_pattern);
    }
    archive.description = input.description.or_else(|| archive.description.clone());
    archive.retention_days = input.retention_days.unwrap_or(archive.retention_days);
    archive.kms_key = input.kms_key_identifier.or_else(|| archive.kms_key.clone());
    receipt(cx, &input.archive_name)
}

fn delete(cx: &mut Cx<'_>, input: &Name) -> Answer {
    find(cx, &input.archive_name)?;
    cx.realm().archives.remove(&input.archive_name);
    Ok(json!({}))
}

fn describe(cx: &mut Cx<'_>, input: &Name) -> Answer {
    let (now, arn) = (cx.now, archive_arn(cx, &input.archive_name));
    let archive = find(cx, &input.archive_name)?;
    archive.expire(now);
    let mut answer = view(archive);
    answer["ArchiveArn"] = json!(arn);
    answer["Description"] = json!(archive.description);
    answer["EventPattern"] = json!(archive.pattern);
    answer["KmsKeyIdentifier"] = json!(archive.kms_key);
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
            "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.",
        ));
    }
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let rows = cx.realm().archives.iter().filter(|(name, archive)| {
        name.starts_with(prefix)
            && input
                .event_source_arn
                .as_ref()
                .is_none_or(|arn| *arn == archive.bus_arn)
            && input.state.as_deref().is_none_or(|state| state == "ENABLED")
    });
    let rows = rows.map(|(name, archive)| (name.as_str(), view(archive)));
    let page = events_page("ListArchives", rows, input.next_token.as_deref(), input.limit)?;
    Ok(slim(json!({ "Archives": page.items, "NextToken": page.next })))
}

fn check_pattern(text: Option<&str>) -> Result<(), Fault> {
    text.map_or(Ok(()), |text| compile(text).map(|_| ()))
}

/// The bus that an ARN of the caller's account and region names.
pub(super) fn own_bus(cx: &Cx<'_>, text: &str) -> Result<String, Fault> {
    let own =
        Arn::parse(text).filter(|arn| arn.account == cx.caller.account && arn.region == cx.caller.region);
    let bus = own.and_then(|arn| arn.event_bus()).map(str::to_owned);
    bus.ok_or_else(|| {
        Fault::validation(format!(
            "Parameter EventSourceArn is not valid. Reason: {text} is not an event bus of yours."
        ))
    })
}

fn view(archive: &Archive) -> Value {
    json!({
        "ArchiveName": archive.name,
        "EventSourceArn": archive.bus_arn,
        "State": "ENABLED",
        "RetentionDays": archive.retention_days,
        "SizeBytes": archive.bytes(),
        "EventCount": archive.events.len(),
        "CreationTime": epoch_seconds(archive.created),
    })
}

fn receipt(cx: &mut Cx<'_>, name: &str) -> Answer {
    let arn = archive_arn(cx, name);
    let created = find(cx, name)?.created;
    Ok(json!({ "ArchiveArn": arn, "State": "ENABLED", "CreationTime": epoch_seconds(created) }))
}

fn archive_arn(cx: &Cx<'_>, name: &str) -> String {
    arn(
        "events",
        &cx.caller.region,
        &cx.caller.account,
        &format!("archive/{name}"),
    )
}

pub(super) fn find<'c>(cx: &'c mut Cx<'_>, name: &str) -> Result<&'c mut Archive, Fault> {
    let found = cx.realm().archives.get_mut(name);
    found.ok_or_else(|| Fault::not_found(format!("Archive {name} does not exist.")))
}
