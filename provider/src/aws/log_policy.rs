//! Sees to it that EventBridge may write to a log group, and takes the permission back. What to write is decided in
//! [`policy`]; here it is read, written, and read back.

use std::fmt;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::PolicyScope;

use super::policy::{self, ACCOUNT_CHARS_MAX, GROUP_CHARS_MAX, Need, PolicyError, Verdict, Without};
use super::{Error, Regional};

/// The account-wide policy that holds our statements where a log group cannot have its own.
const ACCOUNT_POLICY: &str = "scalr-eventbridge";
/// Attempts when others write the same policy, and readings until a written one is seen.
const ATTEMPTS_MAX: u32 = 8;
const PAUSE: Duration = Duration::from_millis(250);
/// AWS has at most 10 account-wide policies; pages beyond this are not its answer.
const PAGES_MAX: usize = 10;

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
    /// Others wrote at the same time again and again, or what was written never showed.
    Unsettled,
}

/// The policies that apply to a log group.
#[derive(Clone, Debug, Default)]
struct Policies {
    account: Vec<(String, String)>,
    group: Option<Group>,
}

/// The group's own policy.
#[derive(Clone, Debug)]
struct Group {
    document: String,
    revision: Option<String>,
}

/// Whether EventBridge may write, as the policies stand.
pub async fn verdict(aws: &Regional, need: &Need) -> Result<Verdict, Error> {
    Ok(read(aws, &need.log_group_arn).await?.verdict(need))
}

/// Adds our statements unless something grants the same already; returns when they can be read back.
pub async fn ensure(aws: &Regional, need: &Need) -> Result<(), Failure> {
    let _writing = aws.policy_writes.lock().await;
    for attempt in 0..ATTEMPTS_MAX {
        let policies = read(aws, &need.log_group_arn).await?;
        match policies.verdict(need) {
            Verdict::Granted => return Ok(()),
            Verdict::Denied { sid } => return Err(Failure::Denied { sid }),
            Verdict::Missing(_) => {}
        }
        if attempt > 0 {
            tokio::time::sleep(PAUSE * attempt).await;
        }
        match add(aws, &policies, need).await {
            Err(Failure::Aws(e)) if is_conflict(&e) => {}
            other => other?,
        }
    }
    match verdict(aws, need).await? {
        Verdict::Granted => Ok(()),
        _ => Err(Failure::Unsettled),
    }
}

/// Takes our statements out, and nothing else.
pub async fn remove(aws: &Regional, need: &Need) -> Result<(), Failure> {
    let _writing = aws.policy_writes.lock().await;
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * attempt).await;
        }
        let policies = read(aws, &need.log_group_arn).await?;
        match take_out(aws, &policies, need).await {
            Err(Failure::Aws(e)) if is_conflict(&e) => {}
            Err(Failure::Aws(e)) if e.is_not_found() => return Ok(()),
            other => return other,
        }
    }
    Err(Failure::Unsettled)
}

impl Policies {
    fn verdict(&self, need: &Need) -> Verdict {
        let group = self.group.iter().map(|group| group.document.as_str());
        policy::verdict(
            self.account
                .iter()
                .map(|(_, document)| document.as_str())
                .chain(group),
            need,
        )
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

async fn read_account(aws: &Regional) -> Result<Vec<(String, String)>, Error> {
    let mut policies = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        let page = aws
            .logs
            .describe_resource_policies()
            .set_next_token(token)
            .send()
            .await;
        let page = page.map_err(|e| aws.failed("logs:DescribeResourcePolicies", e))?;
        let account = page
            .resource_policies()
            .iter()
            .filter(|p| p.policy_scope() != Some(&PolicyScope::Resource));
        policies.extend(
            account.filter_map(|p| Some((p.policy_name()?.to_owned(), p.policy_document()?.to_owned()))),
        );
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    Ok(policies)
}

/// `None` as well where AWS has no policies of single log groups: the account's are the way then.
async fn read_group(aws: &Regional, log_group_arn: &str) -> Result<Option<Group>, Error> {
    let asked = aws
        .logs
        .describe_resource_policies()
        .resource_arn(log_group_arn)
        .policy_scope(PolicyScope::Resource);
    let page = match asked
        .send()
        .await
        .map_err(|e| aws.failed("logs:DescribeResourcePolicies", e))
    {
        Ok(page) => page,
        Err(e) if e.is_not_found() || is_unsupported(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    let own = page
        .resource_policies()
        .iter()
        .find(|p| p.policy_scope() != Some(&PolicyScope::Account));
    Ok(own.and_then(|p| {
        Some(Group {
            document: p.policy_document()?.to_owned(),
            revision: p.revision_id().map(str::to_owned),
        })
    }))
}

async fn add(aws: &Regional, policies: &Policies, need: &Need) -> Result<(), Failure> {
    let group = policies.group.as_ref();
    match policy::with(group.map(|group| group.document.as_str()), need, GROUP_CHARS_MAX) {
        Ok(document) => match put_group(aws, group, need, document).await {
            Err(e) if is_unsupported(&e) && !is_conflict(&e) => add_to_account(aws, policies, need).await,
            other => Ok(other?),
        },
        Err(PolicyError::TooLong { .. }) => add_to_account(aws, policies, need).await,
        Err(e) => Err(Failure::Policy(e)),
    }
}

async fn add_to_account(aws: &Regional, policies: &Policies, need: &Need) -> Result<(), Failure> {
    let document = policy::with(policies.of_ours(), need, ACCOUNT_CHARS_MAX).map_err(Failure::Policy)?;
    Ok(put_account(aws, document).await?)
}

async fn take_out(aws: &Regional, policies: &Policies, need: &Need) -> Result<(), Failure> {
    if let Some(group) = &policies.group {
        match policy::without(&group.document, need).map_err(Failure::Policy)? {
            Without::Unchanged => {}
            Without::Empty => delete_group(aws, group, need).await?,
            Without::Document(document) => put_group(aws, Some(group), need, document).await?,
        }
    }
    if let Some(ours) = policies.of_ours() {
        match policy::without(ours, need).map_err(Failure::Policy)? {
            Without::Unchanged => {}
            Without::Empty => delete_account(aws).await?,
            Without::Document(document) => put_account(aws, document).await?,
        }
    }
    Ok(())
}

async fn put_group(aws: &Regional, held: Option<&Group>, need: &Need, document: String) -> Result<(), Error> {
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

async fn delete_group(aws: &Regional, held: &Group, need: &Need) -> Result<(), Error> {
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
            Self::Policy(error) => write!(
                f,
                "{}. Remove statements that are no longer needed (`aws logs describe-resource-policies`), or choose \
                 another log group.",
                capital(&error.to_string())
            ),
            Self::Unsettled => f.write_str(
                "The log group's resource policy kept changing while it was being written, or does not show what was \
                 written. Is something else managing it? Apply again when it is quiet.",
            ),
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
