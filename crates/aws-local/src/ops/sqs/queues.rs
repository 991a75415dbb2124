//! Queues: create, find, list, purge, delete, tag.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::attributes::{OF_FIFO, check_attributes};
use super::validate::{bad_parameter, bad_value, missing_parameter};
use super::{locate, missing, queue};
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation, without_nulls};
use crate::page;
use crate::state::Tags;
use crate::state::queue::Queue;

const NAME_CHARS_MAX: usize = 80;
const TAGS_MAX: usize = 50;
const LISTED_MAX: usize = 1_000;
/// How long a purge takes; a second one is refused meanwhile.
const PURGE_MS: i64 = 60_000;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateQueue", create),
    &Op::write("DeleteQueue", |call, input| delete(call, &input)),
    &Op::read("GetQueueUrl", |call, input| url(call, &input)),
    &Op::read("ListQueues", |call, input| list(call, &input)),
    &Op::write("PurgeQueue", |call, input| purge(call, &input)),
    &Op::write("TagQueue", tag),
    &Op::write("UntagQueue", |call, input| untag(call, &input)),
    &Op::read("ListQueueTags", |call, input| tags(call, &input)),
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

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    let mut attributes = input.attributes.unwrap_or_default();
    check_name(
        &input.name,
        attributes.get("FifoQueue").is_some_and(|value| value == "true"),
    )?;
    let tags = input.tags.unwrap_or_default();
    check_tags(&input.name, tags.len())?;
    let (here, now) = (call.here(), call.turn.now);
    check_attributes(call, &here, &input.name, &mut attributes)?;
    attributes.retain(|_, value| !value.is_empty());
    let url = queue_url(call, &call.caller.account, &input.name);
    if let Some(there) = call.realm().queues.get(&input.name) {
        if let Some(name) = first_difference(&attributes, there) {
            let why = format!(
                "A queue already exists with the same name and a different value for attribute {name}"
            );
            return Err(Fault::new("QueueNameExists", why));
        }
    } else {
        let queue = Queue::new(&input.name, attributes, tags, now);
        call.realm().queues.insert(input.name, queue);
    }
    Ok(json!({ "QueueUrl": url }))
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), Fault> {
    let stem = if is_fifo {
        name.strip_suffix(".fifo")
    } else {
        Some(name)
    };
    let fits = |stem: &str| {
        !stem.is_empty()
            && stem
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.len() <= NAME_CHARS_MAX && stem.is_some_and(fits) {
        return Ok(());
    }
    Err(bad_value(if is_fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    }))
}

fn check_tags(queue: &str, count: usize) -> Result<(), Fault> {
    if count > TAGS_MAX {
        return Err(bad_value(format!("Too many tags added for queue {queue}.")));
    }
    Ok(())
}

/// A given value that differs from the one in effect, set or default.
fn first_difference(wanted: &BTreeMap<String, String>, there: &Queue) -> Option<String> {
    let holds = |name: &str| {
        let by_default = || {
            let of_fifo = OF_FIFO.iter().find(|(known, _)| *known == name);
            of_fifo.map_or_else(
                || there.number(name).to_string(),
                |(_, words)| words[0].to_owned(),
            )
        };
        there.attributes.get(name).cloned().unwrap_or_else(by_default)
    };
    let different = wanted.iter().find(|(name, value)| holds(name) != **value);
    different.map(|(name, _)| name.clone())
}

fn delete(call: &mut Call<'_>, input: &Url) -> Answer {
    let (realm, name) = locate(call, &input.queue_url)?;
    match call.turn.world.realm(&realm).queues.remove(&name) {
        Some(queue) => {
            call.turn.dropped.push(Box::new(queue));
            Ok(json!({}))
        }
        None => Err(missing()),
    }
}

fn url(call: &mut Call<'_>, input: &GetUrl) -> Answer {
    let owner = input.owner.clone().unwrap_or_else(|| call.caller.account.clone());
    let url = queue_url(call, &owner, &input.name);
    queue(call, &url)?;
    Ok(json!({ "QueueUrl": url }))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let prefix = input.queue_name_prefix.as_deref().unwrap_or_default();
    let account = call.caller.account.clone();
    let names: Vec<String> = call
        .realm()
        .queues
        .keys()
        .filter(|name| name.starts_with(prefix))
        .cloned()
        .collect();
    let rows = names
        .iter()
        .map(|name| (name.as_str(), queue_url(call, &account, name)));
    let most = input.max_results.unwrap_or(LISTED_MAX);
    if !(1..=LISTED_MAX).contains(&most) {
        let reason = format!("MaxResults must be an integer between 1 and {LISTED_MAX}.");
        return Err(bad_parameter(most, "MaxResults", &reason));
    }
    let page = page::page("ListQueues", rows, input.next_token.as_deref(), most)
        .map_err(|_| bad_value("Invalid or expired next token."))?;
    let next = page.next.filter(|_| input.max_results.is_some());
    let urls = (!page.items.is_empty()).then_some(page.items);
    Ok(without_nulls(json!({ "QueueUrls": urls, "NextToken": next })))
}

fn purge(call: &mut Call<'_>, input: &Url) -> Answer {
    let now = call.turn.now;
    let queue = queue(call, &input.queue_url)?;
    if queue.purged.is_some_and(|at| now < at + PURGE_MS) {
        let why = format!(
            "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
            queue.name
        );
        return Err(Fault::new("PurgeQueueInProgress", why));
    }
    queue.purged = Some(now);
    queue.messages.clear();
    Ok(json!({}))
}

fn tag(call: &mut Call<'_>, input: Tag) -> Answer {
    let queue = queue(call, &input.queue_url)?;
    if input.tags.is_empty() {
        return Err(missing_parameter("Tags"));
    }
    let mut tags = queue.tags.clone();
    tags.extend(input.tags);
    check_tags(&queue.name, tags.len())?;
    queue.tags = tags;
    Ok(json!({}))
}

fn untag(call: &mut Call<'_>, input: &Untag) -> Answer {
    let queue = queue(call, &input.queue_url)?;
    if input.tag_keys.is_empty() {
        return Err(bad_value(
            "Tag keys must be between 1 and 128 characters in length.",
        ));
    }
    queue.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

fn tags(call: &mut Call<'_>, input: &Url) -> Answer {
    let tags = &queue(call, &input.queue_url)?.tags;
    Ok(json!({ "Tags": tags }))
}

/// The URL under the address that the caller used.
fn queue_url(call: &Call<'_>, account: &str, name: &str) -> String {
    format!("{}/{account}/{name}", call.base_url)
}
