//! AWS, seen from the partner: sources made and deleted, their state asked, events put.
//!
//! One way only: the AWS SDK with its endpoint setting. Whether AWS is real or local shows in the credentials alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{EventSourceState, PutPartnerEventsRequestEntry};

use crate::errors;
use crate::store::{Entry, SourceKey};

/// How long one call may take, from connecting to the answer's last byte.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest text of AWS's that is kept and shown.
const MESSAGE_CHARS_MAX: usize = 500;

/// The partner's side of AWS. Clones share clients.
#[derive(Clone, Debug)]
pub(crate) struct Partner {
    endpoint: String,
    credentials: SharedCredentialsProvider,
    // One client a region: it holds the connections.
    clients: Arc<Mutex<HashMap<String, Client>>>,
}

/// Why AWS did not do as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AwsError {
    /// It may do so later: no answer, throttled, or an error of its own.
    #[error("{0}")]
    Later(String),
    /// It said no.
    #[error("{code}: {message}")]
    No { code: String, message: String },
}

/// A source as the partner sees it in the customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceState {
    /// No bus is associated with it.
    Pending,
    Active,
    Deleted,
    /// AWS does not know it.
    Missing,
}

/// AWS's word on one entry: its error code and message, or nothing when it took it.
pub(crate) type Verdict = Option<(String, String)>;

impl Partner {
    /// Speaks to the local AWS at this endpoint as this account.
    pub(crate) fn local(endpoint: impl Into<String>, account: &str) -> Self {
        // A 12-digit access key id is the account; the local AWS checks no signature.
        let credentials = Credentials::new(account, "none", None, None, "companion");
        Self::new(endpoint, SharedCredentialsProvider::new(credentials))
    }

    /// Speaks to the AWS at this endpoint with the credentials that AWS's own tools would use.
    pub(crate) async fn real(endpoint: impl Into<String>, region: &str) -> Self {
        let credentials = DefaultCredentialsChain::builder()
            .region(Region::new(region.to_owned()))
            .build()
            .await;
        Self::new(endpoint, SharedCredentialsProvider::new(credentials))
    }

    fn new(endpoint: impl Into<String>, credentials: SharedCredentialsProvider) -> Self {
        Self {
            endpoint: endpoint.into(),
            credentials,
            clients: Arc::default(),
        }
    }

    fn client(&self, region: &str) -> Client {
        // A panic cannot leave the map half changed, so a poisoned lock is as good as any.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients
            .entry(region.to_owned())
            .or_insert_with(|| self.connect(region))
            .clone()
    }

    fn connect(&self, region: &str) -> Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        // Of AWS's own endpoints each region has one, and takes no calls that are signed for another.
        let endpoint = Some(&self.endpoint).filter(|url| !is_of_aws(url));
        let mut config = aws_sdk_eventbridge::Config::builder();
        config.set_endpoint_url(endpoint.cloned());
        let config = config
            .behavior_version_latest()
            .region(Region::new(region.to_owned()))
            .credentials_provider(self.credentials.clone())
            // What is sent again, and when, is decided by what is stored.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        Client::from_conf(config)
    }

    /// Creates a source; one that is there for the same customer counts as created.
    pub(crate) async fn create(&self, source: &SourceKey) -> Result<(), AwsError> {
        let made = self
            .client(&source.region)
            .create_partner_event_source()
            .name(&source.name)
            .account(&source.aws_account_id)
            .send()
            .await;
        match made.map_err(|e| error(&e)) {
            Ok(_) => Ok(()),
            Err(AwsError::No { code, message }) if code == "ResourceAlreadyExistsException" => {
                // Ours, if an earlier answer was lost.
                match self.state(source).await? {
                    SourceState::Missing => Err(AwsError::No { code, message }),
                    _ => Ok(()),
                }
            }
            Err(other) => Err(other),
        }
    }

    /// Deletes a source; one that is not there counts as deleted.
    pub(crate) async fn delete(&self, source: &SourceKey) -> Result<(), AwsError> {
        let gone = self
            .client(&source.region)
            .delete_partner_event_source()
            .name(&source.name)
            .account(&source.aws_account_id)
            .send()
            .await;
        match gone.map_err(|e| error(&e)) {
            Ok(_) => Ok(()),
            Err(AwsError::No { code, .. }) if code == "ResourceNotFoundException" => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// What the customer made of a source.
    pub(crate) async fn state(&self, source: &SourceKey) -> Result<SourceState, AwsError> {
        let client = self.client(&source.region);
        let mut next = None;
        // An account a page is the worst case; no source has more accounts than that.
        for _ in 0..1000 {
            let page = client
                .list_partner_event_source_accounts()
                .event_source_name(&source.name)
                .set_next_token(next)
                .send()
                .await;
            let page = match page.map_err(|e| error(&e)) {
                Ok(page) => page,
                Err(AwsError::No { code, .. }) if code == "ResourceNotFoundException" => {
                    return Ok(SourceState::Missing);
                }
                Err(other) => return Err(other),
            };
            let accounts = page.partner_event_source_accounts();
            if let Some(found) = accounts
                .iter()
                .find(|a| a.account() == Some(&source.aws_account_id))
            {
                return Ok(match found.state() {
                    Some(EventSourceState::Active) => SourceState::Active,
                    Some(EventSourceState::Deleted) => SourceState::Deleted,
                    _ => SourceState::Pending,
                });
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(SourceState::Missing);
            }
        }
        Ok(SourceState::Missing)
    }

    /// Sends events: one verdict an entry, in their order.
    pub(crate) async fn put(&self, source: &SourceKey, entries: &[Entry]) -> Result<Vec<Verdict>, AwsError> {
        let sent = entries.iter().map(|entry| {
            PutPartnerEventsRequestEntry::builder()
                .source(&source.name)
                .detail_type(&entry.detail_type)
                .detail(&entry.detail)
                .time(DateTime::from_millis(entry.time_ms))
                .build()
        });
        let answer = self
            .client(&source.region)
            .put_partner_events()
            .set_entries(Some(sent.collect()))
            .send()
            .await
            .map_err(|e| error(&e))?;
        let verdicts: Vec<Verdict> = answer
            .entries()
            .iter()
            .map(|slot| {
                let code = slot.error_code()?;
                Some((code.to_owned(), short(slot.error_message().unwrap_or_default())))
            })
            .collect();
        if verdicts.len() == entries.len() {
            return Ok(verdicts);
        }
        // Without a slot an entry we cannot tell what became of it: it counts as not taken.
        Err(AwsError::Later(format!(
            "AWS answered {} of {} entries",
            verdicts.len(),
            entries.len()
        )))
    }
}

/// Whether this is an endpoint of one region of AWS's.
fn is_of_aws(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host.starts_with("events.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

/// The beginning of a text of AWS's. Beyond the first line some repeat the request, with the session in it.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// What a failed call means.
pub(crate) fn error<E>(error: &SdkError<E>) -> AwsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return AwsError::Later(short(&format!("The call to AWS failed: {}", errors::told(error))));
    };
    let status = service.raw().status().as_u16();
    let Some(code) = service.err().code() else {
        return AwsError::Later(format!(
            "AWS, or what is in its place, answers {status} without an error code"
        ));
    };
    let message = short(service.err().message().unwrap_or("no message"));
    if status >= 500 || status == 429 || RETRYABLE.contains(&code) {
        return AwsError::Later(format!("AWS answers {status} {code}: {message}"));
    }
    let code = code.to_owned();
    AwsError::No { code, message }
}

/// They say nothing about the connection: AWS is busy, or our credentials or clock are to be put right.
const RETRYABLE: [&str; 12] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "RequestTimeout",
    "RequestTimeoutException",
    "InternalException",
    "InternalFailure",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ConcurrentModificationException",
    "OperationDisabledException",
];

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::config::http::HttpResponse;
    use aws_sdk_eventbridge::error::ErrorMetadata;
    use aws_sdk_eventbridge::operation::put_partner_events::PutPartnerEventsError;

    use super::*;

    #[test]
    fn only_aws_itself_says_no() {
        for (status, code, no) in [
            (400, Some("ValidationException"), true),
            (403, Some("AccessDeniedException"), true),
            (403, Some("ExpiredTokenException"), false),
            (400, Some("ThrottlingException"), false),
            (500, Some("InternalFailure"), false),
            (429, Some("Odd"), false),
            (403, None, false),
            (407, None, false),
        ] {
            let mut metadata = ErrorMetadata::builder();
            if let Some(code) = code {
                metadata = metadata.code(code);
            }
            let raw = HttpResponse::new(status.try_into().unwrap(), "".into());
            let said = error(&SdkError::service_error(
                PutPartnerEventsError::generic(metadata.build()),
                raw,
            ));
            assert_eq!(
                matches!(said, AwsError::No { .. }),
                no,
                "{status} {code:?}: {said}"
            );
        }
    }

    #[test]
    fn awss_own_endpoints_are_of_one_region() {
        for (url, expected) in [
            ("https://events.us-east-1.amazonaws.com", true),
            ("https://events.cn-north-1.amazonaws.com.cn/", true),
            ("http://127.0.0.1:4566", false),
            ("https://proxy.example.com/events.us-east-1.amazonaws.com", false),
            ("https://vpce-1.events.us-east-1.vpce.amazonaws.com", false),
        ] {
            assert_eq!(is_of_aws(url), expected, "{url}");
        }
    }

    #[test]
    fn what_is_told_of_awss_words_is_short_and_no_session() {
        let words = "The signature does not match.\n\nThe Canonical String is\nx-amz-security-token:hidden";
        assert_eq!(short(words), "The signature does not match.");
        assert_eq!(short(&"ä".repeat(1000)).chars().count(), 500);
        assert_eq!(short(""), "");
    }
}
