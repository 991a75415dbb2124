//! The request of a delivery: what the target says, what the API destination says, and its connection's credentials.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::delivery::transformer::value_at;
use crate::jsontext::parse_path;
use crate::secret::Secret;
use crate::state::api_destination::{ApiDestination, Connection};
use crate::state::outbox::Pending;
use crate::state::rule::HttpParameters;

/// The agent that AWS names; it cannot be overridden.
const AGENT: &str = "Amazon/EventBridge/ApiDestinations";

/// Headers of every request to an API destination that no parameter overrides, as AWS's guide has them (eb-api-destinations,
/// "Headers included in requests to API destinations").
const ALWAYS: [(&str, &str); 4] = [
    ("user-agent", AGENT),
    ("range", "bytes=0-1048575"),
    ("accept-encoding", "gzip,deflate"),
    ("connection", "close"),
];

/// Headers that are removed where a parameter has them: they belong to the request itself or to its connection.
const REMOVED: &[&str] = &[
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "range",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "warning",
];

fn is_removed(name: &str) -> bool {
    REMOVED.contains(&name.to_ascii_lowercase().as_str())
}

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

/// What a target asks for: the body, and parameters besides it.
pub(in crate::delivery) struct Asked<'a> {
    pub(in crate::delivery) payload: &'a Arc<str>,
    pub(in crate::delivery) parameters: Option<&'a HttpParameters>,
    /// What parameters that are paths are looked up in; without it they are what they are.
    pub(in crate::delivery) event: Option<&'a str>,
}

impl<'a> From<&'a Pending> for Asked<'a> {
    fn from(pending: &'a Pending) -> Self {
        Self {
            payload: &pending.payload,
            parameters: pending.target.http_parameters.as_ref(),
            event: Some(&pending.event),
        }
    }
}

/// The request to an API destination, with the credentials of its connection.
pub(super) fn request(
    id: u64,
    asked: &Asked<'_>,
    destination: &ApiDestination,
    connection: &Connection,
    json: (String, String),
) -> Job {
    let own = asked.parameters;
    let value = |text: &str| {
        let found = asked.event.map(|event| parameter(text, event));
        found.unwrap_or_else(|| text.to_owned())
    };
    let path_values = own.and_then(|own| own.path_parameter_values.as_deref());
    let mut url = with_path_values(&destination.endpoint, path_values.unwrap_or_default(), value);
    let auth = &connection.auth;
    let invocation = auth.get("InvocationHttpParameters");
    let of_target = |parameters: Option<BTreeMap<String, String>>| {
        let all = parameters.into_iter().flatten();
        all.map(|(name, text)| (name, value(&text)))
    };
    let query = of_target(own.and_then(|own| own.query_string_parameters.clone()));
    let query = query.chain(listed(invocation, "QueryStringParameters"));
    for (name, value) in last_of_each(query, str::to_owned) {
        url.push(if url.contains('?') { '&' } else { '?' });
        let _ = write!(url, "{}={}", encode(&name), encode(&value));
    }
    let headers = of_target(own.and_then(|own| own.header_parameters.clone()))
        .chain(listed(invocation, "HeaderParameters"))
        .chain(credentials(auth));
    let headers = headers_of(ALWAYS.map(owned).into_iter().chain([json]), headers);
    let body = with_body_parameters(asked.payload, &listed(invocation, "BodyParameters"));
    Job {
        id,
        method: destination.method.clone(),
        url: url.into(),
        headers: headers.into(),
        body: body.into(),
        oauth: oauth(auth),
    }
}

/// A parameter's value: where the whole of it is a path, what the event has there; nothing is an empty text.
fn parameter(text: &str, event: &str) -> String {
    let path = if text.starts_with('$') {
        parse_path(text)
    } else {
        None
    };
    let Some(path) = path else { return text.to_owned() };
    let found = value_at(event, &path).unwrap_or_default();
    match serde_json::from_str(&found) {
        Ok(Value::String(text)) => text,
        _ => found.to_string(),
    }
}

/// Puts the values in the places of the endpoint's asterisks, in order.
fn with_path_values(endpoint: &str, values: &[String], value: impl Fn(&str) -> String) -> String {
    let mut values = values.iter();
    let mut pieces = endpoint.split('*');
    let mut url = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match values.next() {
            Some(text) => url.push_str(&encode(&value(text))),
            None => url.push('*'),
        }
        url.push_str(piece);
    }
    url
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The headers that are sent: those of parameters come after the first ones, and none of them is a removed one.
fn headers_of(
    first: impl Iterator<Item = (String, String)>,
    parameters: impl Iterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let parameters = parameters.filter(|(name, _)| !is_removed(name));
    last_of_each(first.chain(parameters), str::to_ascii_lowercase)
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
    let form = last_of_each(form.into_iter(), str::to_owned);
    let first = [
        ("user-agent", AGENT),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let headers = listed(extra, "HeaderParameters").into_iter();
    let headers = headers_of(first.map(owned).into_iter(), headers);
    let mut url = text(Some(given), "AuthorizationEndpoint")?;
    for (name, value) in listed(extra, "QueryStringParameters") {
        url.push(if url.contains('?') { '&' } else { '?' });
        let _ = write!(url, "{}={}", encode(&name), encode(&value));
    }
    Some(OAuth {
        method: text(Some(given), "HttpMethod")?.to_ascii_uppercase(),
        url: url.into(),
        headers: headers.into(),
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

/// The steps that it takes to make the request: the payload is read to put parameters into it, and the event for each
/// parameter that is a path.
pub(super) fn steps(asked: &Asked<'_>, connection: &Connection) -> usize {
    let invocation = connection.auth.get("InvocationHttpParameters");
    let body = if listed(invocation, "BodyParameters").is_empty() {
        0
    } else {
        asked.payload.len()
    };
    let own = asked.parameters;
    let in_path = own.and_then(|own| own.path_parameter_values.as_ref());
    let maps = own.map(|own| [&own.header_parameters, &own.query_string_parameters]);
    let in_maps = maps.into_iter().flatten().flatten().flat_map(BTreeMap::values);
    let values = in_path.into_iter().flatten().chain(in_maps);
    let paths = values.filter(|text| text.starts_with('$')).count();
    body + paths.saturating_mul(asked.event.map_or(0, str::len) / 4)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EVENT: &str = r#"{"source":"s","detail":{"key":"a/b é","n":1.50,"o":{"x":[1]},"line":"a\r\nb"}}"#;

    fn job(parameters: &Value, auth: &Value) -> Job {
        let pending = json!({
            "realm": "1/r", "rule_arn": "", "event": EVENT, "payload": "{}", "retries": 0, "since": 0, "under_way": true,
            "page": { "event": "", "pass": 0, "delivery": 0 },
            "target": { "Id": "1", "Arn": "a", "HttpParameters": parameters },
        });
        let destination = json!({
            "name": "d", "id": "i", "description": null, "connection_arn": "", "endpoint": "https://h/a/*/b/*",
            "method": "POST", "rate_per_second": null, "created": 0, "modified": 0,
        });
        let connection = json!({
            "name": "c", "id": "i", "description": null, "authorization_type": "", "auth": auth, "kms_key": null,
            "authorized": true, "created": 0, "modified": 0, "authorized_at": 0,
        });
        let json = owned(("content-type", "application/json; charset=utf-8"));
        let from = |value: Value| serde_json::from_value(value);
        let connection = serde_json::from_value(connection).unwrap();
        let pending: Pending = serde_json::from_value(pending).unwrap();
        request(
            1,
            &Asked::from(&pending),
            &from(destination).unwrap(),
            &connection,
            json,
        )
    }

    /// As AWS's guide has it: eb-targets, "Dynamic path parameters".
    #[test]
    fn a_parameter_that_is_a_path_is_what_the_event_has_there() {
        for (values, query, expected) in [
            (json!(["x y", "1"]), json!({}), "https://h/a/x%20y/b/1"),
            (
                json!(["$.detail.key", "$.source"]),
                json!({}),
                "https://h/a/a%2Fb%20%C3%A9/b/s",
            ),
            (
                json!(["$.detail.none", "$.detail.n"]),
                json!({}),
                "https://h/a//b/1.50",
            ),
            (
                json!(["$.detail.o", "a$.source"]),
                json!({}),
                "https://h/a/%7B%22x%22%3A%5B1%5D%7D/b/a%24.source",
            ),
            (json!(["*"]), json!({}), "https://h/a/%2A/b/*"),
            (
                json!([]),
                json!({ "q": "$.detail.n", "none": "$.none", "$5": "$5" }),
                "https://h/a/*/b/*?%245=%245&none=&q=1.50",
            ),
        ] {
            let parameters = json!({ "PathParameterValues": values, "QueryStringParameters": query });
            let url = job(&parameters, &json!({})).url;
            assert_eq!(*url, expected, "{parameters}");
        }
    }

    /// As AWS's guide has it: eb-api-destinations, "Headers included in requests to API destinations".
    #[test]
    fn headers_that_belong_to_the_request_are_awss_own() {
        let forbidden = json!({
            "User-Agent": "mine", "Content-Length": "1", "HOST": "evil", "Date": "x", "Referer": "x", "Range": "bytes=0-1",
            "Connection": "keep-alive", "Transfer-Encoding": "chunked", "Expect": "100-continue", "X-A": "$.detail.n",
            "X-None": "$.none", "Content-Type": "text/plain",
        });
        let of_connection = json!([
            { "Key": "Content-Length", "Value": "2" },
            { "Key": "x-a", "Value": "theirs" },
            { "Key": "Upgrade", "Value": "h2c" },
        ]);
        for (auth, last) in [
            (json!({}), None),
            (
                json!({ "ApiKeyAuthParameters": { "ApiKeyName": "X-Key", "ApiKeyValue": "k" } }),
                Some(("X-Key", "k")),
            ),
            (
                json!({ "ApiKeyAuthParameters": { "ApiKeyName": "Content-Length", "ApiKeyValue": "3" } }),
                None,
            ),
        ] {
            let mut auth = auth;
            auth["InvocationHttpParameters"] = json!({ "HeaderParameters": of_connection });
            let headers = job(&json!({ "HeaderParameters": forbidden }), &auth).headers;
            let mut expected = ALWAYS.to_vec();
            expected.extend([("Content-Type", "text/plain"), ("X-None", ""), ("x-a", "theirs")]);
            expected.extend(last);
            let found: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_token_request_has_the_same_limits() {
        let auth = json!({ "OAuthParameters": {
            "AuthorizationEndpoint": "https://h/token", "HttpMethod": "put",
            "ClientParameters": { "ClientID": "i", "ClientSecret": "s" },
            "OAuthHttpParameters": {
                "HeaderParameters": [
                    { "Key": "Content-Length", "Value": "1" },
                    { "Key": "Host", "Value": "evil" },
                    { "Key": "User-Agent", "Value": "mine" },
                    { "Key": "X-Tenant", "Value": "t" },
                ],
                "BodyParameters": [{ "Key": "scope", "Value": "a" }, { "Key": "client_id", "Value": "j" }],
            },
        } });
        let oauth = job(&json!({}), &auth).oauth.unwrap();
        assert_eq!(oauth.method, "PUT");
        let expected = [
            ("user-agent", AGENT),
            ("content-type", "application/x-www-form-urlencoded"),
            ("X-Tenant", "t"),
        ];
        assert_eq!(*oauth.headers, expected.map(owned).to_vec());
        let expected = [
            ("grant_type", "client_credentials"),
            ("client_secret", "s"),
            ("scope", "a"),
            ("client_id", "j"),
        ];
        assert_eq!(*oauth.form, expected.map(owned).to_vec());
    }
}
