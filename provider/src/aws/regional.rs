//! AWS in one region, for one operation: its clients, and when to give up asking.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::RequestId;
use aws_sdk_eventbridgev2 as custom;
use aws_sdk_iam as roles;
use aws_sdk_sns as topics;
use aws_sdk_sqs as queues;
use tfplugin::{CancellationToken, Operation};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use super::answer_bound::BoundAnswers;
use super::credentials_sent::HideSent;
use super::pacing::{Paces, RetryThrottled, retry_quota};
use super::reads::Reads;
use super::settings::shown_url;
use super::user_agent::UserAgent;
use super::writes_noted::NoteWrites;
use super::{Endpoints, Error, Settings, arn};
use crate::shared_read::{Freshness, Writes};

/// A read that starts when the operation's time is over still gets this long: it looks for the cause, for the message.
const READ_MIN: Duration = Duration::from_secs(10);
/// Calls in one region that only read, at a time: with a high parallelism all would come at once.
const READS_AT_A_TIME: usize = 20;

/// When an operation ends, done or not.
#[derive(Clone, Debug)]
pub struct Limits {
    stop: CancellationToken,
    deadline: Instant,
}

/// Why an operation ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The user interrupted.
    Interrupted,
    /// The operation's time is over.
    TooLate,
}

impl Limits {
    /// Those of an operation under way.
    pub fn of<T>(operation: &Operation<'_, T>) -> Self {
        Self {
            stop: operation.cancelled().clone(),
            deadline: operation.deadline(),
        }
    }

    /// Those of something short.
    pub fn within(stop: &CancellationToken, time: Duration) -> Self {
        Self {
            stop: stop.clone(),
            deadline: Instant::now() + time,
        }
    }

    /// Awaits what may be given up at any point. Boxed: the SDK's futures are large, and every caller would hold one.
    pub fn unless_over<F: Future>(&self, work: F) -> impl Future<Output = Result<F::Output, Stop>> {
        let work = Box::pin(work);
        async move {
            let until = self.deadline.max(Instant::now() + READ_MIN);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Stop::Interrupted),
                done = work => Ok(done),
                () = tokio::time::sleep_until(until) => Err(Stop::TooLate),
            }
        }
    }
}

/// The clients of one region, which all operations there share.
#[expect(clippy::struct_excessive_bools, reason = "one answer a service")]
#[derive(Debug)]
pub struct Clients {
    /// Name of the region.
    pub name: String,
    /// EventBridge.
    pub events: events::Client,
    /// EventBridge's custom event buses.
    pub custom: custom::Client,
    /// Whether they are where EventBridge's other buses are.
    pub has_custom_buses: bool,
    /// CloudWatch Logs.
    pub logs: logs::Client,
    /// IAM, which is the same in all regions.
    pub roles: roles::Client,
    /// Whether IAM is where EventBridge is.
    pub has_roles: bool,
    /// SQS.
    pub queues: queues::Client,
    /// Whether SQS is where EventBridge is: of one that is not, nothing follows.
    pub has_queues: bool,
    /// SNS.
    pub topics: topics::Client,
    /// Whether SNS is where EventBridge is.
    pub has_topics: bool,
    /// Held over the read, merge and write of a log group's policy: two targets must not undo each other's.
    pub policy_writes: tokio::sync::Mutex<()>,
    account: OnceCell<String>,
    /// What the reads of a refresh share.
    pub(super) reads: Reads,
    reading: Semaphore,
    /// Where calls go, if not to AWS's own endpoints: for messages.
    shown: Endpoints,
}

impl Clients {
    pub(super) fn new(base: &SdkConfig, name: &str, settings: &Settings, writes: &Writes) -> Self {
        let (endpoints, named) = (&settings.endpoints, settings.environment_endpoints);
        let region = Region::new(name.to_owned());
        // Each SDK has a builder of its own type.
        macro_rules! client {
            ($sdk:ident, $endpoint:expr) => {{
                let config = $sdk::config::Builder::from(base).region(region.clone());
                let mut config = config.interceptor(HideSent).interceptor(BoundAnswers);
                let paces = Paces::new(settings.max_retries, base.retry_config());
                if let Some(http) = base.http_client() {
                    config = config.http_client(paces.client(http));
                }
                config = config
                    .interceptor(paces)
                    .retry_classifier(RetryThrottled)
                    // A request that waits for its turn would be a stalled upload. None of them is large.
                    .stalled_stream_protection(
                        $sdk::config::StalledStreamProtectionConfig::enabled()
                            .upload_enabled(false)
                            .build(),
                    )
                    .interceptor(NoteWrites(writes.clone()))
                    .interceptor(UserAgent(settings.user_agent.clone()))
                    .retry_partition(retry_quota(format!("{} {name}", stringify!($sdk))));
                if let Some(url) = $endpoint {
                    config = config.endpoint_url(url);
                }
                $sdk::Client::from_conf(config.build())
            }};
        }
        let shown = |own: &Option<String>| own.as_deref().or(base.endpoint_url()).map(shown_url);
        Self {
            name: name.to_owned(),
            events: client!(events, &endpoints.events),
            custom: client!(custom, &endpoints.eventsv2),
            has_custom_buses: is_beside(base, settings, endpoints.eventsv2.is_some() || named.eventsv2),
            logs: client!(logs, &endpoints.logs),
            roles: client!(roles, &endpoints.iam),
            has_roles: is_beside(base, settings, endpoints.iam.is_some() || named.iam),
            queues: client!(queues, &endpoints.sqs),
            has_queues: is_beside(base, settings, endpoints.sqs.is_some() || named.sqs),
            topics: client!(topics, &endpoints.sns),
            has_topics: is_beside(base, settings, endpoints.sns.is_some() || named.sns),
            policy_writes: tokio::sync::Mutex::new(()),
            account: OnceCell::new(),
            reads: Reads::new(writes),
            reading: Semaphore::new(READS_AT_A_TIME),
            shown: Endpoints {
                events: shown(&endpoints.events),
                eventsv2: shown(&endpoints.eventsv2),
                iam: shown(&endpoints.iam),
                logs: shown(&endpoints.logs),
                sns: shown(&endpoints.sns),
                sqs: shown(&endpoints.sqs),
                sts: None,
            },
        }
    }
}

/// Whether a service is where EventBridge is. Where EventBridge alone has an endpoint of its own, AWS's queues and topics are
/// not those that its targets lead to.
fn is_beside(base: &SdkConfig, settings: &Settings, has_own: bool) -> bool {
    let events_alone = settings.endpoints.events.is_some() || settings.environment_endpoints.events;
    !events_alone || has_own || base.endpoint_url().is_some()
}

/// The clients of one region, within the limits of one operation.
#[derive(Clone, Debug)]
pub struct Regional {
    clients: Arc<Clients>,
    /// What ends the operation.
    pub limits: Limits,
    /// From when answers may be.
    pub(super) freshness: Freshness,
}

impl Deref for Regional {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

impl Regional {
    pub(super) fn new(clients: Arc<Clients>, limits: Limits) -> Self {
        Self {
            clients,
            limits,
            freshness: Freshness::Now,
        }
    }

    /// The same for a refresh, whose reads share answers.
    pub fn refreshing(self) -> Self {
        Self {
            freshness: Freshness::Walk,
            ..self
        }
    }

    /// Sends a call that changes nothing. An interruption or the end of the operation's time cuts it short, which no
    /// call that writes may be: whether AWS carried that out would not be known.
    pub fn read<T, E, R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, R>>>,
    ) -> impl Future<Output = Result<T, Error>>
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let call = self.limits.unless_over(async {
            let _turn = self.reading.acquire().await;
            call.await
        });
        async move {
            match call.await {
                Ok(answer) => answer.map_err(|e| self.failed(operation, e)),
                Err(why) => Err(Error::Stopped {
                    what: format!("`{operation}` in {}", self.name),
                    why,
                }),
            }
        }
    }

    /// What AWS sends with every answer to a call. An answer without it says nothing, least of all that nothing is there.
    pub fn given<T>(
        &self,
        operation: &'static str,
        member: &'static str,
        value: Option<T>,
    ) -> Result<T, Error> {
        value.ok_or_else(|| Error::Incomplete {
            operation,
            region: self.name.clone(),
            member,
        })
    }

    /// The account of the credentials, read from the ARN of its default bus: no further service need be reachable.
    pub async fn account(&self) -> Result<&str, Error> {
        const CALL: &str = "events:DescribeEventBus";
        let account = self.clients.account.get_or_try_init(|| async {
            let call = self.events.describe_event_bus().name("default").send();
            let bus = self.read(CALL, call).await?;
            let arn = self.given(CALL, "Arn", bus.arn)?;
            Ok(arn::account(&arn).unwrap_or_default().to_owned())
        });
        account.await.map(String::as_str)
    }

    /// The account in words, for messages: it must never be the reason of a failure.
    pub async fn account_in_words(&self) -> String {
        match self.account().await {
            Ok(account) if !account.is_empty() => format!("account {account}"),
            _ => "the credentials' account".to_owned(),
        }
    }

    /// An SDK error of a call in this region.
    pub fn failed<E, R>(&self, operation: &'static str, error: SdkError<E, R>) -> Error
    where
        E: ProvideErrorMetadata + RequestId + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let shown = match operation.split(':').next() {
            Some("eventsv2") => &self.shown.eventsv2,
            Some("iam") => &self.shown.iam,
            Some("logs") => &self.shown.logs,
            Some("sns") => &self.shown.sns,
            Some("sqs") => &self.shown.sqs,
            _ => &self.shown.events,
        };
        Error::from_sdk(operation, &self.name, shown.as_deref(), error)
    }

    /// An entry of a call in this region that failed while the call itself did not.
    pub fn entry_failed(&self, operation: &'static str, code: Option<&str>, message: Option<&str>) -> Error {
        Error::of_entry(operation, &self.name, code, message)
    }
}

#[cfg(test)]
mod tests {
    use super::super::OwnEndpoints;
    use super::*;

    #[test]
    fn queues_are_where_eventbridge_is_unless_that_one_alone_is_elsewhere() {
        let url = || Some("http://127.0.0.1:4566".to_owned());
        let (none, events) = (
            OwnEndpoints::default(),
            OwnEndpoints {
                events: true,
                ..OwnEndpoints::default()
            },
        );
        for (written, named, own, all, want) in [
            (None, none, false, None, true),
            (url(), none, false, None, false),
            (None, events, false, None, false),
            (url(), none, true, None, true),
            (None, events, true, None, true),
            (None, events, false, url(), true),
        ] {
            let settings = Settings {
                endpoints: Endpoints {
                    events: written.clone(),
                    ..Endpoints::default()
                },
                environment_endpoints: named,
                ..Settings::default()
            };
            let mut base = SdkConfig::builder();
            base.set_endpoint_url(all.clone());
            assert_eq!(
                is_beside(&base.build(), &settings, own),
                want,
                "{written:?} {named:?} {own} {all:?}"
            );
        }
    }
}
