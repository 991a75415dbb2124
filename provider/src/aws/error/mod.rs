//! A call of AWS's that failed, on the way there or back.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_eventbridge::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::RequestId;

use super::denied;
use super::pacing::is_throttling;
use super::quoted::{quoted, unsigned};
use super::regional::Stop;
use crate::failure::{Cause, Effect, in_full};
use crate::trust;

/// A failure of the AWS side. As text it is what happened, in one sentence without its full stop.
#[derive(Debug)]
pub enum Error {
    /// No region was given anywhere.
    NoRegion {
        /// The profile that was read.
        profile: Option<String>,
    },
    /// No credentials were found, or those found could not be used.
    NoCredentials {
        /// The profile that was read.
        profile: Option<String>,
        /// The role that was to be assumed.
        role: Option<String>,
        /// What the chain of providers said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The profile that is to be used is in no file.
    NoSuchProfile {
        /// Its name.
        profile: String,
        /// What names it.
        origin: &'static str,
        /// The files that were read.
        files: Vec<String>,
    },
    /// There are credentials, but the role cannot be assumed with them.
    NotAssumed {
        /// The role.
        role: String,
        /// What the token service said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The credentials belong to an account that the configuration does not allow.
    WrongAccount {
        /// The account of the credentials.
        account: String,
        /// Those allowed.
        allowed: Vec<String>,
    },
    /// AWS answered with an error.
    Service(Service),
    /// No answer came, or none that could be read.
    Unreachable {
        /// The call.
        operation: &'static str,
        /// Its region.
        region: String,
        /// Where it went, if not to AWS's own endpoint.
        endpoint: Option<String>,
        /// What happened.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The answer says success and lacks what every answer to the call has: what AWS did or holds is not known.
    Incomplete {
        /// The call.
        operation: &'static str,
        /// Its region.
        region: String,
        /// What is missing.
        member: &'static str,
    },
    /// The operation ended before something that changes nothing was through.
    Stopped {
        /// What was under way: a call and its region.
        what: String,
        /// What ended it.
        why: Stop,
    },
    /// A list has more pages than any real one.
    Endless {
        /// The call.
        operation: &'static str,
        /// Its region.
        region: String,
        /// How many pages were read.
        pages: usize,
    },
}

/// An error that AWS answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The call, as IAM names it: `events:PutRule`.
    pub operation: &'static str,
    /// The region of the call.
    pub region: String,
    /// AWS's code.
    pub code: String,
    /// AWS's message, as it may be shown.
    pub message: String,
    /// AWS's id of the request, for its support.
    pub request_id: Option<String>,
}

impl Error {
    /// From what the SDK returns.
    pub(super) fn from_sdk<E, R>(
        operation: &'static str,
        region: &str,
        endpoint: Option<&str>,
        error: SdkError<E, R>,
    ) -> Self
    where
        E: ProvideErrorMetadata + RequestId + StdError + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        match error.as_service_error() {
            Some(service) if service.code().is_some() || service.message().is_some() => {
                Self::Service(Service {
                    operation,
                    region: region.to_owned(),
                    code: quoted(service.code().unwrap_or("Unknown")),
                    message: quoted(service.message().unwrap_or_default()),
                    request_id: service.request_id().map(str::to_owned),
                })
            }
            _ => Self::Unreachable {
                operation,
                region: region.to_owned(),
                endpoint: endpoint.map(str::to_owned),
                source: Box::new(error),
            },
        }
    }

    /// From an entry of an answer.
    pub(super) fn of_entry(
        operation: &'static str,
        region: &str,
        code: Option<&str>,
        message: Option<&str>,
    ) -> Self {
        Self::Service(Service {
            operation,
            region: region.to_owned(),
            code: quoted(code.unwrap_or("Unknown")),
            message: quoted(message.unwrap_or_default()),
            request_id: None,
        })
    }

    /// AWS's error code, where AWS answered.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Service(service) => Some(&service.code),
            _ => None,
        }
    }

    /// AWS's message, where AWS answered.
    pub fn message(&self) -> &str {
        match self {
            Self::Service(service) => &service.message,
            _ => "",
        }
    }

    /// The thing asked about does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self.code(), Some("ResourceNotFoundException" | "NoSuchEntity"))
    }

    /// The credentials may not make the call.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.code(),
            Some("AccessDeniedException" | "AccessDenied" | "AuthorizationError")
        )
    }

    /// The answer lacks what it must have.
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }

    /// The same call may succeed in a moment: something else was being changed, too much was asked at once, or the answer was
    /// no whole one. One that was stopped counts too: what waits for it sees for itself that it is over.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Stopped { .. } | Self::Incomplete { .. })
            || is_of_the_server(self)
            || self.code().is_some_and(is_throttling)
            || matches!(
                self.code(),
                Some(
                    "ConcurrentModification"
                        | "ConcurrentModificationException"
                        | "OperationAbortedException"
                )
            )
    }
}

impl Cause for Error {
    const CALLED: &'static str = "AWS";

    /// What every call needs is missing: that failed, and not what was to be done with it.
    fn what(&self, doing: &str) -> String {
        match self {
            Self::NoRegion { .. } => "No AWS region is known".to_owned(),
            Self::NoCredentials { .. } => "There are no usable AWS credentials".to_owned(),
            Self::NoSuchProfile { profile, .. } => format!("There is no AWS profile `{profile}`"),
            Self::NotAssumed { role, .. } => format!("The role `{role}` cannot be assumed"),
            Self::WrongAccount { account, .. } => {
                format!("The AWS credentials are of account {account}, which is not allowed")
            }
            _ => format!("Cannot {doing}"),
        }
    }

    fn effect(&self) -> Effect {
        match self {
            // Nothing is called before region and credentials are known.
            Self::NoRegion { .. }
            | Self::NoCredentials { .. }
            | Self::NoSuchProfile { .. }
            | Self::NotAssumed { .. }
            | Self::WrongAccount { .. } => Effect::NotSent,
            Self::Service(service) if is_write(service.operation) && is_of_the_server(self) => {
                Effect::Unknown
            }
            Self::Unreachable { operation, .. } | Self::Incomplete { operation, .. }
                if is_write(operation) =>
            {
                Effect::Unknown
            }
            _ => Effect::Refused,
        }
    }

    fn next(&self) -> Option<String> {
        if let Self::NoCredentials { source, .. }
        | Self::NotAssumed { source, .. }
        | Self::Unreachable { source, .. } = self
            && trust::is_distrust(&in_full(source.as_ref()))
        {
            return Some(format!(
                "The certificate of what answers there is not trusted. {}",
                trust::HINT
            ));
        }
        Some(match self {
            Self::NoRegion { .. } => {
                "Set one of them; for Scalr's events it is the region of the connection.".to_owned()
            }
            Self::NoCredentials { .. } => {
                "Set credentials in one of these places, or `profile` in the provider's `aws`.".to_owned()
            }
            Self::NoSuchProfile { .. } => {
                "Correct the name, or add the profile (`aws configure --profile NAME`, `aws configure sso`).".to_owned()
            }
            Self::NotAssumed { .. } => {
                "Does the role exist, does its trust policy let these credentials in (with this `external_id`, if it asks \
                 for one), and may they call `sts:AssumeRole`? `assume_role` in the provider's `aws` says which role."
                    .to_owned()
            }
            Self::WrongAccount { .. } => {
                "Use credentials of an allowed account, or correct the list.".to_owned()
            }
            Self::Service(service) => return hint(service),
            Self::Unreachable { .. } => {
                "Is AWS reachable from here, and is the endpoint right (`endpoints` in the \
                                         provider's `aws`, `AWS_ENDPOINT_URL`)?"
                    .to_owned()
            }
            Self::Incomplete { .. } => {
                "Run the same command again. If it comes back: what answers at the endpoint, a proxy or AWS itself \
                 (`endpoints` in the provider's `aws`, `AWS_ENDPOINT_URL`)?"
                    .to_owned()
            }
            Self::Stopped { why, .. } => match why {
                Stop::Interrupted => "Run the same command again to continue.".to_owned(),
                Stop::TooLate => {
                    "Is AWS reachable from here? `timeouts` sets how long this may take.".to_owned()
                }
            },
            Self::Endless { .. } => "Remove what is not needed there.".to_owned(),
        })
    }
}

/// The fault lies with AWS: whether the call was carried out is open.
fn is_of_the_server(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            "InternalException"
                | "InternalFailure"
                | "ServiceFailure"
                | "ServiceUnavailable"
                | "ServiceUnavailableException"
        )
    )
}

/// The call changes something.
fn is_write(operation: &str) -> bool {
    let verb = operation.split_once(':').map_or(operation, |(_, verb)| verb);
    !["Describe", "List", "Filter", "Get"]
        .iter()
        .any(|reads| verb.starts_with(reads))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRegion { profile } => write!(
                f,
                "No AWS region is known. Looked at: the resource's `region`, `region` in the provider's `aws`, the \
                 environment (`AWS_REGION`, `AWS_DEFAULT_REGION`), {}, and the instance metadata service",
                in_words(profile.as_deref(), "`region`")
            ),
            Self::NoCredentials {
                profile,
                role,
                source,
            } => no_credentials(f, profile.as_deref(), role.as_deref(), source.as_ref()),
            Self::NoSuchProfile {
                profile,
                origin,
                files,
            } => write!(
                f,
                "There is no such profile as `{profile}`, which {origin} names. Looked for it in {}",
                files.join(" and ")
            ),
            Self::NotAssumed { role, source } => {
                write!(
                    f,
                    "The role `{role}` could not be assumed with the AWS credentials found: {}",
                    answer(source.as_ref()).unwrap_or_else(|| unsigned(&in_full(source.as_ref())))
                )
            }
            Self::WrongAccount { account, allowed } => write!(
                f,
                "The AWS credentials belong to account {account}, which is not among the `allowed_account_ids` of the \
                 provider's `aws` ({})",
                allowed.join(", ")
            ),
            Self::Service(service) => service.fmt(f),
            Self::Unreachable {
                operation,
                region,
                endpoint,
                source,
            } => write!(
                f,
                "`{operation}` in {region}{} got no answer: {}",
                endpoint
                    .as_ref()
                    .map_or_else(String::new, |url| format!(" at {url}")),
                unsigned(&in_full(source.as_ref()))
            ),
            Self::Incomplete {
                operation,
                region,
                member,
            } => write!(
                f,
                "`{operation}` in {region} answered without `{member}`, which AWS always sends: what is there is not known"
            ),
            Self::Stopped { what, why } => match why {
                Stop::Interrupted => write!(f, "{what} was interrupted before an answer came"),
                Stop::TooLate => write!(f, "{what} got no answer in time"),
            },
            Self::Endless {
                operation,
                region,
                pages,
            } => write!(
                f,
                "`{operation}` in {region} has more than {pages} pages, and part of a list is no answer"
            ),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NoCredentials { source, .. }
            | Self::NotAssumed { source, .. }
            | Self::Unreachable { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` in {} answered {}",
            self.operation, self.region, self.code
        )?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// What AWS says of a signature for a region that it does not have.
const NO_REGION: &str = "should be scoped to a valid region";

fn hint(service: &Service) -> Option<String> {
    let operation = service.operation;
    Some(match service.code.as_str() {
        "AccessDeniedException" | "AccessDenied" | "AuthorizationError" => {
            denied::advice(operation, &service.message)
        }
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => {
            "The AWS session has expired: sign in again (for a profile with single sign-on: `aws sso login`).".to_owned()
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" if service.message.contains(NO_REGION) => {
            "Correct the region: `region` of the resource or of the provider's `aws`, `AWS_REGION`, or the profile's."
                .to_owned()
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "AuthFailure" => {
            "AWS does not know these credentials: check the access key, its secret and, for temporary ones, the session token."
                .to_owned()
        }
        "LimitExceededException" => of_limit(operation).to_owned(),
        "UnknownOperationException" => {
            "What answers at this endpoint does not offer the call: is it a local stand-in for AWS?".to_owned()
        }
        _ => return None,
    })
}

/// What to do about a limit. Some are no quotas, and nobody can raise them: the guides' pages of quotas say so.
fn of_limit(operation: &str) -> &'static str {
    match operation {
        "events:PutTargets" => {
            "A rule takes five targets, and no quota raises that: remove a target that is no longer needed, or put this one \
             on a second rule with the same event pattern."
        }
        "logs:PutResourcePolicy" => {
            "An account takes ten resource policies without a log group in a region, and no quota raises that: delete one \
             that is no longer needed (`aws logs describe-resource-policies`, `aws logs delete-resource-policy`)."
        }
        "events:TagResource" | "eventsv2:TagResource" | "logs:TagResource" => {
            "An object takes 50 tags, and no quota raises that: remove some, of the provider's `default_tags` as well."
        }
        "eventsv2:CreateEventBus" => {
            "An account has 5 custom event buses in a region unless AWS raised that: delete one that is not needed, share a bus \
             (subscribers can tell events apart), or ask for more under Service Quotas."
        }
        _ => {
            "A quota of the account is used up: remove what is unused, or ask for more under Service Quotas."
        }
    }
}

fn no_credentials(
    f: &mut fmt::Formatter<'_>,
    profile: Option<&str>,
    role: Option<&str>,
    source: &(dyn StdError + Send + Sync + 'static),
) -> fmt::Result {
    const HOLDING: &str = "keys, single sign-on, a role or a process";
    match profile {
        // A profile that is written in the configuration is the only place.
        Some(name) => write!(
            f,
            "No usable AWS credentials in the profile `{name}` ({HOLDING}), which `profile` in the provider's `aws` names."
        )?,
        None => write!(
            f,
            "No usable AWS credentials. Tried, in this order: the environment (`AWS_ACCESS_KEY_ID` and \
             `AWS_SECRET_ACCESS_KEY`), {}, a web identity token (`AWS_WEB_IDENTITY_TOKEN_FILE`), the container and the \
             instance metadata services.",
            in_words(None, HOLDING)
        )?,
    }
    if let Some(role) = role {
        write!(f, " With them the role `{role}` was to be assumed.")?;
    }
    write!(f, "\n\nThe answers were: {}", unsigned(&in_full(source)))
}

/// What AWS answered, where the error holds an answer.
fn answer(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(here) = next {
        if let Some(meta) = here.downcast_ref::<ErrorMetadata>() {
            return Some(format!(
                "`sts:AssumeRole` answered {}: {}",
                meta.code()?,
                quoted(meta.message()?)
            ));
        }
        next = here.source();
    }
    None
}

fn in_words(profile: Option<&str>, holding: &str) -> String {
    profile.map_or_else(
        || format!("the profile that `AWS_PROFILE` names, or `default` ({holding})"),
        |name| format!("the profile `{name}` ({holding})"),
    )
}

#[cfg(test)]
mod tests;
