//! Whose a log group is: made, adopted from a rule that let it go, or passed on by a target that goes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::types::LogGroup as WireGroup;
use aws_sdk_eventbridge::types::Target as WireTarget;
use tfplugin::{Diagnostics, Result};

use super::group_messages;
use super::log_group::{NEXT_OWNER_TAG, OWNER_TAG, arn_of, owner, tag, untag};
use super::messages::{self, doing};
use super::{LogGroup, Target};
use crate::aws::{Error, Regional, arn, checks};
use crate::failure::{Cause as _, Effect};
use crate::ownership::Turn;

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

/// Adopts a group that is there: it is this rule's; or the rule that owned it is gone, as after a rename; or the target that
/// had it was destroyed in this apply. A new target may also have it from a target that goes after it was made.
async fn claim(
    aws: &Regional,
    by: &Claimant<'_>,
    group: &LogGroup,
    wire: WireGroup,
    turn: &Turn,
) -> Result<ExistingGroup> {
    let (name, arn, owner) = (&group.name, arn_of(&wire, Some(group)), by.owner);
    let tags = aws.log_group_tags(&arn).await;
    let tags = tags.map_err(|e| e.during(doing::read_group_tags(name)))?;
    let own = |still_owned_by| ExistingGroup {
        wire,
        tags: tags.clone(),
        still_owned_by,
    };
    let Some(found) = tags.get(OWNER_TAG) else {
        return Err(group_messages::group_of_another(name, &aws.name, None, (&arn, Some(owner))).into());
    };
    if found == owner {
        return Ok(own(None));
    }
    if is_free(aws, by.target, name, found, turn).await? {
        let mine = BTreeMap::from([(OWNER_TAG.to_owned(), owner.to_owned())]);
        tag(aws, &arn, group, mine, messages::GROUP_AS_IT_WAS).await?;
        if tags.contains_key(NEXT_OWNER_TAG) {
            let removed = untag(aws, &arn, NEXT_OWNER_TAG).await;
            removed.map_err(|e| e.during(doing::tag_group(name)))?;
        }
        return Ok(own(None));
    }
    if by.is_new && may_pass_on(aws, by.target, name, found).await? {
        let next = BTreeMap::from([(NEXT_OWNER_TAG.to_owned(), owner.to_owned())]);
        tag(aws, &arn, group, next, messages::GROUP_AS_IT_WAS).await?;
        return Ok(own(Some(found.clone())));
    }
    Err(group_messages::group_of_another(name, &aws.name, Some(found), (&arn, Some(owner))).into())
}

/// Whether a target of the rule that an owner tag names has the group, and may be about to be destroyed. Whether it is cannot
/// be known here: the create of a replacement gets nothing of the object that goes after it.
async fn may_pass_on(aws: &Regional, target: &Target, group: &str, found: &str) -> Result<bool> {
    let near = bus_and_rule(found).filter(|(bus, _)| is_near(bus, &target.event_bus_name));
    let Some((_, rule)) = near else {
        return Ok(false);
    };
    let leads = is_led_to(aws, found, group).await;
    leads.map_err(|e| e.during(doing::look_for_owner(rule, group)))
}

/// Whether the rule that an owner tag names has let the group go.
async fn is_free(aws: &Regional, target: &Target, group: &str, found: &str, turn: &Turn) -> Result<bool> {
    let Some((bus, rule)) = bus_and_rule(found) else {
        return Ok(false);
    };
    let failed = |e: Error| e.during(doing::look_for_owner(rule, group));
    // Its target was destroyed in this apply: nothing but another target of the rule's can lead to the group.
    if turn.released() == Some(found) {
        return Ok(!is_led_to(aws, found, group).await.map_err(failed)?);
    }
    // A rule that is there may be about to lead to it.
    let near = is_near(bus, &target.event_bus_name);
    Ok(near && aws.rule(bus, rule).await.map_err(failed)?.is_none())
}

/// Bus and rule that an owner tag names.
fn bus_and_rule(found: &str) -> Option<(&str, &str)> {
    let (bus, rule) = found.rsplit_once('/')?;
    (checks::bus(bus).is_ok() && checks::name(rule).is_ok()).then_some((bus, rule))
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

/// Gives the group to the owner that waits for it, if a target of that one leads to it. Returns who that is.
pub(super) async fn pass_on(
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
) -> std::result::Result<Option<String>, Error> {
    let Some(held) = aws.log_group(&group.name).await? else {
        return Ok(None);
    };
    let arn = arn_of(&held, Some(group));
    let mut tags = aws.log_group_tags(&arn).await?;
    let is_own = tags.get(OWNER_TAG) == Some(&owner(&target.event_bus_name, &target.rule));
    let Some(next) = tags.remove(NEXT_OWNER_TAG).filter(|_| is_own) else {
        return Ok(None);
    };
    if !is_led_to(aws, &next, &group.name).await? {
        return Ok(None);
    }
    let call = aws.logs.tag_resource().resource_arn(&arn).tags(OWNER_TAG, &next);
    call.send().await.map_err(|e| aws.failed("logs:TagResource", e))?;
    untag(aws, &arn, NEXT_OWNER_TAG).await?;
    Ok(Some(next))
}

/// Whether a target of the rule that an owner tag names leads to the group.
async fn is_led_to(aws: &Regional, owner: &str, group: &str) -> std::result::Result<bool, Error> {
    let Some((bus, rule)) = bus_and_rule(owner) else {
        return Ok(false);
    };
    let leads = |target: &WireTarget| arn::log_group_name(target.arn()) == Some(group);
    let targets = aws.targets(bus, rule).await?;
    Ok(targets.iter().flatten().any(leads))
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
            let near = bus_and_rule(found).filter(|(theirs, _)| is_near(theirs, bus));
            assert_eq!(near.map(|(_, rule)| rule), expected, "{found} {bus}");
        }
    }
}
