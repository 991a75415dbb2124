//! Deliveries over HTTP: to API destinations, and to the URLs that stand for targets which are not emulated.
//!
//! The core decides what is sent, when again and when no more; the edge only carries the request there.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::envelope::Envelope;
use super::miss::{Miss, bury};
use super::{Invocation, Sent, input, rule_name};
use crate::arn::Arn;
use crate::clock::Millis;
use crate::ops::Cx;
use crate::state::RealmId;
use crate::state::outside::{ApiDestination, Connection, Invocation as Seen, Pending};
use crate::state::story::Attempt;
use crate::timers::Timer;

/// AWS's defaults of a target's retry policy.
const RETRIES_MAX: u32 = 185;
const AGE_SECONDS_MAX: i64 = 86_400;
const BACKOFF_MS_MAX: i64 = 15 * 60 * 1000;
/// More deliveries than this do not wait at once.
const PENDING_MAX: usize = 50_000;

/// A request for the edge to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// A token to get first, and to be sent as a bearer.
    pub(crate) oauth: Option<OAuth>,
}

/// How to get a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OAuth {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
}

/// What the edge met.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Status {
        status: u16,
        retry_after_seconds: Option<i64>,
    },
    /// Not reached: a code of dead letters and the reason.
    Unreached { timed_out: bool, why: String },
    /// A host that may not be called.
    Refused { why: String },
}

/// Starts a delivery that leaves the process.
pub(super) fn send(cx: &mut Cx<'_>, invocation: &Invocation, arn: &Arn<'_>) -> Result<Sent, Miss> {
    let payload = input::payload(invocation, cx.now);
    let is_destination = arn.service == "events" && arn.resource.starts_with("api-destination/");
    if !is_destination {
        cx.world.outbox.record(Seen {
            at: cx.now,
            account: invocation.realm.account().to_owned(),
            region: invocation.realm.region().to_owned(),
            rule_arn: invocation.rule_arn.clone(),
            target: Arc::clone(&invocation.target),
            event_id: invocation.envelope.id.clone(),
            payload: Arc::clone(&payload),
        });
        if !cx.limits.targets.contains_key(&invocation.target.arn) {
            let why = format!(
                "targets of `{}` are not emulated and no URL stands for this one",
                arn.service
            );
            return Err(Miss::NoResource(why));
        }
    } else if find_destination(cx, &RealmId::new(arn.account, arn.region), arn.resource).is_none() {
        return Err(Miss::NoResource(format!("{} does not exist", arn.resource)));
    }
    if cx.world.outbox.pending.len() >= PENDING_MAX {
        return Err(Miss::Http(
            "THROTTLING",
            "too many deliveries wait already".to_owned(),
        ));
    }
    let id = cx.world.outbox.add(Pending {
        realm: invocation.realm.clone(),
        rule_arn: invocation.rule_arn.clone(),
        target: Arc::clone(&invocation.target),
        event: Arc::clone(&invocation.envelope.text),
        payload,
        page: invocation.page.clone(),
        retries: 0,
        since: cx.now,
        under_way: true,
    });
    cx.effects.push(id);
    Ok(Sent::Later)
}

/// A retry is due.
pub(crate) fn retry(cx: &mut Cx<'_>, id: u64) {
    if let Some(pending) = cx.world.outbox.pending.get_mut(&id) {
        pending.under_way = true;
        cx.effects.push(id);
    }
}

/// The request for a pending delivery; `None` when its destination is gone.
pub(crate) fn job(cx: &mut Cx<'_>, id: u64) -> Option<Job> {
    let pending = cx.world.outbox.pending.get(&id)?.clone();
    let json = (
        "content-type".to_owned(),
        "application/json; charset=utf-8".to_owned(),
    );
    if let Some(url) = cx.limits.targets.get(&pending.target.arn) {
        let body = pending.payload.to_string();
        return Some(Job {
            id,
            method: "POST".to_owned(),
            url: url.clone(),
            headers: vec![json],
            body,
            oauth: None,
        });
    }
    let arn = Arn::parse(&pending.target.arn)?;
    let realm = RealmId::new(arn.account, arn.region);
    let destination = find_destination(cx, &realm, arn.resource)?.clone();
    let connection_name = Arn::parse(&destination.connection_arn)?
        .resource
        .split('/')
        .nth(1)?
        .to_owned();
    let connection = cx
        .world
        .realm(&realm, cx.now)
        .connections
        .get(&connection_name)?
        .clone();
    Some(request(id, &pending, &destination, &connection, json))
}

fn find_destination<'c>(cx: &'c mut Cx<'_>, realm: &RealmId, resource: &str) -> Option<&'c ApiDestination> {
    let name = resource
        .strip_prefix("api-destination/")?
        .split('/')
        .next()?
        .to_owned();
    cx.world.realm(realm, cx.now).api_destinations.get(&name)
}

fn request(
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
    let mut query: Vec<(String, String)> = listed(invocation, "QueryStringParameters");
    query.extend(
        own.and_then(|own| own.query_string_parameters.clone())
            .into_iter()
            .flatten(),
    );
    for (name, value) in query {
        url.push(if url.contains('?') { '&' } else { '?' });
        let _ = write!(url, "{}={}", encode(&name), encode(&value));
    }
    let mut headers = vec![
        json,
        (
            "user-agent".to_owned(),
            "Amazon/EventBridge/ApiDestinations".to_owned(),
        ),
    ];
    headers.extend(
        own.and_then(|own| own.header_parameters.clone())
            .into_iter()
            .flatten(),
    );
    headers.extend(listed(invocation, "HeaderParameters"));
    headers.extend(credentials(auth));
    let body = with_body_parameters(&pending.payload, &listed(invocation, "BodyParameters"));
    Job {
        id,
        method: destination.method.clone(),
        url,
        headers,
        body,
        oauth: oauth(auth),
    }
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
        url,
        headers: listed(extra, "HeaderParameters"),
        form,
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

/// Body parameters become members of a payload that is an object.
fn with_body_parameters(payload: &str, parameters: &[(String, String)]) -> String {
    if parameters.is_empty() {
        return payload.to_owned();
    }
    match serde_json::from_str::<Value>(payload) {
        Ok(Value::Object(mut members)) => {
            members.extend(
                parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from(value.as_str()))),
            );
            Value::Object(members).to_string()
        }
        _ => payload.to_owned(),
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

/// Takes in what the edge met: done, once more later, or never.
pub(crate) fn settle(cx: &mut Cx<'_>, id: u64, outcome: &Outcome) {
    let now = cx.now;
    let Some(pending) = cx.world.outbox.pending.get_mut(&id) else {
        return;
    };
    pending.under_way = false;
    let pending = pending.clone();
    let rule = rule_name(&pending.rule_arn).to_owned();
    let result = judge(outcome);
    if let Some(delivery) = cx.world.stories.delivery(&pending.page) {
        let error = result
            .as_ref()
            .err()
            .map(|(miss, _)| (miss.code().to_owned(), miss.message().to_owned()));
        delivery.outcome = if error.is_none() { "delivered" } else { "waiting" };
        delivery.attempts.push(Attempt { at: now, error });
    }
    let (miss, again) = match result {
        Ok(()) => {
            cx.world.outbox.pending.remove(&id);
            return;
        }
        Err(failed) => failed,
    };
    let policy = pending.target.retry_policy.as_ref();
    let retries_max = policy
        .and_then(|policy| policy.maximum_retry_attempts)
        .unwrap_or(RETRIES_MAX);
    let age_max = policy
        .and_then(|policy| policy.maximum_event_age_in_seconds)
        .unwrap_or(AGE_SECONDS_MAX);
    let wait = again.map(|asked| wait_ms(cx, pending.retries, asked));
    let exhausted = match wait {
        None => None,
        Some(_) if pending.retries >= retries_max => Some("MaximumRetryAttempts"),
        Some(wait) if now + wait > pending.since + age_max * 1000 => Some("MaximumEventAgeInSeconds"),
        Some(wait) => {
            if let Some(pending) = cx.world.outbox.pending.get_mut(&id) {
                pending.retries += 1;
            }
            cx.world
                .realm(&pending.realm, now)
                .metrics
                .count(&rule, "RetryInvocationAttempts");
            cx.world.timers.set(now + wait, Timer::Retry { id });
            return;
        }
    };
    cx.world.outbox.pending.remove(&id);
    if let Some(delivery) = cx.world.stories.delivery(&pending.page) {
        delivery.outcome = "failed";
    }
    let envelope = Envelope {
        id: pending.page.event.clone(),
        time: pending.since,
        text: pending.event,
    };
    let invocation = Invocation {
        realm: pending.realm,
        rule_arn: pending.rule_arn,
        target: pending.target,
        envelope,
        page: pending.page,
    };
    bury(cx, &invocation, &miss, exhausted, pending.retries);
}

/// Doubling from a second, half of it by chance, and no sooner than the other side asked.
fn wait_ms(cx: &mut Cx<'_>, retries: u32, asked_seconds: i64) -> Millis {
    let full = 1000_i64.saturating_mul(1 << retries.min(20)).min(BACKOFF_MS_MAX);
    let jitter = i64::try_from(cx.dice.roll() % 1000).unwrap_or(0) * full / 2000;
    (full / 2 + jitter).max(asked_seconds.saturating_mul(1000))
}

/// A failure is final, or may be tried again after at least so many seconds.
fn judge(outcome: &Outcome) -> Result<(), (Miss, Option<i64>)> {
    match outcome {
        Outcome::Status {
            status: 200..=299, ..
        } => Ok(()),
        Outcome::Status {
            status,
            retry_after_seconds,
        } => {
            let again = matches!(status, 401 | 407 | 409 | 429 | 500..=599);
            let code = match status {
                401 | 403 | 407 => "NO_PERMISSIONS",
                404 | 410 => "NO_RESOURCE",
                429 => "THROTTLING",
                400..=499 => "SDK_CLIENT_ERROR",
                _ => "SERVER_ERROR",
            };
            let miss = Miss::Http(code, format!("the endpoint answered with status {status}"));
            Err((miss, again.then(|| retry_after_seconds.unwrap_or(0))))
        }
        Outcome::Unreached { timed_out, why } => {
            let code = if *timed_out {
                "TIMEOUT"
            } else {
                "CONNECTION_FAILURE"
            };
            Err((Miss::Http(code, why.clone()), Some(0)))
        }
        Outcome::Refused { why } => Err((Miss::NoPermissions(why.clone()), None)),
    }
}
