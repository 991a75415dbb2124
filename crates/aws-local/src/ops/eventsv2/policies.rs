//! Resource policies of buses.

use serde::Deserialize;
use serde_json::json;

use super::arns::bus;
use super::faults::{conflict, invalid, missing, not_here, with};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTSV2_PAGES, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::custom_bus::BusPolicy;

/// The name of the policy that belongs to a bus's owner.
const DEFAULT: &str = "default";
/// The one of AWS RAM.
const SHARED: &str = "AWS_RAM";
/// What `ExpectedRevisionId` says where there must be no policy yet.
const NO_POLICY: &str = "NO_POLICY";
const POLICY_BYTES_MAX: usize = 20_480;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutResourcePolicy", put),
    &Op::write("DeleteResourcePolicy", |call, input| delete(call, &input)),
    &Op::read("GetResourcePolicy", |call, input| get(call, &input)),
    &Op::read("ListResourcePolicies", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    resource_arn: String,
    policy_document: String,
    policy_name: Option<String>,
    expected_revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    resource_arn: String,
    policy_name: Option<String>,
    expected_revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    resource_arn: String,
    next_token: Option<String>,
    max_results: Option<usize>,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let name = named(input.policy_name.as_deref())?;
    // A stored policy was accepted when it came.
    if !call.stored {
        check(&input.policy_document, &call.caller.account)?;
    }
    let revision = call.turn.dice.uuid();
    let bus = bus(call, &input.resource_arn)?;
    check_revision(bus.policies.get(name), input.expected_revision_id.as_deref())?;
    let policy = BusPolicy::new(input.policy_document, revision.clone());
    bus.policies.insert(name.to_owned(), policy);
    Ok(json!({ "ResourceArn": input.resource_arn, "PolicyName": name, "RevisionId": revision }))
}

fn check(document: &str, account: &str) -> Result<(), Fault> {
    let bytes = document.len();
    if bytes > POLICY_BYTES_MAX {
        let why = format!("The policy has {bytes} bytes; it may have {POLICY_BYTES_MAX}.");
        return Err(with("PolicyLengthExceededException", why));
    }
    let policy = Policy::parse(document).map_err(invalid)?;
    if policy.is_public() {
        let why = "The policy lets in everybody: its principal has to name accounts, roles or services.";
        return Err(with("PublicPolicyException", why));
    }
    if let Some(own) = own_principal(&policy, account) {
        let why = "its own account needs no policy, and other accounts are named by their id or an ARN.";
        return Err(invalid(format!(
            "The principal {own} is of the account of the event bus: {why}"
        )));
    }
    Ok(())
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    let name = named(input.policy_name.as_deref())?;
    let bus = bus(call, &input.resource_arn)?;
    check_revision(bus.policies.get(name), input.expected_revision_id.as_deref())?;
    let gone = bus.policies.remove(name).ok_or_else(|| missing("Policy", name))?;
    Ok(json!({ "RevisionId": gone.revision }))
}

fn get(call: &mut Call<'_>, input: &Named) -> Answer {
    let name = named(input.policy_name.as_deref())?;
    let bus = bus(call, &input.resource_arn)?;
    let policy = bus.policies.get(name).ok_or_else(|| missing("Policy", name))?;
    Ok(json!({
        "ResourceArn": input.resource_arn,
        "PolicyName": name,
        "PolicyDocument": policy.document,
        "RevisionId": policy.revision,
    }))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let policies = bus(call, &input.resource_arn)?.policies.iter();
    let row =
        |(name, policy): (&String, &BusPolicy)| json!({ "PolicyName": name, "RevisionId": policy.revision });
    let rows = policies.map(|(name, policy)| (name.as_str(), row((name, policy))));
    let page = EVENTSV2_PAGES.page(
        "ListResourcePolicies",
        rows,
        input.next_token.as_deref(),
        input.max_results,
    )?;
    Ok(without_nulls(
        json!({ "PolicySummaries": page.items, "NextToken": page.next }),
    ))
}

/// A principal of an account.
fn own_principal<'p>(policy: &'p Policy, account: &str) -> Option<&'p str> {
    let is_own = |name: &&str| *name == account || Arn::parse(name).is_some_and(|arn| arn.account == account);
    policy.principals().find(is_own)
}

fn named(name: Option<&str>) -> Result<&str, Fault> {
    match name.unwrap_or(DEFAULT) {
        DEFAULT => Ok(DEFAULT),
        SHARED => Err(not_here("The policy AWS_RAM, which AWS RAM makes")),
        other => Err(invalid(format!(
            "PolicyName {other} is not valid: it is {DEFAULT} or {SHARED}."
        ))),
    }
}

fn check_revision(there: Option<&BusPolicy>, expected: Option<&str>) -> Result<(), Fault> {
    let Some(expected) = expected else { return Ok(()) };
    if there.map_or(NO_POLICY, |policy| &policy.revision) == expected {
        return Ok(());
    }
    Err(conflict(
        "The policy has another revision than the one expected: read it again.",
    ))
}
