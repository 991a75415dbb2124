//! The inline policies of roles. There are no managed policies and no instance profiles: their lists are empty.

use serde::Deserialize;
use serde_json::{Value, json};

use super::roles::encoded;
use super::{ListOfRole, fault, malformed, role, role_to_change};
use crate::fault::Fault;
use crate::ops::{Answer, Call, IAM_PAGES, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::role::RolePolicy;

/// The limit of all inline policies of a role together, without white space.
const POLICY_CHARS_MAX: usize = 10_240;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutRolePolicy", put),
    &Op::read("GetRolePolicy", |call, input| get(call, &input)),
    &Op::read("ListRolePolicies", |call, input| list(call, &input)),
    &Op::write("DeleteRolePolicy", |call, input| delete(call, &input)),
    &Op::read("ListAttachedRolePolicies", |call, input| {
        none_of(call, &input, "AttachedPolicies")
    }),
    &Op::read("ListInstanceProfilesForRole", |call, input| {
        none_of(call, &input, "InstanceProfiles")
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    role_name: String,
    policy_name: String,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    role_name: String,
    policy_name: String,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let role = role_to_change(call, &input.role_name)?;
    Policy::parse_permissions(&input.policy_document).map_err(|why| match &*why {
        "Has prohibited field Principal" => malformed("Policy document should not specify a principal."),
        _ => malformed(why),
    })?;
    let others = role
        .policies
        .iter()
        .filter(|(name, _)| **name != input.policy_name);
    let chars: usize = others.map(|(_, policy)| chars(&policy.text)).sum();
    if chars + self::chars(&input.policy_document) > POLICY_CHARS_MAX {
        let why = format!(
            "Maximum policy size of {POLICY_CHARS_MAX} bytes exceeded for role {}",
            input.role_name
        );
        return Err(fault(409, "LimitExceeded", why));
    }
    role.policies
        .insert(input.policy_name, RolePolicy::new(input.policy_document));
    Ok(json!({}))
}

fn chars(policy: &str) -> usize {
    policy.chars().filter(|c| !c.is_whitespace()).count()
}

fn get(call: &Call<'_>, input: &Named) -> Answer {
    let role = role(call, &input.role_name)?;
    let policy = role
        .policies
        .get(&input.policy_name)
        .ok_or_else(|| missing(input))?;
    Ok(json!({
        "RoleName": input.role_name,
        "PolicyName": input.policy_name,
        "PolicyDocument": encoded(&policy.text),
    }))
}

fn list(call: &Call<'_>, input: &ListOfRole) -> Answer {
    let role = role(call, &input.role_name)?;
    let names = role.policies.keys().map(|name| (&**name, name));
    let page = IAM_PAGES.page(
        "ListRolePolicies",
        names,
        input.marker.as_deref(),
        input.max_items,
    )?;
    Ok(without_nulls(json!({
        "PolicyNames": { "member": page.items },
        "IsTruncated": page.next.is_some(),
        "Marker": page.next,
    })))
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    let role = role_to_change(call, &input.role_name)?;
    let removed = role.policies.remove(&input.policy_name);
    removed.map(|_| json!({})).ok_or_else(|| missing(input))
}

fn none_of(call: &Call<'_>, input: &ListOfRole, list: &str) -> Answer {
    role(call, &input.role_name)?;
    let none: Vec<Value> = Vec::new();
    Ok(json!({ list: { "member": none }, "IsTruncated": false }))
}

fn missing(input: &Named) -> Fault {
    let why = format!("The role policy with name {} cannot be found.", input.policy_name);
    fault(404, "NoSuchEntity", why)
}
