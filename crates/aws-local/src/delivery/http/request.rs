//! The request of a delivery: what the target says, what the API destination says, and its connection's credentials.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::secret::Secret;
use crate::state::api_destination::{ApiDestination, Connection};
use crate::state::outbox::Pending;

/// A request to send. A connection's parameters, which may be secret, are in the URL, the headers and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) method: String,
    pub(crate) url: Secret<String>,
    pub(crate) headers: Secret<Vec<(String, String)>>,
    pub(crate) body: Secret<Arc<str>>,
    /// The OAuth token request to make first; its token is sent as a bearer token.
    pub(crate) oauth: Option<OAuth>,
}

/// How to get a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OAuth {
    pub(crate) method: String,
    pub(crate) url: Secret<String>,
    pub(crate) headers: Secret<Vec<(String, String)>>,
    pub(crate) form: Secret<Vec<(String, String)>>,
}

/// The request to an API destination, with the credentials of its connection.
pub(super) fn request(
    id: u64,
    pending: &Pending,
    destination: &ApiDestination,
    connection: &Connection,
    json: (String, String),
) -> Job {
    let own = pending.target.http_parameters.as_ref();
    let mut url = destination.endpoint.clone();
    for value in own
        .and_then(|own| own.path_parameter_values.as_ref())
        .into_iter()
        .flatten()
    {
        url = url.replacen('*', &encode(value), 1);
    }
    let auth = &connection.auth;
    let invocation = auth.get("InvocationHttpParameters");
    let of_target = |parameters: Option<BTreeMap<String, String>>| parameters.into_iter().flatten();
    let query = of_target(own.and_then(|own| own.query_string_parameters.clone()));
    let query = query.chain(listed(invocation, "QueryStringParameters"));
    for (name, value) in last_of_each(query, str::to_owned) {
        url.push(if url.contains('?') { '&' } else { '?' });
        let _ = write!(url, "{}={}", encode(&name), encode(&value));
    }
    let agent = "Amazon/EventBridge/ApiDestinations";
    let headers = [json, ("user-agent".to_owned(), agent.to_owned())].into_iter();
    let headers = headers
        .chain(of_target(own.and_then(|own| own.header_parameters.clone())))
        .chain(listed(invocation, "HeaderParameters"))
        .chain(credentials(auth));
    let headers = last_of_each(headers, str::to_ascii_lowercase);
    let body = with_body_parameters(&pending.payload, &listed(invocation, "BodyParameters"));
    Job {
        id,
        method: destination.method.clone(),
        url: url.into(),
        headers: headers.into(),
        body: body.into(),
        oauth: oauth(auth),
    }
}

/// Parameters in which a later one overrides an earlier one of the same name: the connection's override the target's.
fn last_of_each(
    parameters: impl Iterator<Item = (String, String)>,
    same: fn(&str) -> String,
) -> Vec<(String, String)> {
    let mut kept = Vec::<(String, String)>::new();
    for (name, value) in parameters {
        kept.retain(|(other, _)| same(other) != same(&name));
        kept.push((name, value));
    }
    kept
}

fn credentials(auth: &Value) -> Option<(String, String)> {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(basic) = auth.get("BasicAuthParameters") {
        let pair = format!("{}:{}", text(basic, "Username")?, text(basic, "Password")?);
        return Some((
            "authorization".to_owned(),
            format!("Basic {}", STANDARD.encode(pair)),
        ));
    }
    let key = auth.get("ApiKeyAuthParameters")?;
    Some((text(key, "ApiKeyName")?, text(key, "ApiKeyValue")?))
}

fn oauth(auth: &Value) -> Option<OAuth> {
    let given = auth.get("OAuthParameters")?;
    let text = |of: Option<&Value>, name: &str| of?.get(name)?.as_str().map(str::to_owned);
    let client = given.get("ClientParameters");
    let extra = given.get("OAuthHttpParameters");
    let mut form = vec![
        ("grant_type".to_owned(), "client_credentials".to_owned()),
        ("client_id".to_owned(), text(client, "ClientID")?),
        ("client_secret".to_owned(), text(client, "ClientSecret")?),
    ];
    form.extend(listed(extra, "BodyParameters"));
    let mut url = text(Some(given), "AuthorizationEndpoint")?;
    for (name, value) in listed(extra, "QueryStringParameters") {
        url.push(if url.contains('?') { '&' } else { '?' });
        let _ = write!(url, "{}={}", encode(&name), encode(&value));
    }
    Some(OAuth {
        method: text(Some(given), "HttpMethod")?,
        url: url.into(),
        headers: listed(extra, "HeaderParameters").into(),
        form: form.into(),
    })
}

/// `[{"Key": …, "Value": …}]` as pairs.
fn listed(parameters: Option<&Value>, kind: &str) -> Vec<(String, String)> {
    let rows = parameters.and_then(|all| all.get(kind)).and_then(Value::as_array);
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    rows.into_iter()
        .flatten()
        .filter_map(|row| Some((text(row, "Key")?, text(row, "Value")?)))
        .collect()
}

/// Whether a connection puts parameters into the payload, which has to be read for that.
pub(super) fn has_body_parameters(connection: &Connection) -> bool {
    let invocation = connection.auth.get("InvocationHttpParameters");
    !listed(invocation, "BodyParameters").is_empty()
}

/// Body parameters become members of a payload that is an object.
fn with_body_parameters(payload: &Arc<str>, parameters: &[(String, String)]) -> Arc<str> {
    if parameters.is_empty() {
        return Arc::clone(payload);
    }
    match serde_json::from_str::<Value>(payload) {
        Ok(Value::Object(mut members)) => {
            members.extend(
                parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from(value.as_str()))),
            );
            Value::Object(members).to_string().into()
        }
        _ => Arc::clone(payload),
    }
}

/// Percent-encodes all but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
