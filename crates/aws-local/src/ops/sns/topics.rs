//! Topics: create and delete.
//!
//! The answers are recorded ones of AWS: of its own tests against AWS in `localstack/localstack`,
//! `tests/aws/services/sns/test_sns.snapshot.json`, and in the SNS connector of Ballerina, `ballerina/tests/topics.bal`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::attributes::{check, shown};
use super::{invalid, locate, topic_arn};
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};
use crate::state::topic::Topic;
use crate::state::{RealmId, Tags};

/// AWS's limit of tags on one resource.
const TAGS_MAX: usize = 50;
const NAME_CHARS_MAX: usize = 256;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateTopic", create),
    &Op::write("DeleteTopic", |call, input| delete(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    topic_arn: String,
}

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    let is_fifo = input
        .attributes
        .get("FifoTopic")
        .is_some_and(|value| value == "true");
    if !is_name(&input.name, is_fifo) {
        return Err(invalid("Topic Name"));
    }
    check(&input.attributes, is_fifo).map_err(|why| invalid(format!("Attributes Reason: {why}")))?;
    let tags = read_tags(input.tags)?;
    let here = call.here();
    let answer = json!({ "TopicArn": topic_arn(&here, &input.name) });
    if let Some(topic) = call.realm().topics.get(&input.name) {
        same(topic, &here, &input.name, &input.attributes, &tags)?;
        call.unchanged = true;
        return Ok(answer);
    }
    let set = |(_, value): &(String, String)| !value.is_empty();
    let topic = Topic {
        attributes: input.attributes.into_iter().filter(set).collect(),
        tags,
    };
    call.realm().topics.insert(input.name, topic);
    Ok(answer)
}

/// A topic is there already: that is its creation again only where nothing that was asked for differs.
fn same(
    topic: &Topic,
    here: &RealmId,
    name: &str,
    attributes: &BTreeMap<String, String>,
    tags: &Tags,
) -> Result<(), Fault> {
    let current = shown(topic, here, name);
    let is_current = |(name, value): (&String, &String)| {
        current
            .get(name)
            .map_or(value.is_empty(), |current| current == value)
    };
    if !attributes.iter().all(is_current) {
        return Err(invalid(
            "Attributes Reason: Topic already exists with different attributes",
        ));
    }
    if tags.iter().any(|(key, value)| topic.tags.get(key) != Some(value)) {
        return Err(invalid("Tags Reason: Topic already exists with different tags"));
    }
    Ok(())
}

/// Letters, digits, `_` and `-`; the name of a FIFO topic, and of no other, ends in `.fifo`.
fn is_name(name: &str, is_fifo: bool) -> bool {
    let stem = if is_fifo {
        name.strip_suffix(".fifo")
    } else {
        Some(name)
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    name.len() <= NAME_CHARS_MAX && stem.is_some_and(|stem| !stem.is_empty() && stem.bytes().all(allowed))
}

fn read_tags(list: Vec<Tag>) -> Result<Tags, Fault> {
    let count = list.len();
    let tags: Tags = list.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if tags.len() != count {
        return Err(invalid("Duplicated keys are not allowed."));
    }
    if count > TAGS_MAX {
        let why = "Could not complete request: tag quota of per resource exceeded";
        return Err(Fault::new("TagLimitExceeded", why));
    }
    Ok(tags)
}

/// A topic that is not there is deleted already.
fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    let (realm, name) = locate(call, "DeleteTopic", &input.topic_arn)?;
    call.turn.world.realm(&realm).topics.remove(&name);
    Ok(json!({}))
}
