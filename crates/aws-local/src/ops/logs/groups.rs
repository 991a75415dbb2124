//! Log groups and their retention.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{group, identified, named};
use crate::arn::arn;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ops::{Answer, Call, LOGS_PAGES, Op, Operation, without_nulls};
use crate::state::Tags;
use crate::state::log_group::LogGroup;

/// The periods that the service takes.
const RETENTION_DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/// The members that are returned for groups found by pattern.
const BY_PATTERN: [&str; 6] = [
    "arn",
    "creationTime",
    "logGroupArn",
    "logGroupClass",
    "logGroupName",
    "metricFilterCount",
];

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateLogGroup", create),
    &Op::write("DeleteLogGroup", |call, input| delete(call, &input)),
    &Op::read("DescribeLogGroups", |call, input| describe(call, &input)),
    &Op::write("PutRetentionPolicy", |call, input| retain(call, &input)),
    &Op::write("DeleteRetentionPolicy", |call, input| keep(call, &input)),
    &Op::write("PutLogGroupDeletionProtection", |call, input| {
        protect(call, &input)
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: String,
    kms_key_id: Option<String>,
    tags: Option<Tags>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    log_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retain {
    log_group_name: String,
    retention_in_days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protect {
    log_group_identifier: String,
    deletion_protection_enabled: bool,
}

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    if input.log_group_name.to_ascii_lowercase().starts_with("aws/") {
        return Err(Fault::parameter(
            "Log groups starting with AWS/ are reserved for AWS.",
        ));
    }
    if call.realm().log_groups.contains_key(&input.log_group_name) {
        return Err(Fault::exists("The specified log group already exists"));
    }
    let mut group = LogGroup::new(&input.log_group_name, call.turn.now);
    group.class = input.log_group_class;
    group.kms_key = input.kms_key_id;
    group.protected = input.deletion_protection_enabled.unwrap_or_default();
    group.tags = input.tags.unwrap_or_default();
    call.realm().log_groups.insert(input.log_group_name, group);
    Ok(json!({}))
}

fn delete(call: &mut Call<'_>, input: &Name) -> Answer {
    if group(call, &input.log_group_name)?.protected {
        return Err(Fault::validation("The log group is protected from deletion."));
    }
    if let Some(group) = call.realm().log_groups.remove(&input.log_group_name) {
        call.turn.dropped.push(Box::new(group));
    }
    Ok(json!({}))
}

fn protect(call: &mut Call<'_>, input: &Protect) -> Answer {
    let name = named(call.caller, None, Some(&input.log_group_identifier))?;
    group(call, &name)?.protected = input.deletion_protection_enabled;
    Ok(json!({}))
}

fn describe(call: &mut Call<'_>, input: &Describe) -> Answer {
    let by_name = input.log_group_name_prefix.is_some() || input.log_group_name_pattern.is_some();
    if input.log_group_identifiers.is_some() && (by_name || input.log_group_class.is_some()) {
        return Err(Fault::parameter(
            "logGroupIdentifiers can not be combined with other filters.",
        ));
    }
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(Fault::parameter(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let here = call.caller.clone();
    let prefix = input.log_group_name_prefix.as_deref().unwrap_or_default();
    let part = input.log_group_name_pattern.as_deref().unwrap_or_default();
    let class = |group: &LogGroup| group.class.clone().unwrap_or_else(|| "STANDARD".to_owned());
    let is_asked_for = |name: &str| {
        input
            .log_group_identifiers
            .as_ref()
            .is_none_or(|all| all.iter().any(|id| identified(&here, id) == Some(name)))
    };
    let groups = call
        .realm()
        .log_groups
        .iter()
        .filter(|(name, _)| name.starts_with(prefix) && name.contains(part) && is_asked_for(name))
        .filter(|(_, group)| {
            // AWS swaps these two.
            let kind = |class: &str| match class {
                "ESSENTIALS" => "INFREQUENT_ACCESS".to_owned(),
                other => other.to_owned(),
            };
            input
                .log_group_class
                .as_ref()
                .is_none_or(|wanted| kind(wanted) == kind(&class(group)))
        })
        .map(|(name, group)| (name.as_str(), group));
    let row = |group: &LogGroup| {
        let mut row = view(group, &here);
        if let (Some(members), true) = (row.as_object_mut(), input.log_group_name_pattern.is_some()) {
            members.retain(|member, _| BY_PATTERN.contains(&member.as_str()));
        }
        row
    };
    let page = LOGS_PAGES.page(
        "DescribeLogGroups",
        groups,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "logGroups": page.items.into_iter().map(row).collect::<Vec<_>>(), "nextToken": page.next }),
    ))
}

fn retain(call: &mut Call<'_>, input: &Retain) -> Answer {
    let now = call.turn.now;
    let group = group(call, &input.log_group_name)?;
    if !RETENTION_DAYS.contains(&input.retention_in_days) {
        return Err(Fault::parameter(format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: \
             Member must satisfy enum value set: {:?}",
            input.retention_in_days, RETENTION_DAYS,
        )));
    }
    group.retention_days = Some(input.retention_in_days);
    group.expire(now);
    Ok(json!({}))
}

fn keep(call: &mut Call<'_>, input: &Name) -> Answer {
    group(call, &input.log_group_name)?.retention_days = None;
    Ok(json!({}))
}

fn view(group: &LogGroup, here: &Caller) -> Value {
    let bare = arn(
        "logs",
        &here.region,
        &here.account,
        &format!("log-group:{}", group.name),
    );
    without_nulls(json!({
        "logGroupName": group.name,
        "creationTime": group.created,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": format!("{bare}:*"),
        "storedBytes": group.stored_bytes,
        "kmsKeyId": group.kms_key,
        "logGroupClass": group.class.as_deref().unwrap_or("STANDARD"),
        "logGroupArn": bare,
        "deletionProtectionEnabled": group.protected,
    }))
}
