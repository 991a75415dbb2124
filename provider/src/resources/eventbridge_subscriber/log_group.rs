//! The log group of a subscriber: made with its stream, and reached by the call that writes to it. Whose a group is, its tag says, as
//! that of a group of a target.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::LogGroup as WireGroup;
use serde_json::json;
use tfplugin::{Diagnostics, Operation, Result};
use tokio::time::Instant;

use super::Subscriber;
use super::group_change::{self, Others};
use super::messages::{self, doing};
use super::parts::LogGroup;
use crate::aws::retry::gone;
use crate::aws::{Error, Regional, arn};
use crate::defaults;
use crate::failure::{Cause as _, Effect, Standing};
use crate::ownership::{Object, Owner, Turn};
use crate::resources::eventbridge_target::{self as target, TargetGroup};
use crate::resources::group_owner::{
    self, Holder, NEXT_OWNER_TAG, OWNER_TAG, Sight, arn_of, subscriber as owner, untag,
};
use crate::resources::handover;
use crate::resources::messages::queue_ended;
use crate::values::Json;

const EVERY: Duration = Duration::from_secs(2);
/// How long the target of a rule may have the group: this apply may be about to destroy it.
const OF_RULE_MAX: Duration = Duration::from_secs(15);

/// The target that writes to log groups.
pub(super) const CALL: &str = "arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents";
/// The group and its stream are there.
pub(super) const READY: &str = "ready";
const GROUP_MISSING: &str = "log group missing";
const STREAM_MISSING: &str = "log stream missing";
pub(super) const SUBSCRIBER_MISSING: &str = "subscriber missing";
pub(super) const TAGS_DIFFER: &str = "tags differ";
const ANOTHER_LEFT: &str = "another log group left";

/// The arguments of the call: each event is a line, as it was published. `$events` is a list.
pub(super) fn input(group: &str, stream: &str) -> Json {
    let lines = "{% [$events.{ 'Timestamp': $millis(), 'Message': $string(Data) }] %}";
    let input = json!({ "LogGroupName": group, "LogStreamName": stream, "LogEvents": lines });
    Json::from(&*input.to_string())
}

/// Group and stream, if arguments are those of [`input`].
pub(super) fn parse_input(text: &Json) -> Option<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let group = value["LogGroupName"].as_str()?;
    let stream = value["LogStreamName"].as_str()?;
    (input(group, stream) == *text).then(|| (group.to_owned(), stream.to_owned()))
}

/// Makes group and stream ready. They come before the subscriber: its first delivery must find them.
pub(super) async fn ensure(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    plan: &mut Subscriber,
    prior: Option<&Subscriber>,
) -> Result<()> {
    let Some(mut group) = plan.log_group.clone() else {
        return Ok(());
    };
    // Nothing that can fail comes between the group and the state.
    let account = aws.account().await;
    let account = account.map_err(|e| e.during(doing::look_for_group(&group.name)))?;
    let (mut turn, held) = wait_for(operation, aws, &plan.name, &group, prior.is_none()).await?;
    if group.create {
        turn.own(&Owner::ensure(operation));
    }
    let arn = || arn::of_log_group(&aws.name, account, &group.name);
    let known = held.as_ref().map(|held| arn_of(&held.wire, None));
    group.arn = Some(known.unwrap_or_else(arn));
    if prior.is_none() {
        group.status = Some(SUBSCRIBER_MISSING.to_owned());
        plan.log_group = Some(group.clone());
        operation.save(plan.clone());
    }
    let standing = messages::group_is_there(prior.is_none());
    if group.create {
        set_up(operation, aws, &group, held.as_ref(), standing).await?;
    }
    make_stream(aws, &group, standing).await?;
    group.status = Some(READY.to_owned());
    plan.log_group = Some(group);
    Ok(())
}

/// Tags and retention of a group that is this subscriber's.
async fn set_up(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    group: &LogGroup,
    held: Option<&ExistingGroup>,
    standing: &str,
) -> Result<()> {
    if let Some(held) = held {
        let mut lacking = defaults::tagging(operation.client())?.managed(None);
        lacking.retain(|key, value| held.tags.get(key) != Some(value));
        let arn = arn_of(&held.wire, None);
        target::tag(aws, &arn, &group.as_of_target(), lacking, standing).await?;
    }
    let wire = held.map(|held| &held.wire);
    target::set_retention(aws, &group.as_of_target(), wire, standing).await
}

/// A group that was there, with its tags where it is to be this subscriber's.
struct ExistingGroup {
    wire: WireGroup,
    tags: BTreeMap<String, String>,
}

/// Why there is no group for a subscriber.
enum NotMine {
    Failed(Diagnostics),
    /// A rule on this bus has it, whose target this apply may be about to destroy.
    OfRule {
        bus: Object,
        refused: Diagnostics,
    },
}

impl From<Diagnostics> for NotMine {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Failed(diagnostics)
    }
}

/// The turn at the group, once no target that this apply destroys has it any more; and the group that was there.
async fn wait_for(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    subscriber: &str,
    group: &LogGroup,
    is_new: bool,
) -> Result<(Turn, Option<ExistingGroup>)> {
    let mut since = None;
    let mut attempts = operation.attempts(EVERY);
    let mut left = queue_ended("Interrupted", &object(aws, &group.name)).into();
    while attempts.next().await.is_some() {
        // A target that is destroyed needs the turn for that: it is not kept over the wait.
        let turn = handover::turn(operation, &object(aws, &group.name)).await?;
        if group.create && is_new && turn.is_anothers(Owner::of(operation).as_ref()) {
            return Err(messages::group_of_this_apply(&group.name).into());
        }
        let (bus, refused) = match find_or_make(operation, aws, subscriber, group, &turn).await {
            Ok(held) => return Ok((turn, held)),
            Err(NotMine::Failed(failed)) => return Err(failed),
            Err(NotMine::OfRule { bus, refused }) => (bus, refused),
        };
        // While this apply removes something from the bus, time does not count.
        if operation.client().memory().is_going(&bus) {
            since = None;
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= OF_RULE_MAX {
            return Err(refused);
        }
        attempts.awaiting(messages::group_of_rule_still(&group.name));
        left = refused;
    }
    Err(left)
}

/// The group that was there and may be used; none where it is made.
async fn find_or_make(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    by: &str,
    group: &LogGroup,
    turn: &Turn,
) -> std::result::Result<Option<ExistingGroup>, NotMine> {
    let name = &group.name;
    match look(aws, name).await? {
        Some(held) if group.create => return claim(aws, by, group, held, turn).await.map(Some),
        Some(wire) => {
            return Ok(Some(ExistingGroup {
                wire,
                tags: BTreeMap::new(),
            }));
        }
        None if !group.create => return Err(Diagnostics::from(messages::no_group(name, &aws.name)).into()),
        None => {}
    }
    let tags = defaults::tagging(operation.client())?.defaults;
    match target::make_group(aws, &group.as_of_target(), &owner(by), tags).await {
        Ok(()) => Ok(None),
        // Made meanwhile: by the first attempt of a call whose answer was lost, or by somebody else.
        Err(e) if e.code() == Some("ResourceAlreadyExistsException") || e.effect() == Effect::Unknown => {
            match look(aws, name).await? {
                Some(held) => claim(aws, by, group, held, turn).await.map(Some),
                None => Err(e.during(doing::make_group(name)).into()),
            }
        }
        Err(e) => Err(e.during(doing::make_group(name)).into()),
    }
}

async fn look(aws: &Regional, name: &str) -> Result<Option<WireGroup>> {
    let held = aws.log_group(name).await;
    held.map_err(|e| e.during(doing::look_for_group(name)))
}

/// Adopts a group that is there: it is this subscriber's; or that of a subscriber or rule which is gone, as after another name or a move
/// from a Classic bus; or that of a target which this apply has destroyed. A rule that merely has no target for it may be about to get one
/// from another state.
async fn claim(
    aws: &Regional,
    by: &str,
    group: &LogGroup,
    wire: WireGroup,
    turn: &Turn,
) -> std::result::Result<ExistingGroup, NotMine> {
    let (name, arn, mine) = (&group.name, arn_of(&wire, None), owner(by));
    let tags = tags_of(aws, &wire, name).await?;
    let found = tags.get(OWNER_TAG);
    if found == Some(&mine) {
        return Ok(ExistingGroup { wire, tags });
    }
    let (holder, seen) = group_owner::seen(aws, found.map(String::as_str), name).await?;
    match holder.zip(seen) {
        Some((Holder::Subscriber { .. }, Sight::Gone)) => {}
        // A target that this apply makes may be about to send events there.
        Some((Holder::Rule { .. }, Sight::Gone)) if !turn.is_owned() => {}
        // Its target was destroyed in this apply.
        Some((Holder::Rule { .. }, Sight::Elsewhere)) if turn.released() == found.map(String::as_str) => {}
        other => {
            let found = (found.map(String::as_str), seen);
            let refused = messages::group_of_another(name, &aws.name, found, (&arn, &mine)).into();
            return Err(match other {
                Some((Holder::Rule { bus, .. }, Sight::Leads | Sight::Elsewhere)) => NotMine::OfRule {
                    bus: bus_object(aws, bus),
                    refused,
                },
                _ => NotMine::Failed(refused),
            });
        }
    }
    let tag = BTreeMap::from([(OWNER_TAG.to_owned(), mine)]);
    target::tag(aws, &arn, &group.as_of_target(), tag, messages::GROUP_AS_IT_WAS).await?;
    if tags.contains_key(NEXT_OWNER_TAG) {
        let removed = untag(aws, &arn, NEXT_OWNER_TAG).await;
        removed.map_err(|e| e.during(doing::tag_group(name)))?;
    }
    Ok(ExistingGroup { wire, tags })
}

async fn tags_of(aws: &Regional, held: &WireGroup, name: &str) -> Result<BTreeMap<String, String>> {
    let tags = aws.log_group_tags(&arn_of(held, None)).await;
    let tags = tags.map_err(|e| e.during(doing::read_group(name)))?;
    Ok(tags.into_iter().collect())
}

/// Events need a stream that is there.
async fn make_stream(aws: &Regional, group: &LogGroup, standing: &str) -> Result<()> {
    let (name, stream) = (&group.name, &group.log_stream);
    let call = aws.logs.create_log_stream().log_group_name(name);
    let answer = call.log_stream_name(stream).send().await;
    match answer.map_err(|e| aws.failed("logs:CreateLogStream", e)) {
        Ok(_) => Ok(()),
        Err(e) if e.code() == Some("ResourceAlreadyExistsException") => Ok(()),
        Err(e) => {
            let standing = Standing::of::<Error>().and(standing);
            Err(e.during_with(doing::make_stream(name, stream), &standing))
        }
    }
}

/// Reads group and stream back. The tag says whether a group that this subscriber is to have made is (still) its own.
pub(super) async fn read(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    subscriber: &str,
    mut group: LogGroup,
) -> Result<LogGroup> {
    let name = group.name.clone();
    let held = aws.log_group(&name).await;
    let Some(held) = held.map_err(|e| e.during(doing::read_group(&name)))? else {
        group.status = Some(GROUP_MISSING.to_owned());
        return Ok(group);
    };
    let tags = tags_of(aws, &held, &name).await?;
    group.arn = Some(arn_of(&held, None));
    group.create = group.create && tags.get(OWNER_TAG) == Some(&owner(subscriber));
    if group.create {
        group.retention_in_days = held.retention_in_days().map(i64::from);
    }
    let differ = |(key, value): (&String, &String)| tags.get(key) != Some(value);
    let is_untagged = group.create && defaults::needed_tags(operation.client()).iter().any(differ);
    let status = if !aws
        .has_log_stream(&name, &group.log_stream)
        .await
        .map_err(|e| e.during(doing::read_group(&name)))?
    {
        STREAM_MISSING
    } else if is_untagged {
        TAGS_DIFFER
    } else {
        READY
    };
    group.status = Some(status.to_owned());
    Ok(group)
}

/// Whether a creation that did not end left a group of its own, as the state then shows.
pub(super) async fn is_left(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    state: &mut Subscriber,
) -> Result<bool> {
    let Some(group) = state.log_group.take() else {
        return Ok(false);
    };
    let mut group = read(operation, aws, &state.name, group).await?;
    let is_left = group.create && group.status.as_deref() != Some(GROUP_MISSING);
    if is_left {
        group.status = Some(SUBSCRIBER_MISSING.to_owned());
    }
    state.log_group = Some(group);
    Ok(is_left)
}

/// Takes the tag off the groups that are no longer this subscriber's. They stay with their events, whatever `delete_on_destroy` is:
/// nothing is destroyed. One that was made for a change which did not come through is said: nothing else would.
pub(super) async fn let_go(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    plan: &Subscriber,
) -> Result<()> {
    let others = Others::of(operation, plan);
    for name in &others.former {
        release(operation, aws, &plan.name, name).await?;
    }
    for name in &others.next {
        if release(operation, aws, &plan.name, name).await? {
            operation.warn(messages::group_was_in_vain(name));
        }
    }
    group_change::end(operation);
    Ok(())
}

/// Takes this subscriber's tag off a group; whether it had it.
async fn release(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    subscriber: &str,
    name: &str,
) -> Result<bool> {
    let mut turn = handover::turn(operation, &object(aws, name)).await?;
    turn.disown(Owner::of(operation).as_ref());
    let Some(held) = own(aws, subscriber, name).await? else {
        return Ok(false);
    };
    let untagged = untag(aws, &arn_of(&held, None), OWNER_TAG).await;
    untagged.map_err(|e| e.during(doing::release_group(name)))?;
    Ok(true)
}

/// Deletes the groups that were made here, if the configuration says so; those before stay. Where this state had no subscriber, one of
/// its name may have the group.
pub(super) async fn delete(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    state: &Subscriber,
    was_there: bool,
) -> Result<()> {
    let others = Others::of(operation, state);
    if others.is_empty() && state.own_group().is_none() {
        return Ok(());
    }
    let is_anothers = !was_there && is_anothers(aws, &state.name).await?;
    let deletes = !is_anothers && state.own_group().is_some_and(|group| group.delete_on_destroy);
    for name in others.former.iter().filter(|_| !is_anothers) {
        release(operation, aws, &state.name, name).await?;
    }
    let current = state.own_group().map(|group| &group.name);
    // That of the state comes last: as long as it is there, the state is kept.
    for name in others.next.iter().chain(current) {
        delete_one(operation, aws, (&state.name, name), deletes).await?;
    }
    Ok(())
}

async fn delete_one(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    (subscriber, name): (&str, &str),
    deletes: bool,
) -> Result<()> {
    let mut turn = handover::turn(operation, &object(aws, name)).await?;
    turn.disown(Owner::of(operation).as_ref());
    let failed = |e: Error| e.during_with(doing::delete_group(name), &messages::after_deleting_group());
    if !deletes || own(aws, subscriber, name).await?.is_none() {
        return Ok(());
    }
    let answer = aws.logs.delete_log_group().log_group_name(name).send().await;
    let answer = answer.map_err(|e| aws.failed("logs:DeleteLogGroup", e));
    gone(answer).map(drop).map_err(failed)
}

/// Whether a subscriber of this name is there when this one is gone: the group is that one's, and the role.
pub(super) async fn is_anothers(aws: &Regional, subscriber: &str) -> Result<bool> {
    let named = aws.subscribers_named(subscriber).await;
    let named = named.map_err(|e| e.during(doing::read(subscriber)))?;
    Ok(!named.is_empty())
}

/// The group, if its tag names this subscriber.
async fn own(aws: &Regional, subscriber: &str, name: &str) -> Result<Option<WireGroup>> {
    let held = aws.log_group(name).await;
    let Some(held) = held.map_err(|e| e.during(doing::read_group(name)))? else {
        return Ok(None);
    };
    let tags = tags_of(aws, &held, name).await?;
    Ok((tags.get(OWNER_TAG) == Some(&owner(subscriber))).then_some(held))
}

fn bus_object(aws: &Regional, name: &str) -> Object {
    Object::Bus {
        region: aws.name.clone(),
        name: name.to_owned(),
    }
}

fn object(aws: &Regional, name: &str) -> Object {
    Object::LogGroup {
        region: aws.name.clone(),
        name: name.to_owned(),
    }
}

impl Subscriber {
    /// Reads the log group back, and notes the one `before` where AWS has the events led to another meanwhile.
    pub(super) async fn read_group(
        &mut self,
        operation: &Operation<'_, Self>,
        aws: &Regional,
        before: Option<String>,
    ) -> Result<()> {
        let Some(group) = self.log_group.take() else {
            return Ok(());
        };
        if let Some(before) = before.filter(|before| *before != group.name) {
            group_change::carried_out(operation, &before);
        }
        let mut group = read(operation, aws, &self.name, group).await?;
        let is_ready = group.status.as_deref() == Some(READY);
        self.log_group = Some(group.clone());
        if is_ready && !Others::of(operation, self).is_empty() {
            group.status = Some(ANOTHER_LEFT.to_owned());
            self.log_group = Some(group);
        }
        Ok(())
    }

    /// Saves that the subscriber is gone, so that a destroy finds a log group that could not be deleted.
    pub(super) fn subscriber_is_gone(&mut self, operation: &Operation<'_, Self>) {
        self.arn = None;
        if let Some(group) = &mut self.log_group {
            group.status = Some(SUBSCRIBER_MISSING.to_owned());
            operation.save(self.clone());
        }
    }
}

impl LogGroup {
    /// One that an import finds: its tag says whether it was made here.
    pub(super) fn imported(name: String, stream: String) -> Self {
        Self {
            name,
            create: true,
            log_stream: stream,
            retention_in_days: None,
            delete_on_destroy: false,
            arn: None,
            status: None,
        }
    }

    /// As a target would have it, for what both do alike.
    fn as_of_target(&self) -> TargetGroup {
        TargetGroup {
            create: self.create,
            retention_in_days: self.retention_in_days,
            ..TargetGroup::imported(&self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_were_written_here_are_known_again() {
        let known = input("/scalr/runs", "events");
        let parts = ("/scalr/runs".to_owned(), "events".to_owned());
        assert_eq!(parse_input(&known), Some(parts));
        for other in [
            "{}",
            "[]",
            r#"{"LogGroupName":"/a","LogStreamName":"b","LogEvents":[]}"#,
        ] {
            assert_eq!(parse_input(&Json::from(other)), None, "{other}");
        }
    }
}
