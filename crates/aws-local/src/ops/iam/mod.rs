//! IAM, as far as a delivery's role needs it: roles, who may assume them, and their inline policies. Roles belong to an account
//! and to no region. Managed policies and instance profiles do not exist here: a permissions boundary, which is a managed
//! policy, is kept and shown, and not evaluated.
//!
//! Codes, statuses and limits are those of the API's reference.

use serde::Deserialize;

use super::{Call, Operation};
use crate::fault::Fault;
use crate::state::role::{Role, Roles};

mod boundaries;
mod policies;
mod roles;
mod tags;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[roles::OPS, boundaries::OPS, policies::OPS, tags::OPS];

/// What a listing of what belongs to one role is asked with.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListOfRole {
    role_name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

fn fault(status: u16, code: &'static str, why: impl Into<String>) -> Fault {
    Fault {
        status,
        ..Fault::new(code, why)
    }
}

fn missing_role(name: &str) -> Fault {
    let why = format!("The role with name {name} cannot be found.");
    fault(404, "NoSuchEntity", why)
}

fn quota(of: &str, most: usize) -> Fault {
    fault(
        409,
        "LimitExceeded",
        format!("Cannot exceed quota for {of}: {most}"),
    )
}

/// What AWS says of a policy that it cannot read.
fn malformed(why: impl Into<String>) -> Fault {
    Fault::new("MalformedPolicyDocument", why)
}

/// The roles of the caller's account, to read. What is not in the journal changes nothing, so that an account without roles
/// gets no entry here.
fn roles<'c>(call: &'c Call<'_>) -> Option<&'c Roles> {
    call.turn.world.roles.get(&call.caller.account)
}

/// The roles of the caller's account, to add one.
fn roles_to_change<'c>(call: &'c mut Call<'_>) -> &'c mut Roles {
    let account = call.caller.account.clone();
    call.turn.world.roles.entry(account).or_default()
}

/// A role of the caller's account, to read.
fn role<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c Role, Fault> {
    let role = roles(call).and_then(|roles| roles.by_name.get(name));
    role.ok_or_else(|| missing_role(name))
}

/// A role of the caller's account, to change.
fn role_to_change<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Role, Fault> {
    let roles = call.turn.world.roles.get_mut(&call.caller.account);
    let role = roles.and_then(|roles| roles.by_name.get_mut(name));
    role.ok_or_else(|| missing_role(name))
}
