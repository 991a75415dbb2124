//! Queues: made, found, listed, emptied, deleted, tagged.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::attributes::check_attributes;
use super::{locate, missing, queue};
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, slim};
use crate::page;
use crate::state::Tags;
use crate::state::queue::Queue;

pub(super) const OPS: &[Op] = &[
    Op::write("CreateQueue", |cx, body| create(cx, parse(body)?)),
    Op::write("DeleteQueue", |cx, body| delete(cx, &parse(body)?)),
    Op::read("GetQueueUrl", |cx, body| url(cx, &parse(body)?)),
    Op::read("ListQueues", |cx, body| list(cx, &parse(body)?)),
    Op::write("PurgeQueue", |cx, body| purge(cx, &parse(body)?)),
    Op::write("TagQueue", |cx, body| tag(cx, parse(body)?)),
    Op::write("UntagQueue", |cx, body| untag(cx, &parse(body)?)),
    Op::read("ListQueueTags", |cx, body| tags(cx, &parse(body)?)),
];

#[derive(Deserialize)]
struct Create {
    #[serde(rename = "QueueName")]
    name: String,
    #[serde(rename = "Attributes")]
    attributes: Option<BTreeMap<String, String>>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Url {
    queue_url: String,
}

#[derive(Deserialize)]
struct GetUrl {
    #[serde(rename = "QueueName")]
    name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    queue_url: String,
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Untag {
    queue_url: String,
    tag_keys: Vec<String>,
}

fn create(cx: &mut Cx<'_>, input: Create) -> Answer {
    let (stem, fifo) = match input.name.strip_suffix(".fifo") {
        Some(stem) => (stem, true),
        None => (input.name.as_str(), false),
    };
    let name_ok = !stem.is_empty()
        && input.name.len() <= 80
        && stem
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !name_ok {
        return Err(Fault::new(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    let mut attributes = input.attributes.unwrap_or_default();
    check_attributes(&attributes)?;
    if attributes.get("FifoQueue").is_some_and(|value| value == "true") != fifo {
        let why =
            "The name of a FIFO queue must end with the .fifo suffix, and FifoQueue must be true for it.";
        return Err(Fault::new("InvalidParameterValue", why));
    }
    attributes.retain(|_, value| !value.is_empty());
    let now = cx.now;
    let url = queue_url(cx, &cx.caller.account, &input.name);
    if let Some(there) = cx.realm().queues.get(&input.name) {
        if let Some(name) = first_difference(&attributes, there) {
            let why = format!(
                "A queue already exists with the same name and a different value for attribute {name}"
            );
            return Err(Fault::new("QueueNameExists", why));
        }
    } else {
        let queue = Queue::new(&input.name, attributes, input.tags.unwrap_or_default(), now);
        cx.realm().queues.insert(input.name, queue);
    }
    Ok(json!({ "QueueUrl": url }))
}

fn first_difference(wanted: &BTreeMap<String, String>, there: &Queue) -> Option<String> {
    let different = wanted
        .iter()
        .find(|(name, value)| there.attributes.get(*name) != Some(value));
    different.map(|(name, _)| name.clone())
}

fn delete(cx: &mut Cx<'_>, input: &Url) -> Answer {
    let (realm, name) = locate(cx, &input.queue_url)?;
    match cx.world.realm(&realm, cx.now).queues.remove(&name) {
        Some(_) => Ok(json!({})),
        None => Err(missing()),
    }
}

fn url(cx: &mut Cx<'_>, input: &GetUrl) -> Answer {
    let owner = input.owner.clone().unwrap_or_else(|| cx.caller.account.clone());
    let url = queue_url(cx, &owner, &input.name);
    queue(cx, &url)?;
    Ok(json!({ "QueueUrl": url }))
}

fn list(cx: &mut Cx<'_>, input: &List) -> Answer {
    let prefix = input.queue_name_prefix.as_deref().unwrap_or_default();
    let account = cx.caller.account.clone();
    let names: Vec<String> = cx
        .realm()
        .queues
        .keys()
        .filter(|name| name.starts_with(prefix))
        .cloned()
        .collect();
    let rows = names
        .iter()
        .map(|name| (name.as_str(), queue_url(cx, &account, name)));
    let page = page::page(
        "ListQueues",
        rows,
        input.next_token.as_deref(),
        input.max_results.unwrap_or(1000),
    )
    .map_err(|_| Fault::new("InvalidParameterValue", "Invalid or expired next token."))?;
    let next = page.next.filter(|_| input.max_results.is_some());
    Ok(slim(json!({ "QueueUrls": page.items, "NextToken": next })))
}

fn purge(cx: &mut Cx<'_>, input: &Url) -> Answer {
    queue(cx, &input.queue_url)?.messages.clear();
    Ok(json!({}))
}

fn tag(cx: &mut Cx<'_>, input: Tag) -> Answer {
    queue(cx, &input.queue_url)?.tags.extend(input.tags);
    Ok(json!({}))
}

fn untag(cx: &mut Cx<'_>, input: &Untag) -> Answer {
    let queue = queue(cx, &input.queue_url)?;
    queue.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

fn tags(cx: &mut Cx<'_>, input: &Url) -> Answer {
    let tags = &queue(cx, &input.queue_url)?.tags;
    Ok(json!({ "Tags": tags }))
}

/// The URL under the address that the caller used.
fn queue_url(cx: &Cx<'_>, account: &str, name: &str) -> String {
    format!("{}/{account}/{name}", cx.base_url)
}
