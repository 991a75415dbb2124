//! What can go wrong on the way to AWS and back, and how it is told.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::RequestId;
use tfplugin::{Diagnostic, Diagnostics};

/// A failure of the AWS side.
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
    /// AWS's message.
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
                    code: service.code().unwrap_or("Unknown").to_owned(),
                    message: service.message().unwrap_or_default().to_owned(),
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
        self.code() == Some("ResourceNotFoundException")
    }

    /// The same call may succeed in a moment: something else was being changed, or too much was asked at once.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "ConcurrentModificationException"
                    | "OperationAbortedException"
                    | "ThrottlingException"
                    | "InternalException"
                    | "InternalFailure"
                    | "ServiceUnavailableException"
            )
        )
    }

    /// The diagnostic for what was being done: `cannot create the event bus …`.
    pub fn diagnostic(&self, doing: impl fmt::Display) -> Diagnostic {
        let first = doing.to_string();
        let summary = first
            .strip_prefix("cannot ")
            .map_or_else(|| first.clone(), |rest| format!("Cannot {rest}"));
        Diagnostic::error(summary).detail(self.to_string())
    }

    /// [`Error::diagnostic`], ready to be returned.
    pub fn during(&self, doing: impl fmt::Display) -> Diagnostics {
        self.diagnostic(doing).into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRegion { profile } => write!(
                f,
                "No AWS region is known. Looked at: the resource's `region`, `region` in the provider's `aws`, the \
                 environment (`AWS_REGION`, `AWS_DEFAULT_REGION`), {}, and the instance metadata service.\n\nSet one of \
                 them; for Scalr's events it is the region of the connection.",
                in_words(profile.as_deref(), "`region`")
            ),
            Self::NoCredentials {
                profile,
                role,
                source,
            } => no_credentials(f, profile.as_deref(), role.as_deref(), source.as_ref()),
            Self::WrongAccount { account, allowed } => write!(
                f,
                "The AWS credentials belong to account {account}, which is not among the `allowed_account_ids` of the \
                 provider's `aws` ({}). Nothing was changed. Use credentials of an allowed account, or correct the list.",
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
                "`{operation}` in {region}{} got no answer: {}.\n\nIs AWS reachable from here, and is the endpoint right \
                 (`endpoints` in the provider's `aws`, `AWS_ENDPOINT_URL`)?",
                endpoint
                    .as_ref()
                    .map_or_else(String::new, |url| format!(" at {url}")),
                in_full(source.as_ref())
            ),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NoCredentials { source, .. } | Self::Unreachable { source, .. } => Some(source.as_ref()),
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
        if let Some(hint) = hint(&self.code, self.operation) {
            write!(f, "\n\n{hint}")?;
        }
        Ok(())
    }
}

fn hint(code: &str, operation: &str) -> Option<String> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" => {
            format!("The credentials need the IAM permission `{operation}` on this object.")
        }
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => {
            "The AWS session has expired: sign in again (for a profile with single sign-on: `aws sso login`).".to_owned()
        }
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException" => {
            "AWS does not know these credentials: check the access key, its secret and, for temporary ones, the session token."
                .to_owned()
        }
        "LimitExceededException" => {
            "A quota of the account is used up: remove what is unused, or ask for more under Service Quotas.".to_owned()
        }
        "UnknownOperationException" => {
            "What answers at this endpoint does not offer the call: is it a local stand-in for AWS?".to_owned()
        }
        _ => return None,
    })
}

fn no_credentials(
    f: &mut fmt::Formatter<'_>,
    profile: Option<&str>,
    role: Option<&str>,
    source: &(dyn StdError + Send + Sync + 'static),
) -> fmt::Result {
    write!(
        f,
        "No usable AWS credentials. Tried, in this order: the environment (`AWS_ACCESS_KEY_ID` and \
         `AWS_SECRET_ACCESS_KEY`), {}, a web identity token (`AWS_WEB_IDENTITY_TOKEN_FILE`), the container and the \
         instance metadata services.",
        in_words(profile, "keys, single sign-on, a role or a process")
    )?;
    if let Some(role) = role {
        write!(f, " With them the role `{role}` was to be assumed.")?;
    }
    write!(
        f,
        "\n\nThe answers were: {}.\n\nSet credentials in one of these places, or `profile` in the provider's `aws`.",
        in_full(source)
    )
}

/// An error and its causes, each said once.
fn in_full(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

fn in_words(profile: Option<&str>, holding: &str) -> String {
    profile.map_or_else(
        || format!("the profile that `AWS_PROFILE` names, or `default` ({holding})"),
        |name| format!("the profile `{name}` ({holding})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &Error, parts: &[&str]) {
        let text = error.to_string();
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }

    fn service(code: &str) -> Error {
        Error::Service(Service {
            operation: "events:PutRule",
            region: "us-east-1".to_owned(),
            code: code.to_owned(),
            message: "no".to_owned(),
            request_id: Some("r-1".to_owned()),
        })
    }

    #[test]
    fn an_answer_is_told_with_call_region_code_and_request() {
        check(
            &service("ValidationException"),
            &["`events:PutRule` in us-east-1 answered ValidationException: no (request r-1)"],
        );
        check(
            &service("AccessDeniedException"),
            &["IAM permission `events:PutRule`"],
        );
        check(&service("ExpiredTokenException"), &["aws sso login"]);
    }

    #[test]
    fn what_was_tried_is_named() {
        check(
            &Error::NoRegion { profile: None },
            &["AWS_REGION", "AWS_DEFAULT_REGION", "`aws`", "AWS_PROFILE"],
        );
        check(
            &Error::NoRegion {
                profile: Some("ci".to_owned()),
            },
            &["the profile `ci`"],
        );
        let none = Error::NoCredentials {
            profile: None,
            role: Some("arn:r".to_owned()),
            source: "nothing there".into(),
        };
        check(
            &none,
            &["AWS_ACCESS_KEY_ID", "nothing there", "role `arn:r`", "profile"],
        );
    }

    #[test]
    fn causes_are_said_once_and_where_the_call_went() {
        let cause = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "refused");
        let none = |endpoint: Option<&str>| Error::Unreachable {
            operation: "events:PutRule",
            region: "r".to_owned(),
            endpoint: endpoint.map(str::to_owned),
            source: Box::new(std::io::Error::other(Box::<dyn StdError + Send + Sync>::from(
                cause.to_string(),
            ))),
        };
        check(
            &none(Some("http://127.0.0.1:9")),
            &["in r at http://127.0.0.1:9 got no answer: refused.\n"],
        );
        check(&none(None), &["in r got no answer: refused.\n"]);
    }

    #[test]
    fn kinds() {
        assert!(service("ResourceNotFoundException").is_not_found());
        assert!(!service("ValidationException").is_not_found());
        assert!(service("ConcurrentModificationException").is_passing());
        assert!(!service("ValidationException").is_passing());
    }
}
