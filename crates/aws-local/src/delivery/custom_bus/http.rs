//! Calls over HTTP: to API destinations, and to the URLs that the operator gave for targets which are not emulated.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::attempt::Attempt;
use super::failure::Failure;
use crate::arn::Arn;
use crate::clock::Millis;
use crate::delivery::http::{self, Asked, HttpResult, Job};
use crate::delivery::miss::Miss;
use crate::delivery::recipe::Payload;
use crate::state::outbox::{Call, Work};
use crate::state::rule::{HttpParameters, Target};
use crate::state::timers::Timer;
use crate::turn::Turn;

/// Whether a target is called over HTTP.
pub(super) fn is_over(turn: &Turn<'_>, arn: &Arn<'_>, target: &str) -> bool {
    is_destination(arn) || turn.world.targets.contains_key(target)
}

fn is_destination(arn: &Arn<'_>) -> bool {
    arn.service == "events" && arn.resource.starts_with("api-destination/")
}

/// Starts a call that carries the events of a batch; gives its number.
pub(super) fn call(
    turn: &mut Turn<'_>,
    attempt: &Attempt<'_>,
    arn: &Arn<'_>,
    payload: Arc<str>,
    payloads: &[Payload],
) -> Result<u64, Failure> {
    let target = Arc::clone(&attempt.subscriber.target);
    if is_destination(arn) {
        attempt.may(turn, "events:InvokeApiDestination", &target.arn)?;
        http::destination_of(turn, &target.arn)?;
    }
    if !turn.world.outbox.has_room(&payload) {
        return Err(Failure::throttled("too many deliveries wait already"));
    }
    let parameters = payloads.first().and_then(|first| first.parameters.as_ref());
    let parameters = parameters.map(parameters_of).transpose()?;
    let (trial, now) = (attempt.trial, turn.now);
    let deadline = trial.since + attempt.subscriber.retry.age_seconds_max * 1000;
    let Some(at) = http::slot(turn, &target.arn, deadline) else {
        let why = "the rate of the API destination lets it wait longer than its events may be tried";
        return Err(Failure::throttled(why));
    };
    let id = turn.world.outbox.add_call(Call {
        realm: attempt.to.realm.clone(),
        bus: attempt.to.bus.to_owned(),
        subscriber: attempt.to.name.to_owned(),
        batch: trial.items.first().map_or(0, |item| item.queued.number),
        work: Work::Http {
            target,
            payload,
            parameters,
        },
        under_way: at <= now,
    });
    if at <= now {
        turn.effects.push(id);
    } else {
        turn.world.timers.set(at, Timer::Retry { id });
    }
    Ok(id)
}

/// `HttpParameters` with the results of their expressions; one that came to nothing is an empty text.
fn parameters_of(given: &Value) -> Result<HttpParameters, Failure> {
    fn texts(value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), texts(value)))
                .collect(),
            Value::Array(items) => items.iter().map(texts).collect(),
            Value::String(text) => Value::from(text.as_str()),
            Value::Null => Value::from(""),
            other => Value::from(other.to_string()),
        }
    }
    HttpParameters::deserialize(texts(given))
        .map_err(|error| Failure::validation(format!("HttpParameters: {error}")))
}

/// The request of a call.
pub(super) fn job(
    turn: &mut Turn<'_>,
    id: u64,
    target: &Target,
    payload: &Arc<str>,
    parameters: Option<&HttpParameters>,
) -> Result<Job, Failure> {
    let asked = Asked {
        payload,
        parameters,
        event: None,
    };
    Ok(http::request_to(turn, id, &target.arn, &asked)?)
}

/// What the end of a request says: a failure, and how long the other side asked to wait.
pub(super) fn judge(result: &HttpResult) -> Result<(), (Failure, Millis)> {
    let asked = |(miss, seconds): (Miss, Option<i64>)| {
        let seconds = seconds.unwrap_or(0).clamp(0, 24 * 60 * 60);
        (Failure::from(miss), seconds * 1000)
    };
    http::judge(result).map_err(asked)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_of_expressions_are_texts() {
        let parameters = parameters_of(&json!({
            "PathParameterValues": ["a", 1.5],
            "HeaderParameters": { "x": null, "y": true },
            "InvocationTimeoutSeconds": "5",
        }));
        let parameters = parameters.unwrap();
        assert_eq!(parameters.path_parameter_values.unwrap(), ["a", "1.5"]);
        let headers = parameters.header_parameters.unwrap();
        assert_eq!((headers["x"].as_str(), headers["y"].as_str()), ("", "true"));
        let refused = parameters_of(&json!({ "HeaderParameters": [] })).unwrap_err();
        assert_eq!(refused.code, "CUSTOMER_VALIDATION");
    }
}
