//! The log group of a target, and EventBridge's permission to write to it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::types::LogGroup as WireGroup;
use aws_sdk_eventbridge::types::Target as WireTarget;
use tfplugin::{Cx, Diagnostic, Result};

use super::{LogGroup, Target};
use crate::aws::policy::{Need, Verdict};
use crate::aws::settle::gone;
use crate::aws::{Error, Regional, Standing, arn, checks, log_policy, planned, target_id};

/// The tag that names the owner of a log group made here.
const OWNER_TAG: &str = "scalr-eventbridge:owner";
const TAG_VALUE_LENGTH_MAX: usize = 256;

/// The group is there and EventBridge may write.
pub(super) const READY: &str = "ready";

/// Makes the group where it is to be made, and sees to retention and permission.
pub(super) async fn ensure(
    cx: &Cx<'_, Target>,
    aws: &Regional,
    target: &Target,
    group: &mut LogGroup,
    rule_arn: &str,
    of_target: &str,
) -> Result<()> {
    let owner = owner(&target.event_bus_name, &target.rule);
    let default_tags = planned::default_tags(cx.client())?;
    let held = find_or_make(aws, target, group, &owner, default_tags).await?;
    let standing = format!("The log group is there; {of_target}");
    if group.create {
        if let Some(Held { wire, tags }) = &held {
            let lacks = |(key, value): &(&String, &String)| tags.get(*key) != Some(*value);
            let lacking = default_tags.iter().filter(lacks);
            let lacking = lacking.map(|(key, value)| (key.clone(), value.clone())).collect();
            tag(aws, &arn_of(wire, group), group, lacking, &standing).await?;
        }
        keep_for(aws, group, held.as_ref().map(|held| &held.wire), &standing).await?;
    }
    let need = need(target, &group.name, rule_arn);
    if let Err(failure) = log_policy::ensure(cx, aws, &need).await {
        let name = &group.name;
        return Err(
            Diagnostic::error(format!("EventBridge may not write to the log group `{name}`"))
                .detail(failure.detail(&standing))
                .at("log_group")
                .into(),
        );
    }
    group.arn = Some(need.log_group_arn);
    group.status = Some(READY.to_owned());
    Ok(())
}

/// Reads group and permission back. The tag says whether a group that this target is to have made is (still) its rule's.
pub(super) async fn read(
    cx: &Cx<'_, Target>,
    aws: &Regional,
    target: &Target,
    mut group: LogGroup,
) -> Result<LogGroup> {
    let doing = || format!("cannot read the log group `{}`", group.name);
    let Some(held) = aws.log_group(&group.name).await.map_err(|e| e.during(doing()))? else {
        group.status = Some("log group missing".to_owned());
        return Ok(group);
    };
    let account = target.arn.as_deref().and_then(arn::account).unwrap_or_default();
    let rule_arn = arn::of_rule(&aws.name, account, &target.event_bus_name, &target.rule);
    let need = need(target, &group.name, &rule_arn);
    let tags = aws
        .log_group_tags(&need.log_group_arn)
        .await
        .map_err(|e| e.during(doing()))?;
    let verdict = log_policy::lasting_verdict(aws, &need)
        .await
        .map_err(|e| e.during(doing()))?;
    group.create = group.create && tags.get(OWNER_TAG) == Some(&owner(&target.event_bus_name, &target.rule));
    if group.create {
        group.retention_in_days = held.retention_in_days().map(i64::from);
    }
    group.arn = Some(need.log_group_arn);
    let differ = |(key, value): (&String, &String)| tags.get(key) != Some(value);
    let untagged = group.create && planned::default_tags(cx.client())?.iter().any(differ);
    group.status = Some(match verdict {
        Verdict::Granted if untagged => "tags differ".to_owned(),
        verdict => in_words(&verdict).to_owned(),
    });
    Ok(group)
}

/// Takes this target's permission back, and nobody else's. `standing` says how the target stands meanwhile.
pub(super) async fn revoke(
    cx: &Cx<'_, Target>,
    aws: &Regional,
    target: &Target,
    rule_arn: &str,
    standing: &str,
) -> Result<()> {
    let Some(group) = &target.log_group else {
        return Ok(());
    };
    let need = need(target, &group.name, rule_arn);
    log_policy::remove(cx, aws, &need).await.map_err(|failure| {
        Diagnostic::error(format!(
            "Cannot take back the permission to write to the log group `{}`",
            group.name
        ))
        .detail(failure.detail(standing))
        .into()
    })
}

/// Takes our tag off a group that stays and is ours no longer: nothing else would ever do it.
pub(super) async fn let_go(aws: &Regional, target: &Target, group: &LogGroup) -> Result<()> {
    let name = &group.name;
    let standing = Standing::same(
        "The target is as configured; the log group still carries the tag. Apply again to go on.",
    );
    let failed = |e: Error| e.during_with(format!("cannot let the log group `{name}` go"), &standing);
    let Some(held) = aws.log_group(name).await.map_err(failed)? else {
        return Ok(());
    };
    let arn = arn_of(&held, group);
    let tags = aws.log_group_tags(&arn).await.map_err(failed)?;
    if tags.get(OWNER_TAG) != Some(&owner(&target.event_bus_name, &target.rule))
        || another(aws, target, name).await.map_err(failed)?.is_some()
    {
        return Ok(());
    }
    let call = aws.logs.untag_resource().resource_arn(arn).tag_keys(OWNER_TAG);
    let answer = call.send().await.map_err(|e| aws.failed("logs:UntagResource", e));
    gone(answer).map(drop).map_err(failed)
}

/// Said at plan, of a group that is ours and will not be.
pub(super) fn will_be_let_go(group: &LogGroup) -> Diagnostic {
    let name = &group.name;
    let kept = group
        .retention_in_days
        .map_or_else(|| "for ever".to_owned(), |days| format!("for {days} days"));
    Diagnostic::warning(format!("The log group `{name}` stays, and is no longer this target's")).detail(format!(
        "Its tag `{OWNER_TAG}` is taken off. It goes on keeping events {kept}, and a destroy will not delete it. With \
         `create = true` it would not be taken up again."
    ))
}

/// Said at plan, of a group that goes with a target that is replaced.
pub(super) fn will_be_deleted(group: &LogGroup) -> Diagnostic {
    let name = &group.name;
    Diagnostic::warning(format!("The log group `{name}` and its events are deleted")).detail(
        "The target is replaced, and `delete_on_destroy = true` holds for that too. Apply `delete_on_destroy = false` before \
         this change to keep them.",
    )
}

/// Deletes a group that was made here if the configuration says so; else says what stays.
pub(super) async fn leave_or_delete(
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
) -> Result<Option<Diagnostic>> {
    if !group.create {
        return Ok(None);
    }
    let name = &group.name;
    if !group.delete_on_destroy {
        return Ok(Some(Diagnostic::warning(format!("The log group `{name}` and its events stay")).detail(format!(
            "It is in {} and costs storage for as long as it keeps events. A target that takes this one's place goes on using \
             it. Once none leads to it, delete it with `aws logs delete-log-group --log-group-name {name} --region {}`; with \
             `delete_on_destroy = true` a destroy does that.",
            aws.name, aws.name
        ))));
    }
    let standing = Standing::default().and(
        "The target is still there, without the permission to write to the log group; the next destroy goes on from here.",
    );
    let failed = |e: Error| e.during_with(format!("cannot delete the log group `{name}`"), &standing);
    let Some(held) = aws.log_group(name).await.map_err(failed)? else {
        return Ok(None);
    };
    let tags = aws.log_group_tags(&arn_of(&held, group)).await.map_err(failed)?;
    if tags.get(OWNER_TAG) != Some(&owner(&target.event_bus_name, &target.rule)) {
        return Ok(Some(
            Diagnostic::warning(format!("The log group `{name}` stays: it has another owner")).detail(
                format!(
                    "Its tag `{OWNER_TAG}` no longer names this rule, so `delete_on_destroy` does not apply."
                ),
            ),
        ));
    }
    if let Some(other) = another(aws, target, name).await.map_err(failed)? {
        return Ok(Some(
            Diagnostic::warning(format!("The log group `{name}` stays: another target leads to it")).detail(format!(
                "The target `{}` of the same rule sends its events there, so `delete_on_destroy` does not apply.",
                other.id()
            )),
        ));
    }
    let answer = aws.logs.delete_log_group().log_group_name(name).send().await;
    let answer = answer.map_err(|e| aws.failed("logs:DeleteLogGroup", e));
    gone(answer).map(|_| None).map_err(failed)
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

/// A group that was there, with its tags where they matter: on one that is, or becomes, this rule's.
struct Held {
    wire: WireGroup,
    tags: HashMap<String, String>,
}

async fn find_or_make(
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
    owner: &str,
    default_tags: &BTreeMap<String, String>,
) -> Result<Option<Held>> {
    let name = &group.name;
    let doing = || format!("cannot make the log group `{name}`");
    let standing = Standing::new(
        "The call changed nothing.",
        "Whether the log group was made is not known; the next apply takes it up if it is there.",
    );
    let held = aws
        .log_group(name)
        .await
        .map_err(|e| e.during(format!("cannot look for the log group `{name}`")))?;
    match held {
        Some(wire) if group.create => claim(aws, target, group, wire, owner).await.map(Some),
        Some(wire) => Ok(Some(Held {
            wire,
            tags: HashMap::new(),
        })),
        None if !group.create => Err(Diagnostic::error(format!(
            "There is no log group `{name}` in {}",
            aws.name
        ))
        .detail("Nothing was made. Set `create = true` to have it made here, or make it first.")
        .at("log_group.name")
        .into()),
        None => match make(aws, name, owner, default_tags).await {
            Ok(()) => Ok(None),
            // Made meanwhile: by the first attempt of a call whose answer was lost, or by somebody else.
            Err(e) if e.code() == Some("ResourceAlreadyExistsException") => {
                match aws.log_group(name).await.map_err(|e| e.during(doing()))? {
                    Some(wire) => claim(aws, target, group, wire, owner).await.map(Some),
                    None => Ok(None),
                }
            }
            Err(e) => Err(e.during_with(doing(), &standing)),
        },
    }
}

/// The tag goes into the very call that makes the group: a kill in between must not leave one that nobody owns.
async fn make(
    aws: &Regional,
    name: &str,
    owner: &str,
    default_tags: &BTreeMap<String, String>,
) -> std::result::Result<(), Error> {
    let mut call = aws.logs.create_log_group().log_group_name(name);
    for (key, value) in default_tags {
        call = call.tags(key, value);
    }
    let answer = call.tags(OWNER_TAG, owner).send().await;
    answer.map(drop).map_err(|e| aws.failed("logs:CreateLogGroup", e))
}

/// Sees to it that a group that is there is this rule's, or can be: the rule that had it is gone, as after a rename.
async fn claim(
    aws: &Regional,
    target: &Target,
    group: &LogGroup,
    wire: WireGroup,
    owner: &str,
) -> Result<Held> {
    let (name, arn) = (&group.name, arn_of(&wire, group));
    let tags = aws.log_group_tags(&arn).await;
    let tags = tags.map_err(|e| e.during(format!("cannot read the tags of the log group `{name}`")))?;
    let found = tags.get(OWNER_TAG);
    if found.is_some_and(|found| found == owner) {
        return Ok(Held { wire, tags });
    }
    // A rule that is there may be about to lead to it.
    if let Some((bus, rule)) = found.and_then(|found| former(found, &target.event_bus_name)) {
        let rule_held = aws.rule(bus, rule).await;
        let doing = || format!("cannot look for the rule `{rule}`, which has the log group `{name}`");
        if rule_held.map_err(|e| e.during(doing()))?.is_none() {
            let mine = BTreeMap::from([(OWNER_TAG.to_owned(), owner.to_owned())]);
            let standing = "The log group is as it was, and the target was not made.";
            tag(aws, &arn, group, mine, standing).await?;
            return Ok(Held { wire, tags });
        }
    }
    Err(not_ours(name, &aws.name, found.map(String::as_str), (&arn, owner)).into())
}

/// Bus and rule that a tag names, if what they had may pass on to a rule of this bus: a rule that is renamed stays on its
/// bus, and a connection that is renamed has another bus beside it, of the same Scalr account.
fn former<'a>(found: &'a str, bus: &str) -> Option<(&'a str, &'a str)> {
    let (theirs, rule) = found.rsplit_once('/')?;
    let near = theirs == bus || (account_of(bus).is_some() && account_of(theirs) == account_of(bus));
    (near && checks::bus(theirs).is_ok() && checks::name(rule).is_ok()).then_some((theirs, rule))
}

/// What a partner's bus has before the connection's name.
fn account_of(bus: &str) -> Option<&str> {
    bus.rsplit_once('/').map(|(account, _)| account)
}

/// Puts tags on a group.
async fn tag(
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
    let doing = || format!("cannot tag the log group `{}`", group.name);
    answer
        .map(drop)
        .map_err(|e| e.during_with(doing(), &Standing::default().and(standing)))
}

/// `mine`: the group's ARN and this rule's mark.
fn not_ours(name: &str, region: &str, found: Option<&str>, mine: (&str, &str)) -> Diagnostic {
    let whose = found.map_or_else(
        || format!("has no tag `{OWNER_TAG}`, so it was made elsewhere or was let go"),
        |found| format!("belongs to another rule: its tag `{OWNER_TAG}` is `{found}`"),
    );
    let replaced = if found.is_some() {
        " If that rule is being replaced, `create_before_destroy` is in the way: without it, the log group is taken over."
    } else {
        ""
    };
    let (arn, owner) = mine;
    Diagnostic::error(format!("The log group `{name}` exists already"))
        .detail(format!(
            "It is in {region} and {whose}. It was left as it is. Set `create = false` to use it without owning it (its \
             retention is then left alone, and it outlives this target), or choose another name.{replaced} To hand the log group \
             over to this target, run `aws logs tag-resource --region {region} --resource-arn {arn} --tags \
             {OWNER_TAG}={owner}` and apply again."
        ))
        .at("log_group.create")
}

/// Brings the retention to what is planned.
async fn keep_for(aws: &Regional, group: &LogGroup, held: Option<&WireGroup>, standing: &str) -> Result<()> {
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
    answer.map_err(|e| {
        let doing = format!("cannot set the retention of the log group `{name}`");
        e.during_with(doing, &Standing::default().and(standing))
    })
}

fn need(target: &Target, group: &str, rule_arn: &str) -> Need {
    let parts = arn::parse(rule_arn);
    let (region, account) = parts.map_or(("", ""), |arn| (arn.region, arn.account));
    Need {
        log_group_arn: arn::of_log_group(region, account, group),
        rule_arn: rule_arn.to_owned(),
        account: account.to_owned(),
        target_id: target.id().to_owned(),
    }
}

fn arn_of(held: &WireGroup, group: &LogGroup) -> String {
    let arn = held
        .log_group_arn()
        .or(held.arn())
        .or(group.arn.as_deref())
        .unwrap_or_default();
    arn.trim_end_matches(":*").to_owned()
}

fn in_words(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Granted => READY,
        Verdict::Missing(_) => "policy missing",
        Verdict::Denied { .. } => "policy denies",
    }
}

/// Bus and rule; shortened with a digest where a tag is too short for them.
fn owner(bus: &str, rule: &str) -> String {
    let whole = format!("{bus}/{rule}");
    if whole.len() <= TAG_VALUE_LENGTH_MAX {
        return whole;
    }
    let digest = target_id::digest(&whole);
    let kept = TAG_VALUE_LENGTH_MAX - digest.len() - 1;
    format!("{}={digest}", whole.get(..kept).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_fit_a_tag_and_stay_apart() {
        assert_eq!(
            owner("aws.partner/scalr.com/a/b", "r"),
            "aws.partner/scalr.com/a/b/r"
        );
        let bus = "b".repeat(256);
        let (one, other) = (owner(&bus, "r1"), owner(&bus, "r2"));
        assert_eq!((one.len(), other.len()), (256, 256));
        assert_ne!(one, other);
    }

    #[test]
    fn a_group_of_somebody_else_is_refused_by_name_of_the_way_out() {
        for (found, says) in [(None, "made elsewhere"), (Some("x/y"), "`x/y`")] {
            let detail = not_ours("/g", "us-east-1", found, ("arn:g", "b/r")).detail;
            for part in [
                says,
                "`create = false`",
                "--resource-arn arn:g --tags scalr-eventbridge:owner=b/r`",
            ] {
                assert!(detail.contains(part), "{detail}");
            }
        }
    }

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
            assert_eq!(
                former(found, bus).map(|(_, rule)| rule),
                expected,
                "{found} {bus}"
            );
        }
    }
}
