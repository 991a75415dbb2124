//! Scalr's API of a service, with the tokens of its accounts: accounts, connections, figures.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::http::{self, Connection};

const CONNECTIONS: &str = "/api/iacp/v3/integrations/aws-event-bridge";

/// An account, with a token that opens it.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// A connection to the API that is kept open.
pub(crate) struct Api {
    host: String,
    connection: Connection,
}

impl Api {
    pub(crate) fn open(host: &str) -> Result<Self> {
        let connection = Connection::open(host)?;
        let host = host.to_owned();
        Ok(Self { host, connection })
    }

    /// A call that succeeds, with a body in the API's form; none where it is null.
    pub(crate) fn call(&mut self, token: &str, (method, path): (&str, &str), body: &Value) -> Result<Value> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let kind = "application/vnd.api+json";
        let request = http::with_body(&self.host, token, (method, path), kind, &body);
        let answer = self.connection.ok(&request);
        let answer = answer.with_context(|| format!("{method} {path}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Makes an account.
    pub(crate) fn account(&mut self, operator: &str, name: &str) -> Result<Account> {
        let account = json!({ "data": { "type": "accounts", "attributes": { "name": name } } });
        let made = self.call(operator, ("POST", "/_companion/accounts"), &account)?;
        let id = text(&made, "/data/id")?;
        let owner = json!({ "data": { "type": "accounts", "id": id } });
        let token = json!({ "data": {
            "type": "access-tokens", "attributes": { "name": "bench", "scopes": ["admin"] },
            "relationships": { "account": owner },
        } });
        let made = self.call(operator, ("POST", "/_companion/tokens"), &token)?;
        let token = text(&made, "/data/attributes/token")?;
        Ok(Account { id, token })
    }

    /// Makes a connection to an AWS account and a region; its id.
    pub(crate) fn connect(
        &mut self,
        token: &str,
        name: &str,
        (aws_account, region): (&str, &str),
    ) -> Result<String> {
        let attributes = json!({ "name": name, "aws-account-id": aws_account, "region": region });
        let made = self.call(token, ("POST", CONNECTIONS), &input(&attributes))?;
        text(&made, "/data/id")
    }

    /// Gives a connection a status.
    pub(crate) fn set_status(&mut self, token: &str, id: &str, status: &str) -> Result<()> {
        let body = input(&json!({ "status": status }));
        let set = self.call(token, ("PATCH", &format!("{CONNECTIONS}/{id}")), &body)?;
        let is = text(&set, "/data/attributes/status")?;
        ensure!(is == status, "a connection is `{is}`, not `{status}`: {set}");
        Ok(())
    }

    /// Selects the connection that receives an account's AuditLog events.
    pub(crate) fn audit(&mut self, account: &Account, id: &str) -> Result<()> {
        let path = format!("/api/iacp/v3/accounts/{}/audit-log-setting", account.id);
        let body = json!({ "data": {
            "type": "audit-log-settings", "attributes": { "enabled": true },
            "relationships": { "integration": { "data": { "type": "aws-event-bridge-integrations", "id": id } } },
        } });
        self.call(&account.token, ("PATCH", &path), &body).map(drop)
    }

    /// The figures of a connection's delivery.
    pub(crate) fn figures(&mut self, token: &str, id: &str) -> Result<Value> {
        let path = format!("/_companion/connections/{id}/delivery");
        self.call(token, ("GET", &path), &Value::Null)
    }
}

fn input(attributes: &Value) -> Value {
    json!({ "data": { "type": "aws-event-bridge-integrations", "attributes": attributes } })
}

/// The text at this place.
pub(crate) fn text(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text
        .with_context(|| format!("no `{pointer}` in {value}"))?
        .to_owned())
}
