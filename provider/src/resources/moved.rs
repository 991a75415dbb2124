//! Objects of other providers that a `moved` block makes objects of this one: what their states have in common. Both
//! providers are written with the Go SDK, whose states have null, an empty text or an empty list for what is not set.

use serde_json::Value as Json;
use tfplugin::{MoveRefused, MovedObject};

use super::messages;
use crate::aws::arn;
use crate::aws::tags::{self, Tags, Written};
use crate::ownership;
use crate::values::Region;

/// The provider of AWS's resources.
pub const AWS: &str = "hashicorp/aws";
/// Scalr's own provider.
pub const SCALR: &str = "scalr/scalr";

/// A value of the state, and where it says so.
pub type Claim<'a> = (&'a str, Option<&'a str>);

/// A text that is set.
pub fn text<'a>(values: &'a Json, name: &str) -> Option<&'a str> {
    values[name].as_str().filter(|text| !text.is_empty())
}

/// A text of its own that is set.
pub fn owned(values: &Json, name: &str) -> Option<String> {
    text(values, name).map(str::to_owned)
}

/// A text that no object lacks.
pub fn needed<'a>(values: &'a Json, name: &str) -> Result<&'a str, MoveRefused> {
    text(values, name).ok_or_else(|| messages::moved_lacks(name))
}

/// The only block of its name.
pub fn block<'a>(values: &'a Json, name: &str) -> Option<&'a Json> {
    values[name].as_array()?.first().filter(|block| block.is_object())
}

/// The identity, null where the tool sends none.
pub fn identity(object: &MovedObject) -> &Json {
    object.identity().unwrap_or(&Json::Null)
}

/// What all that speak of it say; none where nothing does.
pub fn agreed<'a>(what: &str, claims: &[Claim<'a>]) -> Result<Option<&'a str>, MoveRefused> {
    let mut said = claims
        .iter()
        .filter_map(|(place, value)| Some((*place, (*value)?)));
    let Some(first) = said.next() else {
        return Ok(None);
    };
    match said.find(|(_, value)| *value != first.1) {
        Some(other) => Err(messages::moved_contradiction(what, first, other)),
        None => Ok(Some(first.1)),
    }
}

/// The region of an object of AWS's. Since version 6 of the provider it is in the state; before that the ARN has it.
pub fn region(object: &MovedObject, arns: &[Claim<'_>]) -> Result<Option<Region>, MoveRefused> {
    let (state, identity) = (object.state(), identity(object));
    let own = [
        ("region", text(state, "region")),
        ("the region of its identity", text(identity, "region")),
    ];
    let mut claims = own.to_vec();
    for (place, value) in arns {
        let region = value.and_then(arn::parse).map(|arn| arn.region);
        claims.push((place, region.filter(|region| !region.is_empty())));
    }
    Ok(agreed("region", &claims)?.map(Region::from))
}

/// The account of an object of AWS's is one.
pub fn same_account(object: &MovedObject, arns: &[Claim<'_>]) -> Result<(), MoveRefused> {
    let mut claims = vec![(
        "the account of its identity",
        text(identity(object), "account_id"),
    )];
    for (place, value) in arns {
        claims.push((place, value.and_then(arn::account)));
    }
    agreed("AWS account", &claims).map(drop)
}

/// The name of a bus, which hashicorp/aws takes as an ARN too, and the ARN where it is one. What names none is on the
/// default bus.
pub fn bus(values: &Json) -> (String, Option<&str>) {
    match text(values, "event_bus_name") {
        None => ("default".to_owned(), None),
        Some(text) => match arn::parse(text).and_then(|arn| arn.resource.strip_prefix("event-bus/")) {
            Some(name) => (name.to_owned(), Some(text)),
            None => (text.to_owned(), None),
        },
    }
}

/// The tags of an attribute, without those that this provider gives a meaning of their own.
fn held_tags(values: &Json, name: &str) -> Tags {
    let all = values[name].as_object().into_iter().flatten();
    let one = |(key, value): (&String, &Json)| Some((key.clone(), value.as_str()?.to_owned()));
    all.filter(|(key, _)| !tags::is_reserved(key))
        .filter_map(one)
        .collect()
}

/// The object's own tags; none where it has none.
pub fn own_tags(values: &Json) -> Option<Written> {
    let own = held_tags(values, "tags");
    let written = own.into_iter().map(|(key, value)| (key, Some(value)));
    Some(written.collect::<Written>()).filter(|own| !own.is_empty())
}

/// All its tags.
pub fn all_tags(values: &Json) -> Tags {
    held_tags(values, "tags_all")
}

/// Has the first look at the object take it over, as an import does.
pub fn take_over(object: &mut MovedObject) {
    object.set_private(ownership::MOVED, "true");
}
