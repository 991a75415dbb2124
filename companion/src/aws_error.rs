//! What AWS's answers are to the companion: errors of calls and of entries, and the states of event sources.

use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};

use crate::aws_calls::Meaning;
use crate::{error_chain, secrets};

/// Longest message of AWS's that is stored and shown.
const MESSAGE_CHARS_MAX: usize = 500;
/// Longest code.
const CODE_CHARS_MAX: usize = 128;

/// Why a call to AWS failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AwsError {
    /// A retry may succeed: no answer, throttling, an error on AWS's side, or credentials that have expired.
    #[error("{0}")]
    Retryable(String),
    /// AWS refused.
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
}

/// A source as the partner sees it in the customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceState {
    /// No bus is associated with it.
    Pending,
    Active,
    Deleted,
    /// AWS has no such source.
    Missing,
    /// AWS does not have the event bus that is put to in place of a source.
    NoBus,
    /// The service has no event bus for the connection's region and AWS account.
    NotServed,
    /// The source is a partner's, and the service puts events to event buses.
    MadeForPartner,
    /// The source is one of events that are put to event buses, and the service puts events as a partner.
    MadeForBus,
}

/// What the answer to a call that reads a source's state means for its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceHealth {
    Active,
    /// No bus is associated with the source: AWS would drop what is put.
    Pending,
    /// Nothing can be sent until an operator acts, for this reason.
    Failed(String),
    /// AWS did not answer, for this reason.
    Unknown(String),
}

impl From<Result<SourceState, AwsError>> for SourceHealth {
    fn from(state: Result<SourceState, AwsError>) -> Self {
        let gone = |how: &str| Self::Failed(format!("{how}. Refresh the status to create it again."));
        let failed = |why: &str| Self::Failed(why.to_owned());
        match state {
            Ok(SourceState::Active) => Self::Active,
            Ok(SourceState::Pending) => Self::Pending,
            Ok(SourceState::Deleted) => gone("The event source was deleted at AWS"),
            Ok(SourceState::Missing) => gone("AWS has no such event source"),
            Ok(SourceState::NoBus) => failed(
                "AWS does not have the event bus that events are put to here (`--put-events-to`), or is deleting it. Create it, then refresh \
                 the status. A custom event bus that is created again has another ARN: start the service with that one.",
            ),
            Ok(SourceState::NotServed) => failed(
                "The service has no event bus in this region and AWS account (`--put-events-to`). Start it with one, then refresh the status.",
            ),
            Ok(SourceState::MadeForPartner) => failed(
                "The connection was made for a partner event source, and the service puts events to event buses (`--put-events-to`). Start it \
                 without that setting, then refresh the status; or delete the connection and create another.",
            ),
            Ok(SourceState::MadeForBus) => failed(
                "The connection was made for an event bus, and the service puts events as a partner. Start it with `--put-events-to`, then \
                 refresh the status; or delete the connection and create another.",
            ),
            Err(AwsError::Retryable(why)) => Self::Unknown(why),
            Err(refusal @ AwsError::Refused { .. }) => {
                Self::Failed(format!("AWS refuses to read the event source's state: {refusal}"))
            }
        }
    }
}

impl AwsError {
    /// Whether AWS refused whoever calls: the companion's credentials, or what they permit. No connection and no event is to blame.
    pub(crate) fn is_of_the_caller(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if is_of_the_caller(code))
    }

    /// The refusal where AWS refused what is in the call; else the error itself.
    pub(crate) fn of_the_call(self) -> Result<EntryError, Self> {
        match self {
            Self::Refused { code, message } if !is_of_the_caller(&code) => Ok(EntryError { code, message }),
            other => Err(other),
        }
    }
}

fn is_of_the_caller(code: &str) -> bool {
    Meaning::of_code(code) == Some(Meaning::OfTheCaller)
}

/// Why AWS did not take one entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct EntryError {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// One an entry of a call, in their order.
pub(crate) type EntryResults = Vec<Result<(), EntryError>>;

/// What an answer says of one entry: its event id, or a code and a message.
pub(crate) type Said<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// What AWS answered about the entries of a call.
pub(crate) fn results<'a>(
    sent: usize,
    answered: impl ExactSizeIterator<Item = Said<'a>>,
) -> Result<EntryResults, AwsError> {
    // Results cannot be assigned to entries, so no entry counts as taken.
    if answered.len() != sent {
        let why = format!("AWS answered {} of {sent} entries", answered.len());
        return Err(AwsError::Retryable(why));
    }
    let results = answered.map(|(id, code, message)| match (code, id) {
        (None, Some(_)) => Ok(()),
        (Some(code), _) => Err(EntryError {
            code: word(code),
            message: short(message.unwrap_or_default()),
        }),
        (None, None) => Err(EntryError::no_result()),
    });
    Ok(results.collect())
}

impl EntryError {
    /// Of an entry about which AWS said nothing.
    pub(crate) fn no_result() -> Self {
        Self {
            code: "NoResult".to_owned(),
            message: "AWS answered neither an event id nor an error".to_owned(),
        }
    }

    /// Whether AWS asks for fewer calls.
    pub(crate) fn is_throttled(&self) -> bool {
        Meaning::of_code(&self.code) == Some(Meaning::Busy)
    }
}

/// The first line of a message of AWS's, without secrets, and cut: some repeat the request, in further lines mostly.
pub(crate) fn short(text: &str) -> String {
    let text = secrets::redact(text);
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// A code of AWS's, without secrets, and cut.
pub(crate) fn word(code: &str) -> String {
    secrets::redact(code).chars().take(CODE_CHARS_MAX).collect()
}

/// An answer that says success and lacks this: what became of the call is not known.
pub(crate) fn incomplete(what: &str) -> AwsError {
    AwsError::Retryable(format!("AWS answered without {what}"))
}

/// The error of a failed call.
pub(crate) fn error<E>(error: &SdkError<E>) -> AwsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return AwsError::Retryable(short(&format!(
            "The call to AWS failed: {}",
            error_chain::with_causes(error)
        )));
    };
    let status = service.raw().status().as_u16();
    let Some(code) = service.err().code() else {
        return AwsError::Retryable(format!(
            "AWS, or a proxy in front of it, answers {status} without an error code"
        ));
    };
    let message = short(service.err().message().unwrap_or("no message"));
    if Meaning::of(status, Some(code)).is_some_and(|meaning| meaning != Meaning::OfTheCaller) {
        let code = word(code);
        return AwsError::Retryable(format!("AWS answers {status} {code}: {message}"));
    }
    let code = word(code);
    AwsError::Refused { code, message }
}

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::config::http::HttpResponse;
    use aws_sdk_eventbridge::error::ErrorMetadata;
    use aws_sdk_eventbridge::operation::put_partner_events::PutPartnerEventsError;

    use super::*;

    #[test]
    fn only_an_error_code_of_awss_own_is_a_refusal() {
        for (status, code, refused) in [
            (400, Some("ValidationException"), true),
            (403, Some("AccessDeniedException"), true),
            (403, Some("ExpiredTokenException"), false),
            (400, Some("ThrottlingException"), false),
            (500, Some("InternalFailure"), false),
            (429, Some("Odd"), false),
            (400, Some("OperationDisabledException"), false),
            (503, Some("Odd"), false),
            (403, None, false),
            (407, None, false),
        ] {
            let mut metadata = ErrorMetadata::builder();
            if let Some(code) = code {
                metadata = metadata.code(code);
            }
            let raw = HttpResponse::new(status.try_into().unwrap(), "".into());
            let error = error(&SdkError::service_error(
                PutPartnerEventsError::generic(metadata.build()),
                raw,
            ));
            assert_eq!(
                matches!(error, AwsError::Refused { .. }),
                refused,
                "{status} {code:?}: {error}"
            );
        }
    }

    #[test]
    fn a_message_of_awss_is_cut_before_it_repeats_the_session() {
        let message = "The signature does not match.\n\nThe Canonical String is\nx-amz-security-token:hidden";
        assert_eq!(short(message), "The signature does not match.");
        assert_eq!(short(&"ä".repeat(1000)).chars().count(), 500);
        assert_eq!(short(""), "");
    }
}
