//! Scalr's side: the API as `curl` would use it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http;
use crate::runtime::block_on;

/// A client of one Scalr.
pub struct Scalr {
    host: String,
    token: String,
}

impl Scalr {
    /// A client for `hostname`, which carries its scheme.
    pub fn new(hostname: &str, token: &str) -> Self {
        Self {
            host: hostname.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Sends one request and returns status and body (null without one).
    ///
    /// # Errors
    /// When no answer comes or its body is not JSON.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        self.send(method, &format!("/api/iacp/v3{path}"), body)
    }

    /// Has the companion accept an event of this type, as if it had just happened.
    ///
    /// # Errors
    /// When it does not, or no connection receives it.
    pub fn emit(&self, detail_type: &str, detail: &Value) -> Result<()> {
        let body = json!({ "detail-type": detail_type, "detail": detail });
        let (status, answer) = self.send("POST", "/_companion/events", Some(&body))?;
        ensure!(status == 202, "{detail_type}: {status} {answer}");
        Ok(())
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        block_on(async {
            let url = format!("{}{path}", self.host);
            let mut request = http::client()
                .request(method.parse()?, &url)
                .bearer_auth(&self.token);
            if let Some(body) = body {
                request = request
                    .header("Content-Type", "application/vnd.api+json")
                    .body(body.to_string());
            }
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let text = answer.text().await?;
            let body = if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text).context(text)?
            };
            Ok((status, body))
        })
    }

    fn ok(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = self.call(method, path, body)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        Ok(answer)
    }

    /// All connections.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn connections(&self) -> Result<Vec<Value>> {
        let answer = self.ok("GET", "/integrations/aws-event-bridge?page[size]=100", None)?;
        Ok(answer["data"].as_array().cloned().unwrap_or_default())
    }

    /// One connection's attributes.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn connection(&self, id: &str) -> Result<Value> {
        let answer = self.ok("GET", &format!("/integrations/aws-event-bridge/{id}"), None)?;
        Ok(answer["data"]["attributes"].clone())
    }

    /// Makes a connection and returns its id.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn connect(&self, name: &str, account: &str, region: &str) -> Result<String> {
        let attributes = json!({"name": name, "aws-account-id": account, "region": region});
        let body = json!({"data": {"type": "aws-event-bridge-integrations", "attributes": attributes}});
        let answer = self.ok("POST", "/integrations/aws-event-bridge", Some(&body))?;
        answer["data"]["id"].as_str().map(str::to_owned).context("no id")
    }

    /// Sets a connection's status, as the console's buttons do.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn set_status(&self, id: &str, status: &str) -> Result<()> {
        let data =
            json!({"type": "aws-event-bridge-integrations", "id": id, "attributes": {"status": status}});
        let path = format!("/integrations/aws-event-bridge/{id}");
        self.ok("PATCH", &path, Some(&json!({"data": data}))).map(drop)
    }

    /// Deletes a connection.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn disconnect(&self, id: &str) -> Result<()> {
        self.ok("DELETE", &format!("/integrations/aws-event-bridge/{id}"), None)
            .map(drop)
    }

    /// The connection that the audit-log setting selects, if it is on.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn audit_logs_to(&self, account: &str) -> Result<Option<String>> {
        let answer = self.ok("GET", &format!("/accounts/{account}/audit-log-setting"), None)?;
        let data = &answer["data"];
        let id = data["relationships"]["integration"]["data"]["id"].as_str();
        let on = data["attributes"]["enabled"].as_bool().unwrap_or_default();
        Ok(id.filter(|_| on).map(str::to_owned))
    }

    /// Selects a connection for audit logs, or none.
    ///
    /// # Errors
    /// When the API refuses.
    pub fn set_audit_logs_to(&self, account: &str, connection: Option<&str>) -> Result<()> {
        let to = connection.map(|id| json!({"type": "aws-event-bridge-integrations", "id": id}));
        let body = json!({"data": {
            "type": "audit-log-settings",
            "id": account,
            "attributes": {"enabled": to.is_some()},
            "relationships": {"integration": {"data": to}},
        }});
        self.ok(
            "PATCH",
            &format!("/accounts/{account}/audit-log-setting"),
            Some(&body),
        )
        .map(drop)
    }
}
