//! Requests in AWS's JSON form, over connections that are kept open.

use reqwest::Client;
use serde_json::Value;

use crate::Failure;

pub(crate) const REGION: &str = "us-east-1";
/// The account that has the bus, the rules and the log group.
pub(crate) const CUSTOMER: &str = "123456789012";
/// The account that sends partner events, for servers that identify accounts by access key.
pub(crate) const PARTNER: &str = "111111111111";

/// A server that speaks as AWS does.
#[derive(Clone)]
pub(crate) struct Aws {
    endpoint: String,
    http: Client,
}

impl Aws {
    pub(crate) fn new(endpoint: &str) -> Result<Self, Failure> {
        Ok(Self {
            endpoint: endpoint.to_owned(),
            http: Client::builder().no_proxy().build()?,
        })
    }

    /// Asks a local endpoint; one that takes a body gets it.
    pub(crate) async fn look(&self, path: &str, body: &Value) -> Result<String, Failure> {
        let url = format!("{}{path}", self.endpoint);
        let request = if body.is_null() {
            self.http.get(url)
        } else {
            self.http.post(url).body(body.to_string())
        };
        Ok(request.send().await?.text().await?)
    }

    /// Calls `events.PutRule` and the like as an account; any refusal is a failure.
    pub(crate) async fn call(&self, account: &str, operation: &str, body: &Value) -> Result<Value, Failure> {
        let (service, name) = operation.split_once('.').ok_or("SERVICE.OPERATION")?;
        let prefix = if service == "events" {
            "AWSEvents"
        } else {
            "Logs_20140328"
        };
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={account}/20240101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=none"
        );
        let request = self
            .http
            .post(&self.endpoint)
            .header("authorization", scope)
            .header("x-amz-target", format!("{prefix}.{name}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_string());
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            return Err(format!("{operation}: {status} {text}").into());
        }
        // Some servers answer with an empty body.
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
