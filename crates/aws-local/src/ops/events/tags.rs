//! Tags of buses and rules.

use serde::Deserialize;
use serde_json::json;

use super::buses::find as find_bus;
use crate::arn::Arn;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};
use crate::state::Tags;

/// AWS's limit of tags on one resource.
const TAGS_MAX: usize = 50;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("TagResource", tag),
    &Op::write("UntagResource", |call, input| untag(call, &input)),
    &Op::read("ListTagsForResource", |call, input| list(call, &input)),
];

/// Tags as requests carry them.
pub(super) type TagList = Vec<Tag>;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
struct TagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: TagList,
}

#[derive(Deserialize)]
struct UntagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct ListTags {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

fn tag(call: &mut Call<'_>, input: TagResource) -> Answer {
    let new = read_tags(input.tags)?;
    let tags = tags_of(call, &input.arn, true)?;
    let count = tags.len() + new.keys().filter(|key| !tags.contains_key(*key)).count();
    if count > TAGS_MAX {
        return Err(too_many());
    }
    tags.extend(new);
    Ok(json!({}))
}

fn untag(call: &mut Call<'_>, input: &UntagResource) -> Answer {
    let tags = tags_of(call, &input.arn, true)?;
    for key in &input.keys {
        tags.remove(key);
    }
    Ok(json!({}))
}

fn list(call: &mut Call<'_>, input: &ListTags) -> Answer {
    let tags = tags_of(call, &input.arn, false)?;
    let rows: Vec<_> = tags
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok(json!({ "Tags": rows }))
}

/// Checks the tags of a request and gives them as a map.
pub(super) fn read_tags(list: TagList) -> Result<Tags, Fault> {
    let count = list.len();
    let tags: Tags = list.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if tags.len() != count {
        return Err(Fault::validation(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    if count > TAGS_MAX {
        return Err(too_many());
    }
    if tags
        .keys()
        .any(|key| key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(Fault::validation("Tag keys that start with 'aws:' are reserved."));
    }
    Ok(tags)
}

fn too_many() -> Fault {
    Fault::validation(format!("A resource can have at most {TAGS_MAX} tags."))
}

/// The tags of the bus or rule that an ARN names. A rule's name holds no `/`, its bus's name may.
fn tags_of<'c>(call: &'c mut Call<'_>, text: &str, change: bool) -> Result<&'c mut Tags, Fault> {
    let missing = || Fault::not_found(format!("The resource {text} does not exist."));
    let arn = Arn::parse(text).ok_or_else(|| {
        Fault::validation(format!(
            "Parameter ResourceARN is not valid. Reason: Provided Arn is not in correct format: {text}"
        ))
    })?;
    if arn.service != "events" || arn.account != call.caller.account || arn.region != call.caller.region {
        return Err(missing());
    }
    if let Some(bus) = arn.event_bus() {
        return Ok(&mut find_bus(call, bus)?.tags);
    }
    let path = arn.resource.strip_prefix("rule/").ok_or_else(missing)?;
    let (bus, name) = path.rsplit_once('/').unwrap_or((super::DEFAULT_BUS, path));
    let bus = find_bus(call, bus)?;
    let rule = bus.rules.get_mut(name);
    let rule = rule.ok_or_else(|| super::rules::missing(name, &bus.name))?;
    if change {
        super::rules::unmanaged(rule, false)?;
    }
    Ok(&mut rule.tags)
}
