//! Roles: create, read, change and delete.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{self, Tag};
use super::{boundaries, fault, malformed, quota, role, role_to_change, roles, roles_to_change};
use crate::arn::partition;
use crate::clock::rfc3339_seconds;
use crate::fault::Fault;
use crate::ops::{Answer, Call, IAM_PAGES, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::role::{Role, RolePolicy};

/// How many roles an account may have: AWS's default quota.
const ROLES_MAX: usize = 1_000;
/// AWS's default quota of a trust policy.
const TRUST_CHARS_MAX: usize = 2_048;
const SESSION_SECONDS: i64 = 3_600;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateRole", create),
    &Op::read("GetRole", |call, input| get(call, &input)),
    &Op::read("ListRoles", |call, input| list(call, &input)),
    &Op::write("DeleteRole", |call, input| delete(call, &input)),
    &Op::write("UpdateRole", update),
    &Op::write("UpdateAssumeRolePolicy", trust),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    role_name: String,
    path: Option<String>,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    role_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    role_name: String,
    description: Option<String>,
    max_session_duration: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trust {
    role_name: String,
    policy_document: String,
}

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    let name = input.role_name;
    input
        .permissions_boundary
        .as_deref()
        .map_or(Ok(()), boundaries::check)?;
    check_trust(&input.assume_role_policy_document)?;
    let tags = tags::added(&BTreeMap::new(), input.tags)?;
    let is_name = |known: &String| known.eq_ignore_ascii_case(&name);
    let known = || roles(call).into_iter().flat_map(|roles| roles.by_name.keys());
    if known().any(is_name) {
        let why = format!("Role with name {name} already exists.");
        return Err(fault(409, "EntityAlreadyExists", why));
    }
    if known().count() >= ROLES_MAX {
        return Err(quota("RolesPerAccount", ROLES_MAX));
    }
    let new = Role {
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        id: new_id(call),
        trust: RolePolicy::new(input.assume_role_policy_document),
        description: input.description.filter(|text| !text.is_empty()),
        session_seconds_max: input.max_session_duration.unwrap_or(SESSION_SECONDS),
        created: call.turn.now,
        boundary: input.permissions_boundary,
        tags,
        policies: BTreeMap::new(),
    };
    let mut answer = shown(call, &name, &new);
    show_boundary(&mut answer, &new);
    answer["Tags"] = tags::shown(&new.tags);
    roles_to_change(call).insert(name, new);
    Ok(json!({ "Role": answer }))
}

/// `AROA` and 17 characters of the alphabet of AWS's ids.
fn new_id(call: &mut Call<'_>) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut id = "AROA".to_owned();
    for _ in 0..17 {
        let at = usize::try_from(call.turn.dice.roll() % 32).unwrap_or_default();
        id.push(char::from(ALPHABET[at]));
    }
    id
}

fn check_trust(text: &str) -> Result<(), Fault> {
    let policy = Policy::parse_trust(text).map_err(malformed)?;
    let assumes = |action: &str| {
        let action = action.to_ascii_lowercase();
        action == "*" || action.starts_with("sts:")
    };
    if !policy.actions().all(assumes) {
        return Err(malformed(
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ));
    }
    if text.chars().filter(|c| !c.is_whitespace()).count() > TRUST_CHARS_MAX {
        return Err(quota("ACLSizePerRole", TRUST_CHARS_MAX));
    }
    Ok(())
}

fn get(call: &Call<'_>, input: &Named) -> Answer {
    let found = role(call, &input.role_name)?;
    let mut shown = shown(call, &input.role_name, found);
    shown["RoleLastUsed"] = json!({});
    show_boundary(&mut shown, found);
    if !found.tags.is_empty() {
        shown["Tags"] = tags::shown(&found.tags);
    }
    Ok(json!({ "Role": shown }))
}

/// Without tags and boundaries, as with AWS.
fn list(call: &Call<'_>, input: &List) -> Answer {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let of_path = roles(call)
        .into_iter()
        .flat_map(|roles| &roles.by_name)
        .filter(|(_, role)| role.path.starts_with(prefix))
        .map(|(name, role)| (&**name, (name, role)));
    let page = IAM_PAGES.page("ListRoles", of_path, input.marker.as_deref(), input.max_items)?;
    let shown: Vec<Value> = page
        .items
        .into_iter()
        .map(|(name, role)| shown(call, name, role))
        .collect();
    Ok(without_nulls(json!({
        "Roles": { "member": shown },
        "IsTruncated": page.next.is_some(),
        "Marker": page.next,
    })))
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    if !role(call, &input.role_name)?.policies.is_empty() {
        let why = "Cannot delete entity, must delete policies first.";
        return Err(fault(409, "DeleteConflict", why));
    }
    roles_to_change(call).remove(&input.role_name);
    Ok(json!({}))
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    let role = role_to_change(call, &input.role_name)?;
    if let Some(description) = input.description {
        role.description = Some(description).filter(|text| !text.is_empty());
    }
    if let Some(seconds) = input.max_session_duration {
        role.session_seconds_max = seconds;
    }
    Ok(json!({}))
}

fn trust(call: &mut Call<'_>, input: Trust) -> Answer {
    let role = role_to_change(call, &input.role_name)?;
    check_trust(&input.policy_document)?;
    role.trust = RolePolicy::new(input.policy_document);
    Ok(json!({}))
}

/// AWS says `Policy`, where its model has `PermissionsBoundaryPolicy`.
fn show_boundary(shown: &mut Value, role: &Role) {
    if let Some(boundary) = &role.boundary {
        shown["PermissionsBoundary"] = json!({
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": boundary,
        });
    }
}

/// A role, without its tags and its boundary.
fn shown(call: &Call<'_>, name: &str, role: &Role) -> Value {
    let (region, account) = (&call.caller.region, &call.caller.account);
    without_nulls(json!({
        "Path": role.path,
        "RoleName": name,
        "RoleId": role.id,
        "Arn": format!("arn:{}:iam::{account}:role{}{name}", partition(region), role.path),
        "CreateDate": rfc3339_seconds(role.created),
        "AssumeRolePolicyDocument": encoded(&role.trust.text),
        "Description": role.description,
        "MaxSessionDuration": role.session_seconds_max,
    }))
}

/// Percent-encoded, as IAM gives every policy: SDKs and tools decode it.
pub(super) fn encoded(policy: &str) -> String {
    let mut out = String::new();
    for byte in policy.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
