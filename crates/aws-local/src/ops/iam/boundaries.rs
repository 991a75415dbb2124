//! The permissions boundaries of roles: the ARN of a managed policy, which does not exist here. It is kept and shown.

use serde::Deserialize;
use serde_json::json;

use super::{fault, role, role_to_change};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutRolePermissionsBoundary", put),
    &Op::write("DeleteRolePermissionsBoundary", |call, input| {
        delete(call, &input)
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    role_name: String,
    permissions_boundary: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    role_name: String,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    check(&input.permissions_boundary)?;
    role_to_change(call, &input.role_name)?.boundary = Some(input.permissions_boundary);
    Ok(json!({}))
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    if role(call, &input.role_name)?.boundary.is_none() {
        let name = &input.role_name;
        let why = format!("The role with name {name} has no permissions boundary.");
        return Err(fault(404, "NoSuchEntity", why));
    }
    role_to_change(call, &input.role_name)?.boundary = None;
    Ok(json!({}))
}

/// Refuses what is no ARN of a policy. Whether there is such a policy is not known here.
pub(super) fn check(boundary: &str) -> Result<(), Fault> {
    let is_policy =
        Arn::parse(boundary).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("policy/"));
    if is_policy {
        return Ok(());
    }
    Err(fault(
        400,
        "InvalidInput",
        format!("ARN {boundary} is not valid."),
    ))
}
