//! A running local AWS and SDK clients for any account and region of it.

use std::time::Duration;

use aws_local::{Config, Server};
use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Credentials, Region};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The partner's account in these tests.
pub(crate) const PARTNER: &str = "111111111111";
/// The customer's account in these tests.
pub(crate) const CUSTOMER: &str = "222222222222";
pub(crate) const REGION: &str = "eu-west-1";

/// A server of its own for one test.
pub(crate) struct Local {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Local {
    pub(crate) async fn start(config: Config) -> Self {
        let server = Server::bind(config).await.unwrap();
        let url = format!("http://{}", server.local_addr());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            server
                .run(async {
                    let _ = stopped.await;
                })
                .await
                .unwrap();
        });
        Self {
            url,
            http: reqwest::Client::builder()
                .tls_danger_accept_invalid_certs(true)
                .build()
                .unwrap(),
            stop: Some(stop),
            running,
        }
    }

    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(10), self.running)
            .await
            .unwrap()
            .unwrap();
    }

    pub(crate) fn events(&self, key: &str) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::from_conf(
            aws_sdk_eventbridge::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .endpoint_url(&self.url)
                .region(Region::new(REGION))
                .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
                .build(),
        )
    }

    pub(crate) fn events_v2(&self, key: &str) -> aws_sdk_eventbridgev2::Client {
        aws_sdk_eventbridgev2::Client::from_conf(
            aws_sdk_eventbridgev2::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .endpoint_url(&self.url)
                .region(Region::new(REGION))
                .retry_config(aws_sdk_eventbridgev2::config::retry::RetryConfig::disabled())
                .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
                .build(),
        )
    }

    /// A call of custom event buses by its bytes: the status, and the answer's bytes as far as they are text.
    pub(crate) async fn cbor(&self, key: &str, operation: &str, body: Vec<u8>) -> (u16, String) {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential={key}/20240101/{REGION}/events/aws4_request, Signature=x");
        let request = self
            .http
            .post(format!("{}/service/AWSEventsV2/operation/{operation}", self.url))
            .header("content-type", "application/cbor")
            .header("smithy-protocol", "rpc-v2-cbor")
            .header("authorization", scope);
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (
            status,
            String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned(),
        )
    }

    pub(crate) fn logs(&self, key: &str) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::from_conf(
            aws_sdk_cloudwatchlogs::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .endpoint_url(&self.url)
                .region(Region::new(REGION))
                .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
                .build(),
        )
    }
}
