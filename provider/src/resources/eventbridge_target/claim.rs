//! Whose a log group is: made, adopted from a rule or subscriber that let it go, or passed on by one that goes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::types::LogGroup as WireGroup;
use tfplugin::{Diagnostics, Result};

use super::group_messages;
use super::log_group::tag;
use super::messages::{self, doing};
use super::{LogGroup, Target};
use crate::aws::{Error, Regional};
use crate::failure::{Cause as _, Effect};
use crate::ownership::Turn;
use crate::resources::group_owner::{self, Holder, NEXT_OWNER_TAG, OWNER_TAG, Sight, arn_of, untag};

/// A group that was there, with its tags where they matter: on one that is, or becomes, this rule's.
pub(super) struct ExistingGroup {
    pub(super) wire: WireGroup,
    pub(super) tags: HashMap<String, String>,
    /// The owner tag of the rule whose target has the group until it is destroyed.
    pub(super) still_owned_by: Option<String>,
}

/// Who wants a group.
pub(super) struct Claimant<'a> {
    pub(super) target: &'a Target,
    /// Its owner tag.
    pub(super) owner: &'a str,
    /// The target is being made.
    pub(super) is_new: bool,
}

pub(super) async fn find_or_make(
    aws: &Regional,
    by: &Claimant<'_>,
    group: &LogGroup,
    default_tags: &BTreeMap<String, String>,
    turn: &Turn,
) -> std::result::Result<Option<ExistingGroup>, NotMade> {
    let name = &group.name;
    let held = aws.log_group(name).await;
    let held = held.map_err(|e| e.during(doing::look_for_group(name)))?;
    match held {
        Some(wire) if group.create => Ok(Some(claim(aws, by, group, wire, turn).await?)),
        Some(wire) => Ok(Some(ExistingGroup {
            wire,
            tags: HashMap::new(),
            still_owned_by: None,
        })),
        None if !group.create => Err(Diagnostics::from(messages::no_group(name, &aws.name)).into()),
        None => match make(aws, group, by.owner, default_tags).await {
            Ok(()) => Ok(None),
            // Made meanwhile: by the first attempt of a call whose answer was lost, or by somebody else.
            Err(e) if e.code() == Some("ResourceAlreadyExistsException") => {
                let made = aws.log_group(name).await;
                match made.map_err(|e| e.during(doing::make_group(name)))? {
                    Some(wire) => Ok(Some(claim(aws, by, group, wire, turn).await?)),
                    None => Ok(None),
                }
            }
            Err(e) => Err(NotMade {
                may_be_made: e.effect() == Effect::Unknown,
                diagnostics: e.during_with(doing::make_group(name), &messages::after_making_group()),
            }),
        },
    }
}

/// Why there is no group, as far as is known.
pub(super) struct NotMade {
    /// The answer to the call that makes it was lost.
    pub(super) may_be_made: bool,
    pub(super) diagnostics: Diagnostics,
}

impl From<Diagnostics> for NotMade {
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            may_be_made: false,
            diagnostics,
        }
    }
}

/// The tag goes into the very call that makes the group: a kill in between must not leave one that nobody owns.
pub(in crate::resources) async fn make(
    aws: &Regional,
    group: &LogGroup,
    owner: &str,
    default_tags: &BTreeMap<String, String>,
) -> std::result::Result<(), Error> {
    let call = aws.logs.create_log_group().log_group_name(&group.name);
    let mut call = call.set_kms_key_id(group.kms_key_id.clone());
    for (key, value) in default_tags {
        call = call.tags(key, value);
    }
    let answer = call.tags(OWNER_TAG, owner).send().await;
    answer.map(drop).map_err(|e| aws.failed("logs:CreateLogGroup", e))
}

/// Adopts a group that is there: it is this rule's; or the rule or subscriber that owned it is gone, as after a rename or a move; or the
/// target that had it was destroyed in this apply. A new target may also have it from one that goes after it was made.
async fn claim(
    aws: &Regional,
    by: &Claimant<'_>,
    group: &LogGroup,
    wire: WireGroup,
    turn: &Turn,
) -> Result<ExistingGroup> {
    let (name, arn, owner) = (&group.name, arn_of(&wire, group.arn.as_deref()), by.owner);
    let tags = aws.log_group_tags(&arn).await;
    let tags = tags.map_err(|e| e.during(doing::read_group_tags(name)))?;
    let own = |still_owned_by| ExistingGroup {
        wire,
        tags: tags.clone(),
        still_owned_by,
    };
    let found = tags.get(OWNER_TAG);
    if found.is_some_and(|found| found == owner) {
        return Ok(own(None));
    }
    let (holder, seen) = group_owner::seen(aws, found.map(String::as_str), name).await?;
    if let Some(found) = found
        && is_free(by.target, found, seen, turn)
    {
        let mine = BTreeMap::from([(OWNER_TAG.to_owned(), owner.to_owned())]);
        tag(aws, &arn, group, mine, messages::GROUP_AS_IT_WAS).await?;
        if tags.contains_key(NEXT_OWNER_TAG) {
            let removed = untag(aws, &arn, NEXT_OWNER_TAG).await;
            removed.map_err(|e| e.during(doing::tag_group(name)))?;
        }
        return Ok(own(None));
    }
    if by.is_new && seen == Some(Sight::Leads) && holder.is_some_and(|holder| may_pass_on(by.target, holder))
    {
        let next = BTreeMap::from([(NEXT_OWNER_TAG.to_owned(), owner.to_owned())]);
        tag(aws, &arn, group, next, messages::GROUP_AS_IT_WAS).await?;
        return Ok(own(found.cloned()));
    }
    let found = (found.map(String::as_str), seen);
    Err(group_messages::group_of_another(name, &aws.name, found, (&arn, Some(owner))).into())
}

/// Whether one that sends events to the group may be about to be destroyed. Whether it is cannot be known here: the create of a
/// replacement gets nothing of the object that goes after it.
fn may_pass_on(target: &Target, holder: Holder<'_>) -> bool {
    match holder {
        Holder::Rule { bus, .. } => is_near(bus, &target.event_bus_name),
        // In a move those of one configuration go before a rule can be made.
        Holder::Subscriber { .. } => false,
    }
}

/// Whether the one that an owner tag names has let the group go.
fn is_free(target: &Target, found: &str, seen: Option<Sight>, turn: &Turn) -> bool {
    match Holder::of(found).zip(seen) {
        // Its target was destroyed in this apply: nothing but another target of the rule's can lead to the group.
        Some((Holder::Rule { .. }, seen)) if turn.released() == Some(found) => seen != Sight::Leads,
        // A rule that is there may be about to lead to it.
        Some((Holder::Rule { bus, .. }, Sight::Gone)) => is_near(bus, &target.event_bus_name),
        // One that this apply makes may be about to send events there.
        Some((Holder::Subscriber { .. }, Sight::Gone)) => !turn.is_owned(),
        _ => false,
    }
}

/// Whether what the rules of one bus had may pass on to a rule of another: a rule that is renamed stays on its bus, and a
/// connection that is renamed has another bus beside it, of the same Scalr account.
fn is_near(theirs: &str, bus: &str) -> bool {
    theirs == bus || (account_of(bus).is_some() && account_of(theirs) == account_of(bus))
}

/// What a partner's bus has before the connection's name.
fn account_of(bus: &str) -> Option<&str> {
    bus.rsplit_once('/').map(|(account, _)| account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_pass_on_within_a_scalr_account() {
        let bus = "aws.partner/scalr.com/acme/prod";
        for (found, bus, expected) in [
            ("aws.partner/scalr.com/acme/prod/r", bus, Some("r")),
            ("aws.partner/scalr.com/acme/old/r", bus, Some("r")),
            ("aws.partner/scalr.com/other/prod/r", bus, None),
            ("custom/r", bus, None),
            ("custom/r", "custom", Some("r")),
            ("other/r", "custom", None),
            ("r", "custom", None),
            ("custom/a b", "custom", None),
        ] {
            let near = match Holder::of(found) {
                Some(Holder::Rule { bus: theirs, rule }) if is_near(theirs, bus) => Some(rule),
                _ => None,
            };
            assert_eq!(near, expected, "{found} {bus}");
        }
    }
}
