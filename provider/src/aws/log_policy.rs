//! Grants EventBridge the permission to write to a log group, and revokes it. What to write is decided in
//! [`policy`]; here it is read, written, and read back.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::{PolicyScope, ResourcePolicy};
use tfplugin::{Attempts, Diagnostic, Operation, WaitEnd, sentence};

use super::policy::{
    self, ACCOUNT_CHARS_MAX, ACCOUNT_POLICIES_MAX, GROUP_CHARS_MAX, Need, PolicyError, Verdict, Without,
};
use super::regional::Stop;
use super::{Error, Regional};
use crate::failure::{self, Standing};
use crate::shared_read::{Freshness, Heard};

const DESCRIBE: &str = "logs:DescribeResourcePolicies";
/// The account-wide policy that holds our statements where a log group cannot have its own.
const ACCOUNT_POLICY: &str = "scalr-eventbridge";
/// Policies on a page of them, and the most pages of policies of single log groups that a refresh lists: one of more would cost
/// more than it saves.
const PAGE_SIZE: i32 = 50;
const LISTED_PAGES_MAX: usize = 10;
/// Attempts when others write the same policy, and readings until a written one is seen.
const ATTEMPTS_MAX: u32 = 12;
const EVERY: Duration = Duration::from_millis(500);

/// Why a log group's permission could not be brought about.
#[derive(Debug)]
pub enum Failure {
    /// A call failed.
    Aws(Error),
    /// A statement denies it.
    Denied {
        /// Its `Sid`.
        sid: Option<String>,
    },
    /// The policy that is there cannot take our statements.
    Policy(PolicyError),
    /// The log group's own policy is full, and the account has as many policies as it may have.
    NoneLeft,
    /// Others wrote at the same time again and again, or what was written never showed.
    Unsettled,
    /// The operation ended first.
    Stopped {
        /// What ended it.
        why: Stop,
        /// What was awaited.
        last: String,
    },
}

/// The policies that apply to a log group.
#[derive(Clone, Debug, Default)]
struct Policies {
    account: AccountPolicies,
    group: Option<GroupPolicy>,
}

/// Names and documents of the account's policies.
pub(super) type AccountPolicies = Arc<Vec<(String, String)>>;

/// Policies of log groups by ARN.
pub(super) type GroupPolicies = Arc<BTreeMap<String, GroupPolicy>>;

/// A log group's own policy.
#[derive(Clone, Debug)]
pub(super) struct GroupPolicy {
    document: String,
    revision: Option<String>,
}

/// Whether EventBridge may write under the policies of now.
pub async fn verdict(aws: &Regional, need: &Need) -> Result<Verdict, Error> {
    Ok(policy::verdict(
        read(aws, &need.log_group_arn).await?.documents(),
        need,
    ))
}

/// Whether EventBridge may write by our own statements for this target, whatever others take away. In a refresh a list may say
/// that it may; before anything is called missing, the log group's policy is asked for singly.
pub async fn lasting_verdict(aws: &Regional, need: &Need) -> Result<Verdict, Error> {
    let judge = |policies: &Policies| policy::lasting_verdict(policies.documents(), need);
    if let Some(listed) = listed(aws, &need.log_group_arn).await {
        let account = read_account(aws).await?;
        let verdict = judge(&Policies {
            account,
            group: Some(listed),
        });
        if matches!(verdict, Verdict::Granted) {
            return Ok(verdict);
        }
    }
    Ok(judge(&read(aws, &need.log_group_arn).await?))
}

/// A log group's own policy as a list shows it, in a refresh. A list that fails is no failure.
async fn listed(aws: &Regional, log_group_arn: &str) -> Option<GroupPolicy> {
    if aws.freshness == Freshness::Now || !aws.reads.policy_lists.is_worth("", log_group_arn) {
        return None;
    }
    match aws
        .reads
        .listed_policies
        .hear(Freshness::Walk, || list(aws))
        .await
    {
        Heard::Answer(listed) => listed?.get(log_group_arn).cloned(),
        Heard::Failed(_) | Heard::NoAnswer => None,
    }
}

async fn list(aws: &Regional) -> Result<Option<GroupPolicies>, Error> {
    let ask = async |token| {
        let list = aws.logs.describe_resource_policies();
        let list = list.policy_scope(PolicyScope::Resource).limit(PAGE_SIZE);
        let page = aws.read(DESCRIBE, list.set_next_token(token).send()).await?;
        aws.page(
            DESCRIBE,
            "resourcePolicies",
            page.resource_policies,
            page.next_token,
        )
    };
    let all = aws.pages_within(LISTED_PAGES_MAX, ask).await?;
    let by_arn = |policy: ResourcePolicy| Some((policy.resource_arn.clone()?, GroupPolicy::of(&policy)?));
    Ok(all.map(|all| Arc::new(all.into_iter().filter_map(by_arn).collect())))
}

/// Whether a policy has one of our statements for this target.
pub async fn holds_ours(aws: &Regional, need: &Need) -> Result<bool, Error> {
    let policies = read(aws, &need.log_group_arn).await?;
    let mut documents = policies.documents();
    Ok(documents.any(|document| policy::holds_ours(document, need)))
}

/// Why the policies of now cannot be given our statements; none where they can, or have them.
pub async fn obstacle(aws: &Regional, need: &Need) -> Result<Option<Failure>, Error> {
    let policies = read(aws, &need.log_group_arn).await?;
    Ok(match is_granted(&policies, need) {
        Ok(true) => None,
        Ok(false) => addition(&policies, need).err(),
        Err(denied) => Some(denied),
    })
}

/// Adds our statements unless they are there already; returns when they can be read back.
pub async fn ensure<T>(operation: &Operation<'_, T>, aws: &Regional, need: &Need) -> Result<(), Failure> {
    let mut writes = Writes::new(operation, aws).await?;
    while let Some(attempt) = writes.attempts.next().await {
        if let Some(done) = writes.judge(attempt, ensure_once(aws, need, attempt < ATTEMPTS_MAX).await) {
            return done;
        }
    }
    Err(writes.stopped())
}

async fn ensure_once(
    aws: &Regional,
    need: &Need,
    may_write: bool,
) -> Result<ControlFlow<(), String>, Failure> {
    let policies = read(aws, &need.log_group_arn).await?;
    if is_granted(&policies, need)? {
        return Ok(Break(()));
    }
    if may_write {
        add(aws, &policies, need).await?;
    }
    let written = read(aws, &need.log_group_arn).await?;
    if is_granted(&written, need)? {
        return Ok(Break(()));
    }
    Ok(Continue("the policy does not show what was written".to_owned()))
}

fn is_granted(policies: &Policies, need: &Need) -> Result<bool, Failure> {
    match policy::lasting_verdict(policies.documents(), need) {
        Verdict::Granted => Ok(true),
        Verdict::Missing(_) => Ok(false),
        Verdict::Denied { sid } => Err(Failure::Denied { sid }),
    }
}

/// Removes our statements, and nothing else.
pub async fn remove<T>(operation: &Operation<'_, T>, aws: &Regional, need: &Need) -> Result<(), Failure> {
    let mut writes = Writes::new(operation, aws).await?;
    while let Some(attempt) = writes.attempts.next().await {
        if let Some(done) = writes.judge(attempt, remove_once(aws, need).await.map(Break)) {
            return done;
        }
    }
    Err(writes.stopped())
}

async fn remove_once(aws: &Regional, need: &Need) -> Result<(), Failure> {
    let policies = read(aws, &need.log_group_arn).await?;
    remove_statements(aws, &policies, need).await
}

/// The turn to write policies, one target at a time, and its attempts: again where others wrote in between.
struct Writes<'a> {
    attempts: Attempts<'a>,
    _turn: tokio::sync::MutexGuard<'a, ()>,
}

impl<'a> Writes<'a> {
    async fn new<T>(operation: &Operation<'a, T>, aws: &'a Regional) -> Result<Self, Failure> {
        let turn = aws.limits.unless_over(aws.policy_writes.lock()).await;
        Ok(Self {
            attempts: operation.attempts(EVERY),
            _turn: turn.map_err(|why| Failure::Stopped {
                why,
                last: "another target's permission was being written".to_owned(),
            })?,
        })
    }

    /// How the write ended, if it did.
    fn judge(
        &mut self,
        attempt: u32,
        attempted: Result<ControlFlow<(), String>, Failure>,
    ) -> Option<Result<(), Failure>> {
        let last = match attempted {
            Ok(Break(())) => return Some(Ok(())),
            Ok(Continue(last)) => last,
            Err(Failure::Aws(e)) if is_conflict(&e) => e.to_string(),
            Err(failure) => return Some(Err(failure)),
        };
        if attempt >= ATTEMPTS_MAX {
            return Some(Err(Failure::Unsettled));
        }
        self.attempts.awaiting(last);
        None
    }

    fn stopped(self) -> Failure {
        let (why, last) = match self.attempts.end() {
            WaitEnd::Cancelled { last } => (Stop::Interrupted, last),
            WaitEnd::TimedOut { last } => (Stop::TooLate, last),
        };
        Failure::Stopped { why, last }
    }
}

impl Policies {
    fn documents(&self) -> impl Iterator<Item = &str> {
        let group = self.group.iter().map(|group| group.document.as_str());
        let account = self.account.iter().map(|(_, document)| document.as_str());
        account.chain(group)
    }

    fn of_ours(&self) -> Option<&str> {
        self.account
            .iter()
            .find(|(name, _)| name == ACCOUNT_POLICY)
            .map(|(_, document)| document.as_str())
    }
}

async fn read(aws: &Regional, log_group_arn: &str) -> Result<Policies, Error> {
    Ok(Policies {
        account: read_account(aws).await?,
        group: read_group(aws, log_group_arn).await?,
    })
}

async fn read_account(aws: &Regional) -> Result<AccountPolicies, Error> {
    if aws.freshness == Freshness::Now {
        return ask_account(aws).await;
    }
    aws.reads
        .account_policies
        .read(Freshness::Walk, || ask_account(aws))
        .await
}

async fn ask_account(aws: &Regional) -> Result<AccountPolicies, Error> {
    let ask = async |token| {
        let list = aws.logs.describe_resource_policies();
        let page = aws.read(DESCRIBE, list.set_next_token(token).send()).await?;
        aws.page(
            DESCRIBE,
            "resourcePolicies",
            page.resource_policies,
            page.next_token,
        )
    };
    let policies = aws.pages(DESCRIBE, ask).await?;
    let account = policies
        .into_iter()
        .filter(|p| p.policy_scope() != Some(&PolicyScope::Resource));
    let account = account.filter_map(|p| Some((p.policy_name?, p.policy_document?)));
    Ok(Arc::new(account.collect()))
}

/// `None` as well where AWS has no policies of single log groups: the account's are the way then.
async fn read_group(aws: &Regional, log_group_arn: &str) -> Result<Option<GroupPolicy>, Error> {
    let ask = || ask_group(aws, log_group_arn);
    aws.once(&aws.reads.policies, log_group_arn.to_owned(), ask).await
}

async fn ask_group(aws: &Regional, log_group_arn: &str) -> Result<Option<GroupPolicy>, Error> {
    let asked = aws
        .logs
        .describe_resource_policies()
        .resource_arn(log_group_arn)
        .policy_scope(PolicyScope::Resource);
    let page = match aws.read(DESCRIBE, asked.send()).await {
        Ok(page) => page,
        Err(e) if e.is_not_found() || is_unsupported(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    let policies = aws.given(DESCRIBE, "resourcePolicies", page.resource_policies)?;
    let own = policies
        .iter()
        .find(|p| p.policy_scope() != Some(&PolicyScope::Account));
    Ok(own.and_then(GroupPolicy::of))
}

impl GroupPolicy {
    fn of(policy: &ResourcePolicy) -> Option<Self> {
        Some(Self {
            document: policy.policy_document()?.to_owned(),
            revision: policy.revision_id().map(str::to_owned),
        })
    }
}

/// A policy with our statements in it.
enum Addition {
    /// The group's own.
    Group(String),
    /// The account's, where the group's own is full.
    Account(String),
}

fn addition(policies: &Policies, need: &Need) -> Result<Addition, Failure> {
    let group = policies.group.as_ref().map(|group| group.document.as_str());
    match policy::with(group, need, GROUP_CHARS_MAX) {
        Ok(document) => Ok(Addition::Group(document)),
        Err(PolicyError::TooLong { .. }) => addition_to_account(policies, need).map(Addition::Account),
        Err(e) => Err(Failure::Policy(e)),
    }
}

fn addition_to_account(policies: &Policies, need: &Need) -> Result<String, Failure> {
    let ours = policies.of_ours();
    if ours.is_none() && policies.account.len() >= ACCOUNT_POLICIES_MAX {
        return Err(Failure::NoneLeft);
    }
    policy::with(ours, need, ACCOUNT_CHARS_MAX).map_err(Failure::Policy)
}

async fn add(aws: &Regional, policies: &Policies, need: &Need) -> Result<(), Failure> {
    let account = match addition(policies, need)? {
        Addition::Group(document) => match put_group(aws, policies.group.as_ref(), need, document).await {
            Err(e) if is_unsupported(&e) && !is_conflict(&e) => addition_to_account(policies, need)?,
            other => return Ok(other?),
        },
        Addition::Account(document) => document,
    };
    Ok(put_account(aws, account).await?)
}

async fn remove_statements(aws: &Regional, policies: &Policies, need: &Need) -> Result<(), Failure> {
    if let Some(group) = &policies.group {
        let written = match policy::without(&group.document, need).map_err(Failure::Policy)? {
            Without::Unchanged => Ok(()),
            Without::Empty => delete_group(aws, group, need).await,
            Without::Document(document) => put_group(aws, Some(group), need, document).await,
        };
        unless_gone(written)?;
    }
    if let Some(ours) = policies.of_ours() {
        let written = match policy::without(ours, need).map_err(Failure::Policy)? {
            Without::Unchanged => Ok(()),
            Without::Empty => delete_account(aws).await,
            Without::Document(document) => put_account(aws, document).await,
        };
        unless_gone(written)?;
    }
    Ok(())
}

/// A policy that somebody deleted meanwhile, perhaps with its log group, holds no statement of ours.
fn unless_gone(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(e) if e.is_not_found() => Ok(()),
        other => other,
    }
}

async fn put_group(
    aws: &Regional,
    held: Option<&GroupPolicy>,
    need: &Need,
    document: String,
) -> Result<(), Error> {
    let put = aws
        .logs
        .put_resource_policy()
        .resource_arn(&need.log_group_arn)
        .policy_document(document);
    let put = put
        .set_expected_revision_id(held.and_then(|group| group.revision.clone()))
        .send()
        .await;
    put.map(drop).map_err(|e| aws.failed("logs:PutResourcePolicy", e))
}

async fn delete_group(aws: &Regional, held: &GroupPolicy, need: &Need) -> Result<(), Error> {
    let delete = aws
        .logs
        .delete_resource_policy()
        .resource_arn(&need.log_group_arn);
    let delete = delete
        .set_expected_revision_id(held.revision.clone())
        .send()
        .await;
    delete
        .map(drop)
        .map_err(|e| aws.failed("logs:DeleteResourcePolicy", e))
}

async fn put_account(aws: &Regional, document: String) -> Result<(), Error> {
    let put = aws
        .logs
        .put_resource_policy()
        .policy_name(ACCOUNT_POLICY)
        .policy_document(document)
        .send()
        .await;
    put.map(drop).map_err(|e| aws.failed("logs:PutResourcePolicy", e))
}

async fn delete_account(aws: &Regional) -> Result<(), Error> {
    let delete = aws
        .logs
        .delete_resource_policy()
        .policy_name(ACCOUNT_POLICY)
        .send()
        .await;
    delete
        .map(drop)
        .map_err(|e| aws.failed("logs:DeleteResourcePolicy", e))
}

/// Somebody else wrote between our reading and our writing.
fn is_conflict(error: &Error) -> bool {
    error.is_passing() || error.message().to_ascii_lowercase().contains("revision")
}

/// The service does not know policies of single log groups.
fn is_unsupported(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            "InvalidParameterException"
                | "ValidationException"
                | "UnknownOperationException"
                | "SerializationException"
        )
    )
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Aws(error)
    }
}

impl Failure {
    /// The diagnostic with a paragraph each on what happened, the state of things, what to do next.
    pub fn explained(&self, diagnostic: Diagnostic, standing: &str) -> Diagnostic {
        match self {
            Self::Aws(error) => {
                let unknown = format!("Whether AWS changed the policy is not known. {standing}");
                failure::explained(diagnostic, error, &Standing::new(standing, unknown))
            }
            other => diagnostic.because(other).standing(standing),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(error) => error.fmt(f),
            Self::Denied { sid } => {
                let named = sid.as_ref().map_or_else(String::new, |sid| format!(" `{sid}`"));
                write!(
                    f,
                    "A statement{named} in a resource policy denies EventBridge the log group; a permission cannot be \
                     added against it. Remove the statement, or choose another log group."
                )
            }
            Self::NoneLeft => write!(
                f,
                "The log group's own policy would be longer than {GROUP_CHARS_MAX} characters, and the account has \
                 {ACCOUNT_POLICIES_MAX} policies for all log groups already; AWS takes no more. Delete one that is no longer needed \
                 (`aws logs describe-resource-policies`), or choose another log group."
            ),
            Self::Policy(error) => write!(
                f,
                "{} Remove statements that are no longer needed (`aws logs describe-resource-policies`), or choose \
                 another log group.",
                sentence(&error.to_string())
            ),
            Self::Unsettled => f.write_str(
                "The log group's resource policy kept changing while it was being written, or does not show what was \
                 written. Is something else managing it? Apply again when it is quiet.",
            ),
            Self::Stopped { why, last } => {
                let how = match why {
                    Stop::Interrupted => "Interrupted before the policy was written",
                    Stop::TooLate => "The policy was not written in time",
                };
                write!(f, "{how}: {last}.")
            }
        }
    }
}
