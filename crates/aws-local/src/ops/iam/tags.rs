//! The tags of roles.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ListOfRole, fault, quota, role, role_to_change};
use crate::fault::Fault;
use crate::ops::{Answer, Call, IAM_PAGES, Op, Operation, without_nulls};
use crate::state::Tags;

/// The most tags that a role may have.
const TAGS_MAX: usize = 50;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("TagRole", tag),
    &Op::write("UntagRole", |call, input| untag(call, &input)),
    &Op::read("ListRoleTags", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tagged {
    role_name: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Untagged {
    role_name: String,
    tag_keys: Vec<String>,
}

fn tag(call: &mut Call<'_>, input: Tagged) -> Answer {
    let role = role_to_change(call, &input.role_name)?;
    role.tags = added(&role.tags, input.tags)?;
    Ok(json!({}))
}

/// The tags with these added. A role has one tag of a key, however that is spelt.
pub(super) fn added(current: &Tags, list: Vec<Tag>) -> Result<Tags, Fault> {
    let mut given = BTreeSet::new();
    let mut tags = current.clone();
    for tag in list {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            let why = format!("The tag key {} begins with aws:, which is reserved.", tag.key);
            return Err(fault(400, "InvalidInput", why));
        }
        if !given.insert(tag.key.to_lowercase()) {
            let why = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(fault(400, "InvalidInput", why));
        }
        tags.retain(|key, _| key.to_lowercase() != tag.key.to_lowercase());
        tags.insert(tag.key, tag.value);
    }
    if tags.len() > TAGS_MAX {
        return Err(quota("TagsPerRole", TAGS_MAX));
    }
    Ok(tags)
}

fn untag(call: &mut Call<'_>, input: &Untagged) -> Answer {
    let role = role_to_change(call, &input.role_name)?;
    role.tags
        .retain(|key, _| !input.tag_keys.iter().any(|gone| gone == key));
    Ok(json!({}))
}

fn list(call: &Call<'_>, input: &ListOfRole) -> Answer {
    let tags = &role(call, &input.role_name)?.tags;
    let pairs = tags.iter().map(|(key, value)| (&**key, pair(key, value)));
    let page = IAM_PAGES.page("ListRoleTags", pairs, input.marker.as_deref(), input.max_items)?;
    Ok(without_nulls(json!({
        "Tags": { "member": page.items },
        "IsTruncated": page.next.is_some(),
        "Marker": page.next,
    })))
}

fn pair(key: &str, value: &str) -> Value {
    json!({ "Key": key, "Value": value })
}

/// As a role shows them.
pub(super) fn shown(tags: &Tags) -> Value {
    let pairs: Vec<Value> = tags.iter().map(|(key, value)| pair(key, value)).collect();
    json!({ "member": pairs })
}
