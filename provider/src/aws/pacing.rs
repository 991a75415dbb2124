//! AWS that throttles: a call that is throttled is tried again for long, and each operation slows down meanwhile ([`Paced`]). A
//! call that fails otherwise is tried again as often as AWS's own tools do.
//!
//! AWS throttles each operation by itself, so each has a pace of its own. The SDK's adaptive mode has one for all of a service, and goes
//! down to one call in two seconds even where AWS throttles one call in ten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_eventbridge::config::interceptors::{
    BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_eventbridge::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents, SharedHttpClient};
use aws_sdk_eventbridge::error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use scalr_api::{Answered, Paced};
use serde_json::Value;

/// Attempts of a call that AWS throttles, where nobody has named a number.
const THROTTLED_CALLS_MAX: u32 = 12;
/// Attempts of a call that fails otherwise: the SDK's own number, which stands for "nobody has named one".
const FAILED_CALLS_MAX: u32 = 3;
/// The longest wait between two attempts.
const DELAY_MAX: Duration = Duration::from_secs(5);
/// What AWS's services call it: EventBridge and CloudWatch Logs `ThrottlingException`, SQS `RequestThrottled`, SNS `Throttled`.
const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "Throttled",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
];

/// Whether an error code says that calls are too many.
pub(super) fn is_throttling(code: &str) -> bool {
    THROTTLED.contains(&code)
}

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
        let call = request.extension::<Metadata>();
        let pace = call.map(|call| self.paces.of(call.name()));
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            if let Some(pace) = pace {
                pace.leave().await;
            }
            inner.call(request).await
        })
    }
}

/// Notes which operation a request is of, and hears how each attempt ends. One that is throttled may be followed by more than others
/// may.
impl Intercept for Paces {
    fn name(&self) -> &'static str {
        "Paces"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // No header names the operation in every protocol.
        if let Some(call) = config.load::<Metadata>() {
            context.request_mut().add_extension(call.clone());
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
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

/// Has the SDK try a call again that was throttled: it does not know the code of SNS.
#[derive(Debug)]
pub(super) struct RetryThrottled;

impl ClassifyRetry for RetryThrottled {
    fn name(&self) -> &'static str {
        "RetryThrottled"
    }

    /// First: what the SDK's own classifiers say counts more.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if context.response().is_some_and(is_throttled) {
            RetryAction::throttling_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

fn is_throttled(response: &HttpResponse) -> bool {
    let status = response.status();
    if status.is_success() {
        return false;
    }
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    status.as_u16() == 429 || is_throttling(&code(&body))
}

/// The error code in JSON, or in the XML of SNS.
fn code(body: &str) -> String {
    let json = serde_json::from_str::<Value>(body).unwrap_or_default();
    let in_xml = || Some(body.split_once("<Code>")?.1.split_once("</Code>")?.0);
    let code = json["__type"].as_str().or_else(in_xml).unwrap_or_default();
    // In some protocols the code has a namespace before it.
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, SdkConfig};
    use aws_sdk_eventbridge::config::{Credentials, SharedCredentialsProvider};
    use tokio::time::Instant;

    use super::super::Settings;
    use super::super::regional::Clients;
    use super::super::sign_in::timeouts;
    use super::*;
    use crate::shared_read::Writes;

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

    /// Refuses so many requests with this status and body, and answers the others; notes when each left.
    #[derive(Clone, Debug)]
    struct Answers {
        status: u16,
        body: &'static str,
        refused: usize,
        left: Arc<Mutex<Vec<Instant>>>,
    }

    impl HttpConnector for Answers {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let mut left = self.left.lock().unwrap();
            left.push(Instant::now());
            let (status, body) = if left.len() <= self.refused {
                (self.status, self.body)
            } else {
                (200, "{}")
            };
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body.into())))
        }
    }

    impl Answers {
        fn new((status, body): (u16, &'static str), refused: usize) -> Self {
            Self {
                status,
                body,
                refused,
                left: Arc::default(),
            }
        }

        /// The provider's own clients, which are answered so.
        fn clients(&self, written: Option<u32>) -> Clients {
            let keys = Credentials::new("123456789012", "s3cret", None, None, "test");
            let connector = SharedHttpConnector::new(self.clone());
            let base = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .credentials_provider(SharedCredentialsProvider::new(keys))
                .retry_config(retries(written, None))
                .timeout_config(timeouts())
                .http_client(http_client_fn(move |settings, _| {
                    assert_eq!(settings.read_timeout(), Some(Duration::from_secs(30)));
                    connector.clone()
                }))
                .build();
            let settings = Settings {
                max_retries: written,
                ..Settings::default()
            };
            Clients::new(&base, "us-east-1", &settings, &Writes::default())
        }

        fn left(&self) -> Vec<Instant> {
            self.left.lock().unwrap().clone()
        }
    }

    /// Makes one call of a service; whether it succeeds.
    async fn call(clients: &Clients, service: &str) -> bool {
        match service {
            "events" => clients.events.describe_rule().name("r").send().await.is_ok(),
            "logs" => clients.logs.describe_log_groups().send().await.is_ok(),
            "sqs" => clients.queues.list_queues().send().await.is_ok(),
            _ => clients.topics.list_topics().send().await.is_ok(),
        }
    }

    /// A service, how it refuses, and how many requests one call then makes.
    const REFUSALS: [(&str, u16, &str, usize); 9] = [
        ("events", 400, r#"{"__type":"ThrottlingException"}"#, 12),
        (
            "logs",
            400,
            r#"{"__type":"com.amazonaws.logs#ThrottlingException"}"#,
            12,
        ),
        (
            "sqs",
            400,
            r#"{"__type":"com.amazonaws.sqs#RequestThrottled"}"#,
            12,
        ),
        (
            "sns",
            429,
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttled</Code></Error></ErrorResponse>",
            12,
        ),
        (
            "sns",
            400,
            "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
            12,
        ),
        ("events", 500, r#"{"__type":"InternalException"}"#, 3),
        ("events", 400, r#"{"__type":"ValidationException"}"#, 1),
        (
            "sqs",
            400,
            r#"{"__type":"com.amazonaws.sqs#InvalidAttributeValue"}"#,
            1,
        ),
        (
            "sns",
            400,
            "<ErrorResponse><Error><Code>InvalidParameter</Code></Error></ErrorResponse>",
            1,
        ),
    ];

    #[tokio::test(start_paused = true)]
    async fn throttled_calls_are_tried_for_long_and_slow_their_operation_down() {
        for (service, status, body, want) in REFUSALS {
            let answers = Answers::new((status, body), usize::MAX);
            let clients = answers.clients(None);
            assert!(!call(&clients, service).await, "{service} {body}");
            assert_eq!(answers.left().len(), want, "{service} {body}");
            tokio::join!(call(&clients, service), call(&clients, service));
            let left = answers.left();
            let waits = left[want] != left[want + 1];
            assert_eq!(waits, want == 12, "{service} {body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_operation_has_a_pace_of_its_own() {
        let answers = Answers::new((400, REFUSALS[0].2), 12);
        let clients = answers.clients(None);
        assert!(!call(&clients, "events").await);
        let others = async || clients.events.list_rules().send().await.is_ok();
        assert_eq!(tokio::join!(others(), others()), (true, true));
        assert_eq!(answers.left()[12], answers.left()[13]);
    }

    /// A request that waits for its turn has not been sent: the limit of an attempt would end it, and whether AWS carried it out would
    /// seem unknown.
    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_turn_does_not_count_against_the_limit_of_an_attempt() {
        const AT_ONCE: usize = 200;
        let answers = Answers::new((400, REFUSALS[0].2), 8);
        let clients = answers.clients(Some(0));
        for _ in 0..8 {
            assert!(!call(&clients, "events").await);
        }
        let start = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let events = clients.events.clone();
            calls.spawn(async move { events.describe_rule().name("r").send().await });
        }
        for answer in calls.join_all().await {
            answer.unwrap();
        }
        assert!(start.elapsed() > Duration::from_secs(35), "{:?}", start.elapsed());
        assert_eq!(answers.left().len(), 8 + AT_ONCE);
    }
}
