//! The role of a subscriber, where it is made here: before the subscriber, and deleted after it. Whose a role is, its tag says.

use aws_sdk_iam::types::Tag;
use serde_json::Value;
use tfplugin::{Operation, Plan, Result};

use super::log_group::{self, READY, SUBSCRIBER_MISSING, TAGS_DIFFER};
use super::parts::Role;
use super::role_messages::{self as messages, doing};
use super::role_policy::{self, PATH, POLICY, is_same};
use super::{Subscriber, group_change};
use crate::aws::retry::gone;
use crate::aws::roles::HeldRole;
use crate::aws::tags::Tags;
use crate::aws::{Error, Regional, arn};
use crate::defaults;
use crate::failure::{Cause as _, Effect, Standing};
use crate::resources::group_owner::{OWNER_TAG, subscriber as owner};

const ROLE_MISSING: &str = "role missing";
const TRUST_DIFFERS: &str = "trust policy differs";
const POLICY_DIFFERS: &str = "policy differs";

/// Private state: the ARN of the role that was made for the subscriber. The creation of a replacement has that of the old one.
const MADE: &str = "made_role";

/// The role of the subscriber in whose place the planned one comes.
pub(super) fn of_replaced(plan: &Plan<'_, Subscriber>) -> Option<String> {
    String::from_utf8(plan.private(MADE)?).ok()
}

/// Notes the role that was made for a subscriber: the plan of one that is tainted gets nothing of it.
pub(super) fn note(operation: &Operation<'_, Subscriber>, state: &Subscriber) {
    if role_policy::is_own(state) {
        let walk = operation.client().walk();
        walk.made_role(state.known_role(), state.object());
    }
}

/// The role as it is to be.
struct Wanted {
    name: String,
    owner: String,
    trust: Value,
    policy: Option<Value>,
    boundary: Option<String>,
}

impl Wanted {
    fn of(subscriber: &Subscriber, region: &str, account: &str) -> Self {
        let name = &subscriber.name;
        Self {
            name: role_policy::name(name, region),
            owner: owner(&format!("{name}@{region}")),
            trust: role_policy::trust(name, region, account),
            policy: role_policy::policy(subscriber, region, account),
            boundary: subscriber
                .role
                .as_ref()
                .and_then(|role| role.permissions_boundary.clone()),
        }
    }

    fn owns(&self, held: &HeldRole) -> bool {
        held.tags.get(OWNER_TAG) == Some(&self.owner)
    }
}

/// Makes the role ready. It comes before the subscriber, which AWS does not make without one.
pub(super) async fn ensure(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    plan: &mut Subscriber,
    prior: Option<&Subscriber>,
) -> Result<()> {
    let Some(mut role) = plan.role.clone() else {
        return Ok(());
    };
    if !aws.has_roles {
        return Err(messages::events_alone_elsewhere().into());
    }
    let account = aws.account().await;
    let account = account.map_err(|e| e.during(messages::doing_account(&plan.name)))?;
    let wanted = Wanted::of(plan, &aws.name, account);
    let Some(policy) = &wanted.policy else {
        return Err(messages::no_actions(plan.target()).into());
    };
    let tags = defaults::tagging(operation.client())?;
    let held = match look(aws, &wanted.name).await? {
        Some(held) => claim(&wanted, held)?,
        None => make(aws, &plan.name, &wanted, tags.defaults).await?,
    };
    plan.role_arn = Some(held.arn.clone());
    operation.set_private(MADE, &*held.arn);
    match prior {
        None => {
            role.status = Some(SUBSCRIBER_MISSING.to_owned());
            plan.role = Some(role.clone());
            operation.save(plan.clone());
        }
        Some(prior) if prior.role.is_none() => {
            role.status = Some(POLICY_DIFFERS.to_owned());
            operation.save(Subscriber {
                role: Some(role.clone()),
                ..prior.clone()
            });
        }
        Some(_) => {}
    }
    let standing = Standing::of::<Error>().and(messages::role_is_there(prior.is_none()));
    let mut lacking = tags.managed(None);
    lacking.retain(|key, value| held.tags.get(key) != Some(value));
    repair(aws, &wanted, &held, lacking, &standing).await?;
    let before = prior.and_then(|prior| role_policy::held(prior, &aws.name, account));
    let policy = role_policy::with_those_of(policy, before.as_ref());
    write_policy(aws, &wanted, &policy, &standing).await?;
    role.status = Some(READY.to_owned());
    plan.role = Some(role);
    Ok(())
}

/// Makes a role; one that another attempt of the same call made is the same.
async fn make(aws: &Regional, subscriber: &str, wanted: &Wanted, defaults: &Tags) -> Result<HeldRole> {
    const CALL: &str = "iam:CreateRole";
    let name = &wanted.name;
    let mut tags = defaults.clone();
    tags.insert(OWNER_TAG.to_owned(), wanted.owner.clone());
    let create = aws.roles.create_role().role_name(name).path(PATH);
    let create = create
        .assume_role_policy_document(wanted.trust.to_string())
        .set_permissions_boundary(wanted.boundary.clone())
        .description(format!(
            "Delivers the events of the EventBridge subscriber {subscriber}."
        ))
        .set_tags(Some(wire_tags(&tags)));
    let error = match create.send().await.map_err(|e| aws.failed(CALL, e)) {
        Ok(made) => {
            let role = aws.given(CALL, "Role", made.role);
            let role = role.map_err(|e| e.during(doing::make(name)))?;
            return Ok(HeldRole {
                tags,
                boundary: wanted.boundary.clone(),
                ..HeldRole::from_wire(&role)
            });
        }
        Err(e) => e,
    };
    if (error.code() == Some("EntityAlreadyExists") || error.effect() == Effect::Unknown)
        && let Some(held) = look(aws, name).await?
    {
        return claim(wanted, held);
    }
    Err(messages::failed(
        &error,
        doing::make(name),
        Standing::of::<Error>(),
    ))
}

async fn look(aws: &Regional, name: &str) -> Result<Option<HeldRole>> {
    let held = aws.role(name).await;
    held.map_err(|e| messages::failed(&e, doing::look_for(name), Standing::of::<Error>()))
}

/// A role that is there, if its tag says that it was made for this subscriber.
fn claim(wanted: &Wanted, held: HeldRole) -> Result<HeldRole> {
    if wanted.owns(&held) {
        return Ok(held);
    }
    let found = held.tags.get(OWNER_TAG).map(String::as_str);
    Err(messages::role_of_another(&wanted.name, &held.arn, found, &wanted.owner).into())
}

/// Writes what of trust, permissions boundary and tags differs.
async fn repair(
    aws: &Regional,
    wanted: &Wanted,
    held: &HeldRole,
    lacking: Tags,
    standing: &Standing,
) -> Result<()> {
    let name = &wanted.name;
    if !is_same(&held.trust, &wanted.trust) {
        let call = aws.roles.update_assume_role_policy().role_name(name);
        let answer = call.policy_document(wanted.trust.to_string()).send().await;
        let answer = answer.map_err(|e| aws.failed("iam:UpdateAssumeRolePolicy", e));
        answer.map_err(|e| messages::failed(&e, doing::trust(name), standing.clone()))?;
    }
    if held.boundary != wanted.boundary {
        bound(aws, wanted, standing).await?;
    }
    if !lacking.is_empty() {
        let call = aws.roles.tag_role().role_name(name);
        let answer = call.set_tags(Some(wire_tags(&lacking))).send().await;
        let answer = answer.map_err(|e| aws.failed("iam:TagRole", e));
        answer.map_err(|e| messages::failed(&e, doing::tag(name), standing.clone()))?;
    }
    Ok(())
}

/// Writes the permissions boundary, or takes it away.
async fn bound(aws: &Regional, wanted: &Wanted, standing: &Standing) -> Result<()> {
    let name = &wanted.name;
    let done = if let Some(boundary) = &wanted.boundary {
        let call = aws.roles.put_role_permissions_boundary().role_name(name);
        let answer = call.permissions_boundary(boundary).send().await.map(drop);
        answer.map_err(|e| aws.failed("iam:PutRolePermissionsBoundary", e))
    } else {
        let call = aws.roles.delete_role_permissions_boundary().role_name(name);
        let answer = call.send().await;
        gone(answer.map_err(|e| aws.failed("iam:DeleteRolePermissionsBoundary", e))).map(drop)
    };
    done.map_err(|e| messages::failed(&e, doing::bound(name), standing.clone()))
}

async fn write_policy(aws: &Regional, wanted: &Wanted, policy: &Value, standing: &Standing) -> Result<()> {
    let name = &wanted.name;
    let held = aws.role_policy(name, POLICY).await;
    let held = held.map_err(|e| messages::failed(&e, doing::read(name), standing.clone()))?;
    if held.is_some_and(|held| is_same(&held, policy)) {
        return Ok(());
    }
    let call = aws.roles.put_role_policy().role_name(name).policy_name(POLICY);
    let answer = call.policy_document(policy.to_string()).send().await;
    let answer = answer.map_err(|e| aws.failed("iam:PutRolePolicy", e));
    answer
        .map(drop)
        .map_err(|e| messages::failed(&e, doing::allow(name), standing.clone()))
}

fn wire_tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build().ok();
    tags.iter().filter_map(tag).collect()
}

/// Reads the role back. Without permission it stays as the state has it, with a warning. An import finds one that was made for the
/// subscriber by its path and tag.
pub(super) async fn read(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    state: &mut Subscriber,
    imported: bool,
) -> Result<()> {
    let is_candidate = imported && role_policy::is_in_path(state.known_role());
    if (state.role.is_none() && !is_candidate) || !aws.has_roles {
        return Ok(());
    }
    let account = arn::account(state.known_arn()).unwrap_or_default();
    let wanted = Wanted::of(state, &aws.name, account);
    let status = match status(operation, aws, &wanted).await {
        Ok(status) => status,
        Err(e) if e.is_denied() && imported => return Ok(()),
        Err(e) if e.is_denied() => {
            operation.warn(messages::not_seen(&wanted.name, &e));
            return Ok(());
        }
        Err(e) => return Err(e.during(doing::read(&wanted.name))),
    };
    let Some((status, held)) = status else {
        state.role = None;
        return Ok(());
    };
    operation.set_private(MADE, state.known_role());
    let role = state.role.get_or_insert(Role {
        create: true,
        permissions_boundary: None,
        status: None,
    });
    role.status = Some(status.to_owned());
    if let Some(held) = held {
        role.permissions_boundary = held.boundary;
    }
    Ok(())
}

/// What of the role is missing, and the role as it is; none where it is another's.
async fn status(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    wanted: &Wanted,
) -> std::result::Result<Option<(&'static str, Option<HeldRole>)>, Error> {
    let Some(held) = aws.role(&wanted.name).await? else {
        return Ok(Some((ROLE_MISSING, None)));
    };
    if !wanted.owns(&held) {
        return Ok(None);
    }
    let policy = aws.role_policy(&wanted.name, POLICY).await?;
    let is_allowed = wanted
        .policy
        .as_ref()
        .zip(policy)
        .is_some_and(|(wanted, held)| is_same(&held, wanted));
    let needed = defaults::needed_tags(operation.client());
    let is_tagged = needed
        .iter()
        .all(|(key, value)| held.tags.get(key) == Some(value));
    let status = if !is_same(&held.trust, &wanted.trust) {
        TRUST_DIFFERS
    } else if !is_allowed {
        POLICY_DIFFERS
    } else if !is_tagged {
        TAGS_DIFFER
    } else {
        READY
    };
    Ok(Some((status, Some(held))))
}

/// The state of a subscriber that is not at AWS: none, unless a creation or destroy did not end and left a log group or role of its own, so
/// that a destroy finds them.
pub(super) async fn without_subscriber(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    mut state: Subscriber,
) -> Result<Option<Subscriber>> {
    let has_role = is_left(operation, aws, &state).await?;
    if state.arn.take().is_some() {
        if !has_role {
            return Ok(None);
        }
        // Kept, it would be deleted with its events; out of the state, a creation adopts it, as where no role is left.
        state.log_group = None;
        group_change::end(operation);
    }
    let has_group = log_group::is_left(operation, aws, &mut state).await?;
    if let Some(role) = state.role.as_mut() {
        let status = if has_role {
            SUBSCRIBER_MISSING
        } else {
            ROLE_MISSING
        };
        role.status = Some(status.to_owned());
    }
    Ok((has_group || has_role).then_some(state))
}

/// Whether the role that was made here is there without its subscriber. Where that cannot be looked at, it may be.
async fn is_left(operation: &Operation<'_, Subscriber>, aws: &Regional, state: &Subscriber) -> Result<bool> {
    if state.role.is_none() || !aws.has_roles {
        return Ok(false);
    }
    let wanted = Wanted::of(state, &aws.name, "");
    match aws.role(&wanted.name).await {
        Ok(held) => Ok(held.is_some_and(|held| wanted.owns(&held))),
        Err(e) if e.is_denied() => {
            operation.warn(messages::not_seen(&wanted.name, &e));
            Ok(true)
        }
        Err(e) => Err(e.during(doing::look_for(&wanted.name))),
    }
}

/// Deletes a role that was made here. Where this state had no subscriber, one of its name may have the role.
pub(super) async fn delete(aws: &Regional, state: &Subscriber, was_there: bool) -> Result<()> {
    let Some((name, _)) = own(aws, state).await? else {
        return Ok(());
    };
    if !was_there && log_group::is_anothers(aws, &state.name).await? {
        return Ok(());
    }
    remove(aws, name).await
}

/// Once the subscriber is changed: its role no longer allows what was needed before. Deletes the role that was made here, where the
/// subscriber has another; where `role_arn` names that very role, it stays, and is no longer this subscriber's.
pub(super) async fn let_go(
    operation: &Operation<'_, Subscriber>,
    aws: &Regional,
    plan: &Subscriber,
    prior: &Subscriber,
) -> Result<()> {
    if plan.role.is_some() {
        return narrow(aws, plan, prior).await;
    }
    operation.set_private(MADE, "");
    match own(aws, prior).await? {
        Some((name, held)) if held.arn == plan.known_role() => release(aws, &name).await,
        Some((name, _)) => remove(aws, name).await,
        None => Ok(()),
    }
}

/// Takes away what the role allowed for the time of a change alone.
async fn narrow(aws: &Regional, plan: &Subscriber, prior: &Subscriber) -> Result<()> {
    let account = arn::account(plan.known_arn()).unwrap_or_default();
    let wanted = Wanted::of(plan, &aws.name, account);
    let before = role_policy::held(prior, &aws.name, account);
    let Some((policy, before)) = wanted.policy.as_ref().zip(before) else {
        return Ok(());
    };
    if role_policy::with_those_of(policy, Some(&before)) == *policy {
        return Ok(());
    }
    write_policy(aws, &wanted, policy, &messages::after_changing()).await
}

/// Takes this subscriber's tag off the role.
async fn release(aws: &Regional, name: &str) -> Result<()> {
    let call = aws.roles.untag_role().role_name(name).tag_keys(OWNER_TAG);
    let answer = call.send().await.map_err(|e| aws.failed("iam:UntagRole", e));
    answer
        .map(drop)
        .map_err(|e| messages::failed(&e, doing::untag(name), messages::after_untagging()))
}

async fn remove(aws: &Regional, name: String) -> Result<()> {
    let failed = |e: Error| messages::failed(&e, doing::delete(&name), messages::after_deleting());
    let policy = aws.roles.delete_role_policy().role_name(&name);
    let answer = policy.policy_name(POLICY).send().await;
    let _gone = gone(answer.map_err(|e| aws.failed("iam:DeleteRolePolicy", e))).map_err(failed)?;
    let answer = aws.roles.delete_role().role_name(&name).send().await;
    match gone(answer.map_err(|e| aws.failed("iam:DeleteRole", e))) {
        Ok(_) => Ok(()),
        Err(e) if e.code() == Some("DeleteConflict") => Err(messages::has_more(&name, &e).into()),
        Err(e) => Err(failed(e)),
    }
}

/// The role that was made here and its name, if it is there and its tag names this subscriber.
async fn own(aws: &Regional, state: &Subscriber) -> Result<Option<(String, HeldRole)>> {
    if state.role.is_none() || !aws.has_roles {
        return Ok(None);
    }
    let wanted = Wanted::of(state, &aws.name, "");
    let held = look(aws, &wanted.name).await?;
    let held = held.filter(|held| wanted.owns(held));
    Ok(held.map(|held| (wanted.name, held)))
}
