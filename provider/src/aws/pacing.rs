//! AWS that throttles: a call that is throttled is tried again for long, and each operation slows down meanwhile ([`Paced`]). A
//! call that fails otherwise is tried again as often as AWS's own tools do.
//!
//! AWS throttles each operation by itself, so each has a pace of its own. The SDK's adaptive mode has one for all of a service, and goes
//! down to one call in two seconds even where AWS throttles one call in ten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_eventbridge::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_eventbridge::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use scalr_api::{Answered, Paced};
use serde_json::Value;

/// Attempts of a call that AWS throttles, where nobody has named a number.
const THROTTLED_CALLS_MAX: u32 = 12;
/// Attempts of a call that fails otherwise: the SDK's own number, which stands for "nobody has named one".
const FAILED_CALLS_MAX: u32 = 3;
/// The longest wait between two attempts.
const DELAY_MAX: Duration = Duration::from_secs(5);
/// What AWS's services call it.
const THROTTLED: [&str; 6] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
];

/// How often calls are tried. A number that is written, or that AWS's own variables and profiles name (`found`), counts for
/// every failure.
pub(super) fn retries(written: Option<u32>, found: Option<&RetryConfig>) -> RetryConfig {
    let found = found.cloned().unwrap_or_else(RetryConfig::standard);
    let attempts = written.map_or(found.max_attempts(), |retries| retries.saturating_add(1));
    found.with_max_attempts(attempts).with_max_backoff(DELAY_MAX)
}

/// The SDK's bound of how much of a client's calls may be retries. What is throttled was not carried out, and its retries are
/// paced, so they count for nothing.
pub(super) fn retry_quota(name: String) -> RetryPartition {
    let bucket = TokenBucket::builder().capacity(500);
    let bucket = bucket
        .retry_cost(5)
        .timeout_retry_cost(10)
        .throttling_retry_cost(0);
    RetryPartition::custom(name).token_bucket(bucket.build()).build()
}

/// The paces of one service's operations. Clones are one.
#[derive(Clone, Debug)]
pub(super) struct Paces {
    of: Arc<Mutex<BTreeMap<String, Arc<Paced>>>>,
    /// Whether throttled calls are tried for longer than others.
    persists: bool,
}

impl Paces {
    /// Nothing was throttled yet. Where somebody named a number of retries (`written`, or in `config`), it counts for throttled
    /// calls, too.
    pub(super) fn new(written: Option<u32>, config: Option<&RetryConfig>) -> Self {
        let attempts = config.map_or(FAILED_CALLS_MAX, RetryConfig::max_attempts);
        Self {
            of: Arc::default(),
            persists: written.is_none() && attempts == FAILED_CALLS_MAX,
        }
    }

    fn of(&self, operation: &str) -> Arc<Paced> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = of.get(operation) {
            return Arc::clone(pace);
        }
        Arc::clone(of.entry(operation.to_owned()).or_default())
    }

    /// A client whose requests leave at the pace of their operation.
    pub(super) fn client(&self, client: SharedHttpClient) -> SharedHttpClient {
        let paces = self.clone();
        http_client_fn(move |settings, components| {
            SharedHttpConnector::new(Connector {
                paces: paces.clone(),
                inner: client.http_connector(settings, components),
            })
        })
    }
}

#[derive(Debug)]
struct Connector {
    paces: Paces,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // SNS alone has no such header: its calls, which are few, are retried and not paced.
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let pace = self.paces.of(target.rsplit('.').next().unwrap_or_default());
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            pace.leave().await;
            inner.call(request).await
        })
    }
}

/// Hears how each attempt ends. One that is throttled may be followed by more than others may.
impl Intercept for Paces {
    fn name(&self) -> &'static str {
        "Paces"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let is_throttled = context.response().is_some_and(is_throttled);
        if let Some(call) = config.load::<Metadata>() {
            let answered = if is_throttled {
                Answered::Throttled(None)
            } else {
                Answered::Other
            };
            self.of(call.name()).heard(answered);
        }
        if let Some(held) = config.load::<RetryConfig>().filter(|_| self.persists) {
            let calls_max = if is_throttled {
                THROTTLED_CALLS_MAX
            } else {
                FAILED_CALLS_MAX
            };
            let retries = held.clone().with_max_attempts(calls_max);
            config.interceptor_state().store_put(retries);
        }
        Ok(())
    }
}

fn is_throttled(response: &HttpResponse) -> bool {
    let status = response.status();
    if status.is_success() {
        return false;
    }
    let body = response.body().bytes().map(serde_json::from_slice::<Value>);
    let body = body.and_then(Result::ok).unwrap_or_default();
    let code = body["__type"].as_str().unwrap_or_default();
    // In some protocols the code has a namespace before it.
    let code = code.rsplit('#').next().unwrap_or_default();
    status.as_u16() == 429 || THROTTLED.contains(&code)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_eventbridge::config::{Credentials, SharedCredentialsProvider};

    use super::*;

    #[test]
    fn a_number_that_somebody_named_counts_for_every_failure() {
        let named = RetryConfig::standard().with_max_attempts(7);
        for (written, found, attempts, persists) in [
            (None, None, 3, true),
            (None, Some(RetryConfig::standard()), 3, true),
            (None, Some(named.clone()), 7, false),
            (Some(0), Some(named), 1, false),
            (Some(2), None, 3, false),
            (Some(25), None, 26, false),
        ] {
            let config = retries(written, found.as_ref());
            let paces = Paces::new(written, Some(&config));
            let got = (config.max_attempts(), paces.persists);
            assert_eq!(got, (attempts, persists), "{written:?} {found:?}");
        }
    }

    /// Answers every call with this status and code; counts them.
    fn answering(status: u16, code: &'static str, count: Arc<AtomicU32>) -> SharedHttpClient {
        #[derive(Debug)]
        struct Answers(u16, &'static str, Arc<AtomicU32>);
        impl HttpConnector for Answers {
            fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
                self.2.fetch_add(1, Ordering::SeqCst);
                let body = format!("{{\"__type\":\"{}\"}}", self.1);
                let status = self.0.try_into().unwrap();
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
            }
        }
        let connector = SharedHttpConnector::new(Answers(status, code, count));
        http_client_fn(move |_, _| connector.clone())
    }

    /// Calls DescribeRule once; how many requests that makes.
    async fn requests(paces: &Paces, status: u16, code: &'static str) -> u32 {
        let count = Arc::new(AtomicU32::new(0));
        let keys = Credentials::new("123456789012", "s3cret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .retry_config(retries(None, None))
            .build();
        let own = aws_sdk_eventbridge::config::Builder::from(&config)
            .interceptor(paces.clone())
            .retry_partition(retry_quota("test".to_owned()))
            .http_client(paces.client(answering(status, code, Arc::clone(&count))));
        let client = aws_sdk_eventbridge::Client::from_conf(own.build());
        client.describe_rule().name("r").send().await.unwrap_err();
        count.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_calls_are_tried_for_long_and_slow_their_operation_down() {
        let paces = Paces::new(None, None);
        for (status, code, want) in [
            (400, "ThrottlingException", 12),
            (500, "InternalException", 3),
            (400, "ValidationException", 1),
        ] {
            assert_eq!(requests(&paces, status, code).await, want, "{code}");
        }
        let of: Vec<String> = paces.of.lock().unwrap().keys().cloned().collect();
        assert_eq!(of, ["DescribeRule"], "what leaves is what is heard of");
        paces.of("DescribeRule").heard(Answered::Throttled(None));
        for (operation, waits) in [("PutRule", false), ("DescribeRule", true)] {
            let start = tokio::time::Instant::now();
            paces.of(operation).leave().await;
            paces.of(operation).leave().await;
            assert_eq!(!start.elapsed().is_zero(), waits, "{operation}");
        }
    }
}
