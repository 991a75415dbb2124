//! Tags of log groups, by ARN and, as older clients do it, by name.

use serde::Deserialize;
use serde_json::json;

use super::group;
use crate::arn::Arn;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};
use crate::state::Tags;

const TAGS_MAX: usize = 50;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("TagResource", tag),
    &Op::write("UntagResource", untag),
    &Op::read("ListTagsForResource", |call, input| list(call, &input)),
    &Op::write("TagLogGroup", tag),
    &Op::write("UntagLogGroup", untag),
    &Op::read("ListTagsLogGroup", |call, input| list(call, &input)),
];

/// The older calls name the group, the newer ones its ARN.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Of {
    resource_arn: Option<String>,
    log_group_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tag {
    resource_arn: Option<String>,
    log_group_name: Option<String>,
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Untag {
    resource_arn: Option<String>,
    log_group_name: Option<String>,
    tag_keys: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}

fn tag(call: &mut Call<'_>, input: Tag) -> Answer {
    let tags = tags_of(
        call,
        &Of {
            resource_arn: input.resource_arn,
            log_group_name: input.log_group_name,
        },
    )?;
    let count = tags.len() + input.tags.keys().filter(|key| !tags.contains_key(*key)).count();
    if count > TAGS_MAX {
        return Err(Fault::new(
            "TooManyTagsException",
            format!("A resource can have at most {TAGS_MAX} tags."),
        ));
    }
    tags.extend(input.tags);
    Ok(json!({}))
}

fn untag(call: &mut Call<'_>, input: Untag) -> Answer {
    let tags = tags_of(
        call,
        &Of {
            resource_arn: input.resource_arn,
            log_group_name: input.log_group_name,
        },
    )?;
    for key in input.tag_keys.iter().chain(&input.tags).flatten() {
        tags.remove(key);
    }
    Ok(json!({}))
}

fn list(call: &mut Call<'_>, input: &Of) -> Answer {
    let tags = tags_of(call, input)?;
    Ok(json!({ "tags": tags }))
}

fn tags_of<'c>(call: &'c mut Call<'_>, of: &Of) -> Result<&'c mut Tags, Fault> {
    let name = match (&of.resource_arn, &of.log_group_name) {
        (Some(text), _) => {
            let arn = Arn::parse(text)
                .filter(|arn| arn.account == call.caller.account && arn.region == call.caller.region);
            let missing = || Fault::not_found("The specified resource does not exist.");
            let resource = arn.ok_or_else(missing)?.resource;
            match arn.and_then(|arn| arn.log_group()) {
                Some(name) => name.to_owned(),
                None => return call.realm().vended.tags_of(resource).ok_or_else(missing),
            }
        }
        (None, Some(name)) => name.clone(),
        (None, None) => return Err(Fault::parameter("resourceArn is required.")),
    };
    Ok(&mut group(call, &name)?.tags)
}
