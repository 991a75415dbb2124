//! Deliveries over HTTP: to API destinations, and to the URLs that stand for targets which are not emulated.
//!
//! The core decides what is sent, when again and when no more; the edge only carries the request there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::envelope::Envelope;
use super::miss::{Miss, bury};
use super::{Invocation, Sent, counted_as, input, tried};
use crate::arn::Arn;
use crate::clock::Millis;
use crate::state::RealmId;
use crate::state::outside::{ApiDestination, Connection, Invocation as Seen, Pending};
use crate::state::timers::Timer;
use crate::turn::Turn;

/// AWS's default of a target's retry policy.
const RETRIES_MAX: u32 = 185;
const BACKOFF_MS_MAX: i64 = 15 * 60 * 1000;
/// No event is kept for longer: a wait of this length ends its delivery.
const EVENT_AGE_SECONDS_MAX: i64 = 24 * 60 * 60;
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
    /// The authorization endpoint gave no token.
    NoToken { status: u16 },
    /// Not reached: a code of dead letters and the reason.
    Unreached { timed_out: bool, why: String },
    /// A host that may not be called.
    Refused { why: String },
}

/// Starts a delivery that leaves the process.
pub(super) fn send(turn: &mut Turn<'_>, invocation: &Invocation, arn: &Arn<'_>) -> Result<Sent, Miss> {
    let payload = input::payload(invocation, turn.now);
    let is_destination = arn.service == "events" && arn.resource.starts_with("api-destination/");
    if !is_destination {
        turn.world.outbox.record(Seen {
            at: turn.now,
            account: invocation.realm.account().to_owned(),
            region: invocation.realm.region().to_owned(),
            rule_arn: invocation.rule_arn.clone(),
            target: Arc::clone(&invocation.target),
            event_id: invocation.envelope.id.clone(),
            payload: Arc::clone(&payload),
        });
        if !turn.world.targets.contains_key(&invocation.target.arn) {
            let why = format!(
                "targets of `{}` are not emulated and no URL stands for this one",
                arn.service
            );
            return Err(Miss::NoResource(why));
        }
    } else if find_destination(turn, &RealmId::new(arn.account, arn.region), arn.resource).is_none() {
        return Err(Miss::NoResource(format!("{} does not exist", arn.resource)));
    }
    if turn.world.outbox.pending.len() >= PENDING_MAX {
        return Err(Miss::Http(
            "THROTTLING",
            "too many deliveries wait already".to_owned(),
        ));
    }
    let id = turn.world.outbox.add(Pending {
        realm: invocation.realm.clone(),
        rule_arn: invocation.rule_arn.clone(),
        target: Arc::clone(&invocation.target),
        event: Arc::clone(&invocation.envelope.text),
        payload,
        page: invocation.page.clone(),
        retries: 0,
        since: turn.now,
        under_way: false,
        admitted: false,
    });
    admit(turn, id);
    Ok(Sent::Later)
}

/// Lets a delivery leave now, or sets the time when its API destination's rate allows it.
fn admit(turn: &mut Turn<'_>, id: u64) {
    let now = turn.now;
    let Some(pending) = turn.world.outbox.pending.get(&id) else {
        return;
    };
    let (target, deadline) = (Arc::clone(&pending.target), pending.deadline());
    let destination = match Arn::parse(&target.arn) {
        Some(arn) => destination_mut(turn, &RealmId::new(arn.account, arn.region), arn.resource),
        None => None,
    };
    let at = destination.map_or(now, |to| to.take_slot(now, deadline).unwrap_or(deadline + 1));
    let Some(pending) = turn.world.outbox.pending.get_mut(&id) else {
        return;
    };
    pending.admitted = at > now;
    pending.under_way = at <= now;
    if at > now {
        turn.world.timers.set(at, Timer::Retry { id });
    } else {
        turn.effects.push(id);
    }
}

/// The time has come that a delivery waited for: to be tried again, or to leave at its destination's rate.
pub(crate) fn retry(turn: &mut Turn<'_>, id: u64) {
    let now = turn.now;
    let Some(pending) = turn.world.outbox.pending.get_mut(&id) else {
        return;
    };
    if !pending.admitted {
        admit(turn, id);
    } else if now > pending.deadline() {
        let why = "the rate of the API destination let it wait too long".to_owned();
        let miss = Miss::Http("THROTTLING", why);
        give_up(turn, id, &miss, Some("MaximumEventAgeInSeconds"));
    } else {
        (pending.admitted, pending.under_way) = (false, true);
        turn.effects.push(id);
    }
}

/// The request for a pending delivery; `None` when there is nothing left to ask, and it is given up.
pub(crate) fn job(turn: &mut Turn<'_>, id: u64) -> Option<Job> {
    let pending = turn.world.outbox.pending.get(&id)?.clone();
    let json = (
        "content-type".to_owned(),
        "application/json; charset=utf-8".to_owned(),
    );
    if let Some(url) = turn.world.targets.get(&pending.target.arn) {
        return Some(Job {
            id,
            method: "POST".to_owned(),
            url: url.clone(),
            headers: vec![json],
            body: pending.payload.to_string(),
            oauth: None,
        });
    }
    match whom_to_ask(turn, &pending.target.arn) {
        Ok((destination, connection)) => Some(request(id, &pending, &destination, &connection, json)),
        Err(miss) => {
            tried(turn, &pending.page, Some(&miss), "waiting");
            give_up(turn, id, &miss, None);
            None
        }
    }
}

/// The API destination of that ARN and the connection it authenticates with.
fn whom_to_ask(turn: &mut Turn<'_>, target_arn: &str) -> Result<(ApiDestination, Connection), Miss> {
    let gone = |what: &str| Miss::NoResource(format!("{what} does not exist"));
    let arn = Arn::parse(target_arn).ok_or_else(|| gone(target_arn))?;
    let realm = RealmId::new(arn.account, arn.region);
    let destination = find_destination(turn, &realm, arn.resource).ok_or_else(|| gone(arn.resource))?;
    let destination = destination.clone();
    let there = &turn.world.realm(&realm).connections;
    let connection = connection_of(there, &destination.connection_arn);
    let connection = connection.ok_or_else(|| gone(&destination.connection_arn))?;
    if !connection.authorized {
        let why = format!("the connection {} is not authorized", connection.name);
        return Err(Miss::NoPermissions(why));
    }
    Ok((destination, connection.clone()))
}

fn find_destination<'c>(
    turn: &'c mut Turn<'_>,
    realm: &RealmId,
    resource: &str,
) -> Option<&'c ApiDestination> {
    destination_mut(turn, realm, resource).map(|there| &*there)
}

fn destination_mut<'c>(
    turn: &'c mut Turn<'_>,
    realm: &RealmId,
    resource: &str,
) -> Option<&'c mut ApiDestination> {
    let name = resource
        .strip_prefix("api-destination/")?
        .split('/')
        .next()?
        .to_owned();
    turn.world.realm(realm).api_destinations.get_mut(&name)
}

/// The connection that an ARN names, if it is still the one of that id.
pub(crate) fn connection_of<'r>(
    connections: &'r BTreeMap<String, Connection>,
    arn: &str,
) -> Option<&'r Connection> {
    let mut parts = Arn::parse(arn)?.resource.split('/').skip(1);
    let (name, id) = (parts.next()?, parts.next()?);
    connections.get(name).filter(|connection| connection.id == id)
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
        url,
        headers,
        body,
        oauth: oauth(auth),
    }
}

/// Parameters of which a later one takes the place of an earlier one of the same name: what the connection says goes
/// before what the target says.
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
pub(crate) fn settle(turn: &mut Turn<'_>, id: u64, outcome: &Outcome) {
    let Some(pending) = turn.world.outbox.pending.get_mut(&id) else {
        return;
    };
    pending.under_way = false;
    let pending = pending.clone();
    let result = judge(outcome);
    // Whether it was the last is told by [`give_up`].
    let miss = result.as_ref().err().map(|(miss, _)| miss);
    tried(turn, &pending.page, miss, "waiting");
    let (miss, again) = match result {
        Ok(()) => {
            turn.world.outbox.pending.remove(&id);
            return;
        }
        Err(failed) => failed,
    };
    let exhausted = again.and_then(|asked_seconds| try_again(turn, id, &pending, asked_seconds));
    if again.is_none() || exhausted.is_some() {
        give_up(turn, id, &miss, exhausted);
    }
}

/// Sets when a delivery is tried again, or names the limit that stands against it.
fn try_again(turn: &mut Turn<'_>, id: u64, pending: &Pending, asked_seconds: i64) -> Option<&'static str> {
    let now = turn.now;
    let policy = pending.target.retry_policy.as_ref();
    let retries_max = policy
        .and_then(|policy| policy.maximum_retry_attempts)
        .unwrap_or(RETRIES_MAX);
    let wait = wait_ms(turn, pending.retries, asked_seconds);
    if pending.retries >= retries_max {
        return Some("MaximumRetryAttempts");
    }
    if now + wait > pending.deadline() {
        return Some("MaximumEventAgeInSeconds");
    }
    if let Some(pending) = turn.world.outbox.pending.get_mut(&id) {
        pending.retries += 1;
    }
    let rule = counted_as(&pending.rule_arn);
    turn.world
        .realm(&pending.realm)
        .metrics
        .count(rule, "RetryInvocationAttempts");
    turn.world.timers.set(now + wait, Timer::Retry { id });
    None
}

/// A delivery failed for good.
fn give_up(turn: &mut Turn<'_>, id: u64, miss: &Miss, exhausted: Option<&'static str>) {
    let Some(pending) = turn.world.outbox.pending.remove(&id) else {
        return;
    };
    if let Some(delivery) = turn.world.stories.delivery(&pending.page) {
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
    bury(turn, &invocation, miss, exhausted, pending.retries);
}

/// Doubling from a second, half of it by chance, and no sooner than the other side asked.
fn wait_ms(turn: &mut Turn<'_>, retries: u32, asked_seconds: i64) -> Millis {
    let full = 1000_i64.saturating_mul(1 << retries.min(20)).min(BACKOFF_MS_MAX);
    let jitter = i64::try_from(turn.dice.roll() % 1000).unwrap_or(0) * full / 2000;
    (full / 2 + jitter).max(asked_seconds.clamp(0, EVENT_AGE_SECONDS_MAX) * 1000)
}

/// Whether another try may meet another status.
fn is_passing(status: u16) -> bool {
    matches!(status, 401 | 407 | 409 | 429 | 500..=599)
}

/// `ERROR_CODE` of a dead letter.
fn code_of(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "NO_PERMISSIONS",
        404 | 410 => "NO_RESOURCE",
        429 => "THROTTLING",
        400..=499 => "SDK_CLIENT_ERROR",
        _ => "SERVER_ERROR",
    }
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
            let why = format!("the endpoint answered with status {status}");
            let again = is_passing(*status).then(|| retry_after_seconds.unwrap_or(0));
            Err((Miss::Http(code_of(*status), why), again))
        }
        Outcome::NoToken { status } => {
            let why = format!("the authorization endpoint answered with status {status}");
            Err((
                Miss::Http(code_of(*status), why),
                is_passing(*status).then_some(0),
            ))
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
