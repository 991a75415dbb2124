//! The clients of AWS, one a region and service, with the credentials that they share; how their calls end is noted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::config::{Region, SharedCredentialsProvider};
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};

use crate::aws_calls::{Calls, Credentials as Standing, Ended, Operation};
use crate::aws_error::{AwsError, EntryResults, Said, error, incomplete, results};
use crate::aws_wire::{AwsWire, app_name};

/// Timeout of one call, from connecting to the answer's last byte.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The clients. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct AwsClients {
    endpoint: Option<String>,
    credentials: SharedCredentialsProvider,
    // One client a region: it holds the HTTP connections.
    classic: ByRegion<aws_sdk_eventbridge::Client>,
    custom: ByRegion<aws_sdk_eventbridgev2::Client>,
    pub(crate) calls: Calls,
}

type ByRegion<C> = Arc<Mutex<HashMap<String, C>>>;

/// The client of a region, made where there is none.
fn of_region<C: Clone>(clients: &ByRegion<C>, region: &str, connect: impl FnOnce() -> C) -> C {
    // No panic can leave the map half changed, so a poisoned lock is safe to use.
    let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    clients.entry(region.to_owned()).or_insert_with(connect).clone()
}

impl AwsClients {
    /// Of the AWS at this endpoint, or of AWS itself.
    pub(crate) fn new(endpoint: Option<String>, credentials: SharedCredentialsProvider) -> Self {
        Self {
            endpoint,
            credentials,
            classic: ByRegion::default(),
            custom: ByRegion::default(),
            calls: Calls::default(),
        }
    }

    /// Of EventBridge.
    pub(crate) fn classic(&self, region: &str) -> aws_sdk_eventbridge::Client {
        of_region(&self.classic, region, || {
            let mut config = aws_sdk_eventbridge::Config::builder();
            config.set_endpoint_url(self.endpoint());
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
            aws_sdk_eventbridge::Client::from_conf(config)
        })
    }

    /// Of custom event buses.
    pub(crate) fn custom(&self, region: &str) -> aws_sdk_eventbridgev2::Client {
        of_region(&self.custom, region, || {
            let mut config = aws_sdk_eventbridgev2::Config::builder();
            config.set_endpoint_url(self.endpoint());
            config.set_app_name(app_name("partner"));
            let config = config
                .behavior_version_latest()
                .region(Region::new(region.to_owned()))
                .credentials_provider(self.credentials.clone())
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts())
                .interceptor(AwsWire)
                .build();
            aws_sdk_eventbridgev2::Client::from_conf(config)
        })
    }

    /// The endpoint for any region: one of AWS's own belongs to one region and refuses calls signed for another.
    fn endpoint(&self) -> Option<String> {
        self.endpoint.clone().filter(|url| !is_regional(url))
    }

    /// The account of the credentials.
    pub(crate) async fn account(&self, region: &str) -> Result<String, AwsError> {
        let mut config = aws_sdk_sts::Config::builder();
        config.set_endpoint_url(self.endpoint());
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

    /// Makes a call that puts so many events, given what its answer says of each: one result an entry, in their order.
    pub(crate) async fn put<T, E>(
        &self,
        region: &str,
        (operation, entries): (Operation, usize),
        call: impl Future<Output = Result<T, SdkError<E>>>,
        said: fn(&T) -> Vec<Said<'_>>,
    ) -> Result<EntryResults, AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.calls.note_entries(entries);
        let judge = |answer: &T| Ended::of_answered(entries, said(answer).iter().map(|(_, code, _)| *code));
        let answer = self.called(region, operation, call, judge).await?;
        results(entries, said(&answer).into_iter())
    }

    /// Makes a call, and notes how it ended.
    pub(crate) async fn called<T, E>(
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

/// How a call ended that succeeded, and has what is to be in its answer, or not.
pub(crate) const fn has(it: bool) -> Ended {
    if it { Ended::DONE } else { Ended::INCOMPLETE }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
