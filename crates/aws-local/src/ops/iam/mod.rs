//! IAM, as far as a delivery's role needs it: roles, who may assume them, and their inline policies. Roles belong to an account
//! and to no region. Managed policies, instance profiles and permissions boundaries do not exist here.
//!
//! Codes, statuses and limits are those of the API's reference.

use serde::Deserialize;

use super::{Call, Operation};
use crate::fault::Fault;
use crate::state::role::{Role, Roles};

mod policies;
mod roles;
mod tags;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[roles::OPS, policies::OPS, tags::OPS];

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

/// The roles of the caller's account.
fn roles<'c>(call: &'c mut Call<'_>) -> &'c mut Roles {
    let account = call.caller.account.clone();
    call.turn.world.roles.entry(account).or_default()
}

/// A role of the caller's account.
fn role<'c>(call: &'c mut Call<'_>, name: &str) -> Result<&'c mut Role, Fault> {
    roles(call)
        .by_name
        .get_mut(name)
        .ok_or_else(|| missing_role(name))
}
