//! Resource policies: ten for the account, and one for each log group.

use serde::Deserialize;
use serde_json::{Value, json};

use super::group;
use crate::arn::{Arn, arn, root};
use crate::fault::Fault;
use crate::ops::{Answer, Call, LOGS_PAGES, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::log_group::LogPolicy;

/// Policies without a log group, in one account and region.
const ACCOUNT_POLICIES_MAX: usize = 10;
/// The size of an account-wide policy; a group's own may fill what the model allows.
const ACCOUNT_POLICY_CHARS_MAX: usize = 5_120;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutResourcePolicy", put),
    &Op::write("DeleteResourcePolicy", delete),
    &Op::read("DescribeResourcePolicies", |call, input| describe(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    policy_name: Option<String>,
    policy_document: Option<String>,
    resource_arn: Option<String>,
    expected_revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    policy_name: Option<String>,
    resource_arn: Option<String>,
    expected_revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    next_token: Option<String>,
    limit: Option<usize>,
    resource_arn: Option<String>,
    policy_scope: Option<String>,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let document = input
        .policy_document
        .ok_or_else(|| Fault::parameter("policyDocument is required."))?;
    Policy::parse(&document).map_err(Fault::parameter)?;
    let policy = LogPolicy::new(
        as_stored(document, &call.caller.region, call.stored)?,
        call.turn.now,
        format!("{:032x}", u128::from(call.turn.dice.roll())),
    );
    match (&input.resource_arn, &input.policy_name) {
        (Some(resource), _) => put_on_group(call, resource, input.expected_revision_id.as_deref(), policy),
        (None, Some(name)) => put_for_account(call, name, policy),
        (None, None) => Err(Fault::parameter(
            "policyName is required unless resourceArn is given.",
        )),
    }
}

/// The service keeps an account among the principals as the ARN of its root user, and takes no ARN itself: both are on
/// record in aws-cloudformation/cloudformation-coverage-roadmap issue 2557 and aws/aws-cdk issue 14578.
///
/// Documents that an older version took have such ARNs: `taken` keeps them.
fn as_stored(document: String, region: &str, taken: bool) -> Result<String, Fault> {
    let mut policy: Value = serde_json::from_str(&document)?;
    let mut accounts = 0;
    for principal in policy.get_mut("Statement").map(principals).unwrap_or_default() {
        let Value::String(text) = principal else { continue };
        if text.starts_with("arn:") && !taken {
            return Err(Fault::parameter(format!(
                "Principal section of policy contains ARN instead of account ID: {text}"
            )));
        }
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            *text = root(region, text);
            accounts += 1;
        }
    }
    // A document without an account stays as it came, blanks included.
    Ok(if accounts == 0 {
        document
    } else {
        policy.to_string()
    })
}

/// The principals of kind `AWS` in one statement, or a list of them.
fn principals(statements: &mut Value) -> Vec<&mut Value> {
    let of_aws = one_or_more(statements)
        .into_iter()
        .filter_map(|statement| statement.get_mut("Principal")?.get_mut("AWS"));
    of_aws.flat_map(one_or_more).collect()
}

fn one_or_more(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(several) => several.iter_mut().collect(),
        one => vec![one],
    }
}

fn put_on_group(call: &mut Call<'_>, resource: &str, expected: Option<&str>, policy: LogPolicy) -> Answer {
    let here = call.caller.clone();
    let name = group_name(call, resource)?;
    let stored = call.stored;
    let group = group(call, &name)?;
    check_revision(group.policy.as_ref(), expected, stored)?;
    let row = scoped(&policy, &name, &here.region, &here.account);
    let revision = policy.revision.clone();
    group.policy = Some(policy);
    Ok(json!({ "resourcePolicy": row, "revisionId": revision }))
}

fn put_for_account(call: &mut Call<'_>, name: &str, policy: LogPolicy) -> Answer {
    if policy.document.chars().count() > ACCOUNT_POLICY_CHARS_MAX {
        return Err(Fault::parameter(format!(
            "Policy document is too long: {ACCOUNT_POLICY_CHARS_MAX} characters are allowed for an account-wide policy."
        )));
    }
    let policies = &mut call.realm().log_policies;
    if !policies.contains_key(name) && policies.len() >= ACCOUNT_POLICIES_MAX {
        return Err(Fault::limit("Resource limit exceeded."));
    }
    let row = account_wide(name, &policy);
    policies.insert(name.to_owned(), policy);
    Ok(json!({ "resourcePolicy": row }))
}

fn delete(call: &mut Call<'_>, input: Delete) -> Answer {
    if let Some(resource) = &input.resource_arn {
        let name = group_name(call, resource)?;
        let stored = call.stored;
        let group = group(call, &name)?;
        if group.policy.is_none() {
            return Err(Fault::not_found("The log group has no resource policy."));
        }
        check_revision(
            group.policy.as_ref(),
            input.expected_revision_id.as_deref(),
            stored,
        )?;
        group.policy = None;
        return Ok(json!({}));
    }
    let name = input
        .policy_name
        .ok_or_else(|| Fault::parameter("policyName or resourceArn is required."))?;
    match call.realm().log_policies.remove(&name) {
        Some(_) => Ok(json!({})),
        None => Err(Fault::not_found(format!(
            "Policy with name [{name}] does not exist."
        ))),
    }
}

fn describe(call: &mut Call<'_>, input: &Describe) -> Answer {
    let here = call.caller.clone();
    if let Some(resource) = &input.resource_arn {
        let name = group_name(call, resource)?;
        let policy = group(call, &name)?.policy.as_ref();
        let rows: Vec<Value> = policy
            .iter()
            .map(|policy| scoped(policy, &name, &here.region, &here.account))
            .collect();
        return Ok(json!({ "resourcePolicies": rows }));
    }
    let realm = call.realm();
    let rows: Vec<(&str, Value)> = if input.policy_scope.as_deref() == Some("RESOURCE") {
        let own =
            |(name, policy): (&'_ String, &LogPolicy)| scoped(policy, name, &here.region, &here.account);
        let with_policy = realm
            .log_groups
            .iter()
            .filter_map(|(name, group)| Some((name, group.policy.as_ref()?)));
        with_policy
            .map(|(name, policy)| (name.as_str(), own((name, policy))))
            .collect()
    } else {
        realm
            .log_policies
            .iter()
            .map(|(name, policy)| (name.as_str(), account_wide(name, policy)))
            .collect()
    };
    let page = LOGS_PAGES.page(
        "DescribeResourcePolicies",
        rows.into_iter(),
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "resourcePolicies": page.items, "nextToken": page.next }),
    ))
}

/// Optimistic locking: a group's policy is replaced only by callers who know its revision. What an older version took
/// stays taken: there, a new delivery made no policy.
fn check_revision(policy: Option<&LogPolicy>, expected: Option<&str>, taken: bool) -> Result<(), Fault> {
    let current = policy.map(|policy| policy.revision.as_str());
    if current == expected || taken {
        return Ok(());
    }
    let why = match (current, expected) {
        (Some(_), None) => "expectedRevisionId is required: the log group has a resource policy.",
        _ => "The expectedRevisionId is not the current revision of the resource policy.",
    };
    Err(Fault::new("OperationAbortedException", why))
}

fn group_name(call: &Call<'_>, resource: &str) -> Result<String, Fault> {
    let arn = Arn::parse(resource)
        .filter(|arn| arn.account == call.caller.account && arn.region == call.caller.region);
    let name = arn.and_then(|arn| arn.log_group());
    name.map(str::to_owned)
        .ok_or_else(|| Fault::parameter(format!("The resourceArn `{resource}` is not a log group's.")))
}

fn scoped(policy: &LogPolicy, group: &str, region: &str, account: &str) -> Value {
    json!({
        "policyDocument": policy.document,
        "lastUpdatedTime": policy.updated,
        "policyScope": "RESOURCE",
        "resourceArn": arn("logs", region, account, &format!("log-group:{group}")),
        "revisionId": policy.revision,
    })
}

fn account_wide(name: &str, policy: &LogPolicy) -> Value {
    json!({
        "policyName": name,
        "policyDocument": policy.document,
        "lastUpdatedTime": policy.updated,
        "policyScope": "ACCOUNT",
    })
}
