//! Tags of log groups, by ARN and, as older clients do it, by name.

use serde::Deserialize;
use serde_json::json;

use super::group;
use crate::arn::Arn;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op};
use crate::state::Tags;

const TAGS_MAX: usize = 50;

pub(super) const OPS: &[Op] = &[
    Op::write("TagResource", |cx, body| tag(cx, parse(body)?)),
    Op::write("UntagResource", |cx, body| untag(cx, parse(body)?)),
    Op::read("ListTagsForResource", |cx, body| list(cx, &parse(body)?)),
    Op::write("TagLogGroup", |cx, body| tag(cx, parse(body)?)),
    Op::write("UntagLogGroup", |cx, body| untag(cx, parse(body)?)),
    Op::read("ListTagsLogGroup", |cx, body| list(cx, &parse(body)?)),
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

fn tag(cx: &mut Cx<'_>, input: Tag) -> Answer {
    let tags = tags_of(
        cx,
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

fn untag(cx: &mut Cx<'_>, input: Untag) -> Answer {
    let tags = tags_of(
        cx,
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

fn list(cx: &mut Cx<'_>, input: &Of) -> Answer {
    let tags = tags_of(cx, input)?;
    Ok(json!({ "tags": tags }))
}

fn tags_of<'c>(cx: &'c mut Cx<'_>, of: &Of) -> Result<&'c mut Tags, Fault> {
    let name = match (&of.resource_arn, &of.log_group_name) {
        (Some(text), _) => {
            let arn = Arn::parse(text)
                .filter(|arn| arn.account == cx.caller.account && arn.region == cx.caller.region);
            let name = arn.and_then(|arn| arn.log_group()).map(str::to_owned);
            name.ok_or_else(|| Fault::not_found("The specified resource does not exist."))?
        }
        (None, Some(name)) => name.clone(),
        (None, None) => return Err(Fault::parameter("resourceArn is required.")),
    };
    Ok(&mut group(cx, &name)?.tags)
}
