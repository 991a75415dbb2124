//! AWS from the partner's side: creates and deletes event sources, reads their state, puts events.
//!
//! Always through the AWS SDK with its endpoint setting. Real and local AWS differ in the credentials alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::create_partner_event_source::CreatePartnerEventSourceOutput;
use aws_sdk_eventbridge::operation::list_partner_event_source_accounts::ListPartnerEventSourceAccountsOutput;
use aws_sdk_eventbridge::operation::put_partner_events::PutPartnerEventsOutput;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{EventSourceState, PutPartnerEventsRequestEntry};

use crate::aws_calls::{Calls, Credentials as Standing, Ended, Meaning, Operation};
use crate::aws_wire::{AwsWire, app_name};
use crate::store::{Entry, SourceKey};
use crate::{error_chain, secrets};

/// Timeout of one call, from connecting to the answer's last byte.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest message of AWS's that is stored and shown.
const MESSAGE_CHARS_MAX: usize = 500;
/// Longest code.
const CODE_CHARS_MAX: usize = 128;

/// The partner's side of AWS. Clones share clients.
#[derive(Clone, Debug)]
pub(crate) struct Partner {
    endpoint: Option<String>,
    credentials: SharedCredentialsProvider,
    // One client a region: it holds the HTTP connections.
    clients: Arc<Mutex<HashMap<String, Client>>>,
    calls: Calls,
}

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
        match state {
            Ok(SourceState::Active) => Self::Active,
            Ok(SourceState::Pending) => Self::Pending,
            Ok(SourceState::Deleted) => gone("The event source was deleted at AWS"),
            Ok(SourceState::Missing) => gone("AWS has no such event source"),
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

impl EntryError {
    /// Whether AWS asks for fewer calls.
    pub(crate) fn is_throttled(&self) -> bool {
        Meaning::of_code(&self.code) == Some(Meaning::Busy)
    }
}

impl Partner {
    /// The local AWS at this endpoint, as this account.
    pub(crate) fn local(endpoint: impl Into<String>, account: &str) -> Self {
        // A 12-digit access key id is the account; the local AWS checks no signature.
        Self::with_keys(endpoint, account, "none", None)
    }

    /// The AWS at this endpoint, with these keys.
    pub(crate) fn with_keys(
        endpoint: impl Into<String>,
        id: &str,
        secret: &str,
        session_token: Option<&str>,
    ) -> Self {
        let session_token = session_token.map(str::to_owned);
        let credentials = Credentials::new(id, secret, session_token, None, "companion");
        Self::new(Some(endpoint.into()), SharedCredentialsProvider::new(credentials))
    }

    /// The AWS at this endpoint, or AWS itself, with the credentials that AWS's own tools would use.
    pub(crate) async fn real(endpoint: Option<&str>, region: &str) -> Self {
        let credentials = DefaultCredentialsChain::builder()
            .region(Region::new(region.to_owned()))
            .build()
            .await;
        let endpoint = endpoint.map(str::to_owned);
        Self::new(endpoint, SharedCredentialsProvider::new(credentials))
    }

    fn new(endpoint: Option<String>, credentials: SharedCredentialsProvider) -> Self {
        Self {
            endpoint,
            credentials,
            clients: Arc::default(),
            calls: Calls::default(),
        }
    }

    /// How its calls end.
    pub(crate) const fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Looks for credentials, and notes whether there are any; what was known of that before comes first.
    pub(crate) async fn look_for_credentials(&self) -> (Standing, Result<(), CredentialsError>) {
        let found = self.credentials.provide_credentials().await;
        let now = match &found {
            Ok(_) => Standing::Found,
            Err(CredentialsError::CredentialsNotLoaded(_)) => Standing::Missing,
            Err(_) => Standing::Unusable,
        };
        (self.calls.note_credentials(now), found.map(drop))
    }

    /// Makes a call, and notes how it ended.
    async fn called<T, E>(
        &self,
        region: &str,
        operation: Operation,
        call: impl Future<Output = Result<T, SdkError<E>>>,
        judge: impl FnOnce(&T) -> Ended,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let begun = Instant::now();
        let answer = call.await;
        let ended = match &answer {
            Ok(answer) => judge(answer),
            Err(failure) => Ended::of(failure),
        };
        self.calls.note(region, operation, ended, begun.elapsed());
        answer.map_err(|failure| error(&failure))
    }

    fn client(&self, region: &str) -> Client {
        // No panic can leave the map half changed, so a poisoned lock is safe to use.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(region.to_owned())
            .or_insert_with(|| self.connect(region))
            .clone()
    }

    fn connect(&self, region: &str) -> Client {
        // An endpoint of AWS's own belongs to one region and refuses calls signed for another.
        let endpoint = self.endpoint.as_ref().filter(|url| !is_regional(url));
        let mut config = aws_sdk_eventbridge::Config::builder();
        config.set_endpoint_url(endpoint.cloned());
        config.set_app_name(app_name("partner"));
        let config = config
            .behavior_version_latest()
            .region(Region::new(region.to_owned()))
            .credentials_provider(self.credentials.clone())
            // Retries are decided from the stored rows.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .interceptor(AwsWire)
            .build();
        Client::from_conf(config)
    }

    /// The account of the credentials.
    pub(crate) async fn account(&self, region: &str) -> Result<String, AwsError> {
        let mut config = aws_sdk_sts::Config::builder();
        config.set_endpoint_url(self.endpoint.clone().filter(|url| !is_regional(url)));
        config.set_app_name(app_name("partner"));
        let config = config
            .behavior_version_latest()
            .region(Region::new(region.to_owned()))
            .credentials_provider(self.credentials.clone())
            .timeout_config(timeouts())
            .interceptor(AwsWire)
            .build();
        let client = aws_sdk_sts::Client::from_conf(config);
        let identity = client
            .get_caller_identity()
            .send()
            .await
            .map_err(|failure| error(&failure))?;
        let account = identity.account().ok_or_else(|| incomplete("the account"))?;
        Ok(account.to_owned())
    }

    /// Creates a source; one that exists for the same customer counts as created.
    pub(crate) async fn create(&self, source: &SourceKey) -> Result<(), AwsError> {
        let call = self
            .client(&source.region)
            .create_partner_event_source()
            .name(&source.name)
            .account(&source.aws_account_id)
            .send();
        let operation = Operation::CreatePartnerEventSource;
        let judge = |made: &CreatePartnerEventSourceOutput| has(made.event_source_arn().is_some());
        match self.called(&source.region, operation, call, judge).await {
            Ok(made) if made.event_source_arn().is_some() => Ok(()),
            Ok(_) => Err(incomplete("the event source's ARN")),
            Err(AwsError::Refused { code, message }) if code == "ResourceAlreadyExistsException" => {
                // Created by an earlier call whose answer was lost, if it is this customer's.
                match self.state(source).await? {
                    SourceState::Missing => Err(AwsError::Refused { code, message }),
                    _ => Ok(()),
                }
            }
            Err(other) => Err(other),
        }
    }

    /// Deletes a source; one that does not exist counts as deleted.
    pub(crate) async fn delete(&self, source: &SourceKey) -> Result<(), AwsError> {
        let call = self
            .client(&source.region)
            .delete_partner_event_source()
            .name(&source.name)
            .account(&source.aws_account_id)
            .send();
        let operation = Operation::DeletePartnerEventSource;
        match self
            .called(&source.region, operation, call, |_| Ended::DONE)
            .await
        {
            Ok(_) => Ok(()),
            Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// The state of a source in the customer's account.
    pub(crate) async fn state(&self, source: &SourceKey) -> Result<SourceState, AwsError> {
        let client = self.client(&source.region);
        let mut next = None;
        // Bounded: the worst case is a page for each account, and no source has more accounts than that.
        for _ in 0..1000 {
            let call = client
                .list_partner_event_source_accounts()
                .event_source_name(&source.name)
                .set_next_token(next)
                .send();
            let operation = Operation::ListPartnerEventSourceAccounts;
            let judge = |page: &ListPartnerEventSourceAccountsOutput| {
                has(page.partner_event_source_accounts.is_some())
            };
            let page = match self.called(&source.region, operation, call, judge).await {
                Ok(page) => page,
                Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => {
                    return Ok(SourceState::Missing);
                }
                Err(other) => return Err(other),
            };
            let accounts = page.partner_event_source_accounts.as_deref();
            let accounts = accounts.ok_or_else(|| incomplete("the accounts of the event source"))?;
            if let Some(found) = accounts
                .iter()
                .find(|a| a.account() == Some(&source.aws_account_id))
            {
                return match found.state() {
                    Some(EventSourceState::Active) => Ok(SourceState::Active),
                    Some(EventSourceState::Deleted) => Ok(SourceState::Deleted),
                    Some(EventSourceState::Pending) => Ok(SourceState::Pending),
                    _ => Err(incomplete("a known state of the event source")),
                };
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(SourceState::Missing);
            }
        }
        Ok(SourceState::Missing)
    }

    /// Sends events of any connections of a region: one result an entry, in their order.
    pub(crate) async fn put(
        &self,
        region: &str,
        entries: &[Entry],
    ) -> Result<Vec<Result<(), EntryError>>, AwsError> {
        let sent = entries.iter().map(|entry| {
            PutPartnerEventsRequestEntry::builder()
                .source(&entry.source)
                .detail_type(&entry.detail_type)
                .detail(&entry.detail)
                .time(DateTime::from_millis(entry.time_ms))
                .build()
        });
        let call = self
            .client(region)
            .put_partner_events()
            .set_entries(Some(sent.collect()))
            .send();
        self.calls.note_entries(entries.len());
        let judge = |answer: &PutPartnerEventsOutput| {
            let answered = answer.entries();
            if answered.len() != entries.len() {
                return Ended::INCOMPLETE;
            }
            Ended::of_entries(answered.iter().map(|entry| entry.error_code()))
        };
        let operation = Operation::PutPartnerEvents;
        let answer = self.called(region, operation, call, judge).await?;
        let results = answer
            .entries()
            .iter()
            .map(|entry| match (entry.error_code(), entry.event_id()) {
                (None, Some(_)) => Ok(()),
                (Some(code), _) => Err(EntryError {
                    code: word(code),
                    message: short(entry.error_message().unwrap_or_default()),
                }),
                (None, None) => Err(EntryError {
                    code: "NoResult".to_owned(),
                    message: "AWS answered neither an event id nor an error".to_owned(),
                }),
            });
        let results: Vec<_> = results.collect();
        if results.len() == entries.len() {
            return Ok(results);
        }
        // Results cannot be assigned to entries, so no entry counts as taken.
        Err(AwsError::Retryable(format!(
            "AWS answered {} of {} entries",
            results.len(),
            entries.len()
        )))
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// Whether this is an endpoint of AWS's own, which belongs to one region.
fn is_regional(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host.starts_with("events.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

/// The first line of a message of AWS's, without secrets, and cut: some repeat the request, in further lines mostly.
fn short(text: &str) -> String {
    let text = secrets::redact(text);
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// A code of AWS's, without secrets, and cut.
fn word(code: &str) -> String {
    secrets::redact(code).chars().take(CODE_CHARS_MAX).collect()
}

/// An answer that says success and lacks this: what became of the call is not known.
fn incomplete(what: &str) -> AwsError {
    AwsError::Retryable(format!("AWS answered without {what}"))
}

/// How a call ended that succeeded, and has what is to be in its answer, or not.
const fn has(it: bool) -> Ended {
    if it { Ended::DONE } else { Ended::INCOMPLETE }
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
    use aws_credential_types::credential_fn::provide_credentials_fn;
    use aws_sdk_eventbridge::config::http::HttpResponse;
    use aws_sdk_eventbridge::error::ErrorMetadata;
    use aws_sdk_eventbridge::operation::put_partner_events::PutPartnerEventsError;

    use super::*;
    use crate::aws_calls::Outcome;

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

    /// How the last call of a partner ended, with these credentials and nothing that answers.
    async fn last(partner: &Partner) -> Outcome {
        let source = SourceKey {
            name: "aws.partner/scalr.com/acme/prod".into(),
            region: "us-east-1".into(),
            aws_account_id: "123456789012".into(),
        };
        assert!(matches!(
            partner.state(&source).await,
            Err(AwsError::Retryable(_))
        ));
        partner.calls().standing().1[0].ended.outcome
    }

    #[tokio::test]
    async fn a_call_without_credentials_is_told_from_one_without_an_answer() {
        const NOTHING: &str = "http://127.0.0.1:1";
        let none = provide_credentials_fn(|| async { Err(CredentialsError::not_loaded("none")) });
        let partner = Partner::new(Some(NOTHING.into()), SharedCredentialsProvider::new(none));
        assert_eq!(last(&partner).await, Outcome::NoCredentials);
        assert_eq!(
            last(&Partner::local(NOTHING, "999900001111")).await,
            Outcome::Unanswered
        );
    }

    #[test]
    fn awss_own_endpoints_are_regional() {
        for (url, expected) in [
            ("https://events.us-east-1.amazonaws.com", true),
            ("https://events.cn-north-1.amazonaws.com.cn/", true),
            ("http://127.0.0.1:4566", false),
            ("https://proxy.example.com/events.us-east-1.amazonaws.com", false),
            ("https://vpce-1.events.us-east-1.vpce.amazonaws.com", false),
        ] {
            assert_eq!(is_regional(url), expected, "{url}");
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
