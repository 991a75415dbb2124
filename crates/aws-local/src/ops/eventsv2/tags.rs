//! Tags of buses, event sources and subscribers: a map of texts.

use serde::Deserialize;
use serde_json::{Value, json};

use super::arns::{bus, named, source, subscriber};
use super::faults::{invalid, limit, missing};
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};
use crate::state::Tags;

/// As many as AWS documents for other resources of EventBridge; the model of the service would take 200.
const TAGS_MAX: usize = 50;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("TagResource", tag),
    &Op::write("UntagResource", |call, input| untag(call, &input)),
    &Op::read("ListTagsForResource", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    resource_arn: String,
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Untag {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    resource_arn: String,
}

fn tag(call: &mut Call<'_>, input: Tag) -> Answer {
    check(&input.tags)?;
    let tags = of(call, &input.resource_arn)?;
    let mut all = tags.clone();
    all.extend(input.tags);
    check(&all)?;
    *tags = all;
    Ok(json!({}))
}

fn untag(call: &mut Call<'_>, input: &Untag) -> Answer {
    let tags = of(call, &input.resource_arn)?;
    tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

fn list(call: &mut Call<'_>, input: &Resource) -> Answer {
    let tags: &Tags = of(call, &input.resource_arn)?;
    Ok(json!({ "Tags": Value::from_iter(tags.clone()) }))
}

/// The tags that a resource may have.
pub(super) fn check(tags: &Tags) -> Result<(), Fault> {
    if tags
        .keys()
        .any(|key| key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(invalid("Tag keys that begin with 'aws:' are reserved."));
    }
    if tags.len() > TAGS_MAX {
        return Err(limit(format!("A resource can have at most {TAGS_MAX} tags.")));
    }
    Ok(())
}

fn of<'c>(call: &'c mut Call<'_>, arn: &str) -> Result<&'c mut Tags, Fault> {
    match named(call, arn)?.kind.as_str() {
        "event-busv2" => bus(call, arn).map(|bus| &mut bus.tags),
        "event-sourcev2/aws.partner" => source(call, arn).map(|source| &mut source.tags),
        "subscriber" => subscriber(call, arn).map(|subscriber| &mut subscriber.tags),
        _ => Err(missing("Resource", arn)),
    }
}
