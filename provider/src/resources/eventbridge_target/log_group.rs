//! The log group of a target, and EventBridge's permission to write to it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::types::{LogGroup as WireGroup, LogGroupClass};
use aws_sdk_eventbridge::types::Target as WireTarget;
use tfplugin::{Diagnostic, Operation, Result};

use super::claim::{Claimant, ExistingGroup, find_or_make};
use super::group_messages;
use super::messages::{self, doing};
use super::unfinished::Saving;
use super::{LogGroup, Target};
use crate::aws::policy::{Need, Verdict};
use crate::aws::retry::gone;
use crate::aws::{Error, Regional, arn, filled, log_policy};
use crate::defaults;
use crate::failure::Cause as _;
use crate::ownership::{Object, Owner, Turn};
use crate::resources::group_owner::{self, NEXT_OWNER_TAG, OWNER_TAG, arn_of, pass_on, unmark, untag};
use crate::resources::handover;

/// The group is there and EventBridge may write.
pub(super) const READY: &str = "ready";
const GROUP_MISSING: &str = "log group missing";
/// Key in private state: the group has a mark of a next owner that concerns this target.
const MARKED: &str = "next_owner";

impl Target {
    /// Makes log group and permission. They come before the target: the first event must find them.
    pub(super) async fn make_ready(
        &mut self,
        operation: &Operation<'_, Self>,
        aws: &Regional,
        rule_arn: &str,
        prior: Option<&Self>,
    ) -> Result<()> {
        let Some(mut group) = self.log_group.take() else {
            return Ok(());
        };
        ensure(operation, aws, self, &mut group, rule_arn, prior).await?;
        self.arn.clone_from(&group.arn);
        self.log_group = Some(group);
        Ok(())
    }
}

/// Makes the group where it is to be made, sets its retention and grants the permission.
async fn ensure(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    group: &mut LogGroup,
    rule_arn: &str,
    prior: Option<&Target>,
) -> Result<()> {
    let owner = owner(target);
    let tagging = defaults::tagging(operation.client())?;
    let need = need(target.id(), &group.name, rule_arn);
    let saving = Saving::new(operation, target, prior);
    // Who owns the group is said before the turn ends: no target that goes may delete it from here on.
    let mut turn = handover::turn(operation, &object(aws, group)).await?;
    let by = Claimant {
        target,
        owner: &owner,
        is_new: prior.is_none(),
    };
    let held = match find_or_make(aws, &by, group, tagging.defaults, &turn).await {
        Ok(held) => held,
        Err(failure) => {
            if failure.may_be_made {
                saving.made(group, &need);
            }
            return Err(failure.diagnostics);
        }
    };
    turn.own(&Owner::ensure(operation));
    drop(turn);
    match &held {
        Some(_) => saving.found(group, &need),
        None => saving.made(group, &need),
    }
    let standing = messages::group_is_there(prior.is_none());
    if let Some(other) = held.as_ref().and_then(|held| held.still_owned_by.as_deref()) {
        operation.set_private(MARKED, "true");
        operation.warn(group_owner::passed_on_later(&group.name, other));
    } else if group.create {
        if let Some(ExistingGroup { wire, tags, .. }) = &held {
            let mut lacking = tagging.managed(None);
            lacking.retain(|key, value| tags.get(key) != Some(value));
            tag(aws, &arn_of(wire, group.arn.as_deref()), group, lacking, standing).await?;
        }
        let wire = held.as_ref().map(|held| &held.wire);
        set_retention(aws, group, wire, standing).await?;
        set_key(aws, group, wire, standing).await?;
    }
    let granted = log_policy::ensure(operation, aws, &need).await;
    granted.map_err(|failure| messages::no_permission(&group.name, &failure, standing))?;
    group.arn = Some(need.log_group_arn);
    group.status = Some(READY.to_owned());
    Ok(())
}

/// Reads group and permission back. The tag says whether a group that this target is to have made is (still) its rule's.
pub(super) async fn read(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    mut group: LogGroup,
) -> Result<LogGroup> {
    let doing = || doing::read_group(&group.name);
    let Some(held) = aws.log_group(&group.name).await.map_err(|e| e.during(doing()))? else {
        group.status = Some(GROUP_MISSING.to_owned());
        return Ok(group);
    };
    operation
        .client()
        .walk()
        .note_log_group(&aws.name, &group.name, class(&held));
    let need = need(target.id(), &group.name, &target.derived_rule_arn(aws));
    let tags = aws
        .log_group_tags(&need.log_group_arn)
        .await
        .map_err(|e| e.during(doing()))?;
    note_mark(operation, &tags, &owner(target));
    let verdict = log_policy::lasting_verdict(aws, &need)
        .await
        .map_err(|e| e.during(doing()))?;
    group.create = group.create && tags.get(OWNER_TAG) == Some(&owner(target));
    if group.create {
        group.retention_in_days = held.retention_in_days().map(i64::from);
        group.kms_key_id = filled(held.kms_key_id());
    }
    group.arn = Some(need.log_group_arn);
    let differ = |(key, value): (&String, &String)| tags.get(key) != Some(value);
    let untagged = group.create && defaults::needed_tags(operation.client()).iter().any(differ);
    group.status = Some(match verdict {
        Verdict::Granted if untagged => "tags differ".to_owned(),
        verdict => in_words(&verdict).to_owned(),
    });
    Ok(group)
}

/// The group, if it has something of this target's: its tag, where it was to be made here, or our statements.
pub(super) async fn left(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    group: LogGroup,
) -> Result<Option<LogGroup>> {
    let group = read(operation, aws, target, group).await?;
    if group.status.as_deref() == Some(GROUP_MISSING) {
        return Ok(None);
    }
    if group.create {
        return Ok(Some(group));
    }
    let need = need(target.id(), &group.name, &target.derived_rule_arn(aws));
    let held = log_policy::holds_ours(aws, &need).await;
    let held = held.map_err(|e| e.during(doing::read_group(&group.name)))?;
    Ok(held.then_some(group))
}

/// Takes permission and tag off a group that an update leads away from.
pub(super) async fn let_go(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    [prior, plan]: [&Target; 2],
    rule_arn: &str,
) -> Result<()> {
    if plan.log_group.is_none() {
        revoke(operation, aws, prior, rule_arn, messages::TARGET_AS_CONFIGURED).await?;
    }
    match prior.own_group().filter(|_| plan.own_group().is_none()) {
        Some(group) => release(operation, aws, prior, group).await,
        None => Ok(()),
    }
}

/// Revokes this target's permission, and nobody else's. `standing`: the state of the target meanwhile.
pub(super) async fn revoke(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    rule_arn: &str,
    standing: &str,
) -> Result<()> {
    let Some(group) = &target.log_group else {
        return Ok(());
    };
    let need = need(target.id(), &group.name, rule_arn);
    let removed = log_policy::remove(operation, aws, &need).await;
    removed.map_err(|failure| messages::permission_not_revoked(&group.name, &failure, standing).into())
}

/// Removes our tag from a group that stays and is no longer ours: nothing else ever would.
async fn release(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
) -> Result<()> {
    let name = &group.name;
    let mut turn = handover::turn(operation, &object(aws, group)).await?;
    turn.disown(Owner::of(operation).as_ref());
    if turn.is_owned() {
        return Ok(());
    }
    let failed = |e: Error| e.during_with(doing::release_group(name), &messages::after_releasing_group());
    let Some(held) = aws.log_group(name).await.map_err(failed)? else {
        return Ok(());
    };
    let arn = arn_of(&held, group.arn.as_deref());
    let tags = aws.log_group_tags(&arn).await.map_err(failed)?;
    if tags.get(OWNER_TAG) != Some(&owner(target))
        || another(aws, target, name).await.map_err(failed)?.is_some()
    {
        return Ok(());
    }
    untag(aws, &arn, OWNER_TAG).await.map_err(failed)
}

/// The tag that names this target's rule as the owner.
fn owner(target: &Target) -> String {
    group_owner::rule(&target.event_bus_name, &target.rule)
}

/// The group, as this process knows it.
pub(super) fn object(aws: &Regional, group: &LogGroup) -> Object {
    Object::LogGroup {
        region: aws.name.clone(),
        name: group.name.clone(),
    }
}

/// The target is gone, and its group may pass on to a target of another rule in this apply.
pub(super) fn released(target: &Target, turn: &mut Turn) {
    turn.release(owner(target));
}

/// Deletes a group that was made here if the configuration says so; else warns that it stays, unless the plan has. `found`: the group was there
/// before a creation that did not end.
pub(super) async fn keep_or_delete(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
    turn: &mut Turn,
    found: bool,
) -> Result<Option<Diagnostic>> {
    let name = &group.name;
    turn.disown(Owner::of(operation).as_ref());
    let failed = |e: Error| e.during_with(doing::delete_group(name), &messages::after_deleting_group());
    // A target that was made here meanwhile may have asked for it; a process that finishes a killed apply looks before it deletes.
    if (turn.is_owned() || group.delete_on_destroy || is_marked(operation))
        && let Some(next) = pass_on(aws, name, &owner(target)).await.map_err(failed)?
    {
        return Ok(Some(group_owner::passes_on(name, &next)));
    }
    if !group.delete_on_destroy {
        take_mark(operation, aws, target, group).await?;
    }
    if found && group.delete_on_destroy {
        return Ok(Some(group_messages::group_was_there_before(name)));
    }
    if !group.delete_on_destroy {
        // The plan has said so.
        return Ok(None);
    }
    if turn.is_owned() {
        return Ok(Some(group_messages::group_stays_with_resource(name)));
    }
    let Some(held) = aws.log_group(name).await.map_err(failed)? else {
        return Ok(None);
    };
    let arn = arn_of(&held, group.arn.as_deref());
    let tags = aws.log_group_tags(&arn).await.map_err(failed)?;
    let own = owner(target);
    if tags.get(OWNER_TAG) != Some(&own) {
        if tags.get(NEXT_OWNER_TAG) == Some(&own) {
            untag(aws, &arn, NEXT_OWNER_TAG).await.map_err(failed)?;
        }
        return Ok(Some(group_messages::group_stays_with_owner(name)));
    }
    if let Some(other) = another(aws, target, name).await.map_err(failed)? {
        return Ok(Some(group_messages::group_stays_with_target(name, other.id())));
    }
    let answer = aws.logs.delete_log_group().log_group_name(name).send().await;
    let answer = answer.map_err(|e| aws.failed("logs:DeleteLogGroup", e));
    gone(answer).map(|_| None).map_err(failed)
}

/// Notes whether the group is to pass to this target's rule, or from it to another one.
fn note_mark(operation: &Operation<'_, Target>, tags: &HashMap<String, String>, own: &str) {
    let is = |key: &str| tags.get(key).is_some_and(|tag| tag == own);
    let is_marked = is(NEXT_OWNER_TAG) || (is(OWNER_TAG) && tags.contains_key(NEXT_OWNER_TAG));
    operation.set_private(MARKED, if is_marked { "true" } else { "" });
}

fn is_marked(operation: &Operation<'_, Target>) -> bool {
    operation.private(MARKED).is_some()
}

/// Takes the mark of a next owner off a group that stays, unless another target of the rule needs it: nothing else ever would. Without a
/// note of it AWS is not asked.
pub(super) async fn take_mark(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
) -> Result<()> {
    let name = &group.name;
    let failed = |e: Error| e.during_with(doing::release_group(name), &messages::after_deleting_group());
    if !is_marked(operation) || another(aws, target, name).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    unmark(aws, name, &owner(target)).await.map_err(failed)
}

/// Another target of the same rule that leads to the group: the group is that one's, too.
async fn another(
    aws: &Regional,
    target: &Target,
    group: &str,
) -> std::result::Result<Option<WireTarget>, Error> {
    let leads =
        |other: &WireTarget| other.id() != target.id() && arn::log_group_name(other.arn()) == Some(group);
    let targets = aws.targets(&target.event_bus_name, &target.rule).await?;
    Ok(targets.into_iter().flatten().find(leads))
}

/// Puts tags on a group.
pub(in crate::resources) async fn tag(
    aws: &Regional,
    arn: &str,
    group: &LogGroup,
    tags: BTreeMap<String, String>,
    standing: &str,
) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    let call = aws
        .logs
        .tag_resource()
        .resource_arn(arn)
        .set_tags(Some(tags.into_iter().collect()));
    let answer = call.send().await.map_err(|e| aws.failed("logs:TagResource", e));
    answer.map(drop).map_err(|e| {
        e.during_with(
            doing::tag_group(&group.name),
            &messages::after_group_call(standing),
        )
    })
}

/// Brings the retention to what is planned.
pub(in crate::resources) async fn set_retention(
    aws: &Regional,
    group: &LogGroup,
    held: Option<&WireGroup>,
    standing: &str,
) -> Result<()> {
    let name = &group.name;
    let now = held.and_then(WireGroup::retention_in_days).map(i64::from);
    if now == group.retention_in_days {
        return Ok(());
    }
    let answer = if let Some(days) = group.retention_in_days.and_then(|days| i32::try_from(days).ok()) {
        let call = aws
            .logs
            .put_retention_policy()
            .log_group_name(name)
            .retention_in_days(days);
        call.send()
            .await
            .map(drop)
            .map_err(|e| aws.failed("logs:PutRetentionPolicy", e))
    } else {
        let call = aws.logs.delete_retention_policy().log_group_name(name);
        call.send()
            .await
            .map(drop)
            .map_err(|e| aws.failed("logs:DeleteRetentionPolicy", e))
    };
    answer.map_err(|e| e.during_with(doing::set_retention(name), &messages::after_group_call(standing)))
}

/// Brings the key of a group that was there to what is planned. One that is made has it from the start.
async fn set_key(aws: &Regional, group: &LogGroup, held: Option<&WireGroup>, standing: &str) -> Result<()> {
    let name = &group.name;
    let Some(now) = held.map(|held| filled(held.kms_key_id())) else {
        return Ok(());
    };
    if now == group.kms_key_id {
        return Ok(());
    }
    let answer = if let Some(key) = &group.kms_key_id {
        let call = aws.logs.associate_kms_key().log_group_name(name).kms_key_id(key);
        let answer = call.send().await.map(drop);
        answer.map_err(|e| aws.failed("logs:AssociateKmsKey", e))
    } else {
        let call = aws.logs.disassociate_kms_key().log_group_name(name);
        let answer = call.send().await.map(drop);
        answer.map_err(|e| aws.failed("logs:DisassociateKmsKey", e))
    };
    answer.map_err(|e| e.during_with(doing::set_key(name), &messages::after_group_call(standing)))
}

pub(super) fn need(target_id: &str, group: &str, rule_arn: &str) -> Need {
    let parts = arn::parse(rule_arn);
    let (region, account) = parts.map_or(("", ""), |arn| (arn.region, arn.account));
    Need {
        log_group_arn: arn::of_log_group(region, account, group),
        rule_arn: rule_arn.to_owned(),
        account: account.to_owned(),
        target_id: target_id.to_owned(),
    }
}

/// The class of a log group; a group of before there were classes has none.
pub(super) fn class(held: &WireGroup) -> &str {
    held.log_group_class().map_or("STANDARD", LogGroupClass::as_str)
}

fn in_words(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Granted => READY,
        Verdict::Missing(_) => "policy missing",
        Verdict::Denied { .. } => "policy denies",
    }
}
