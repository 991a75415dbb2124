//! Client tokens: the same request with the same token gives what it gave the first time, for eight hours.

use serde_json::Value;

use super::arns::here;
use super::faults::mismatch;
use crate::fault::Fault;
use crate::ops::{Answer, Call};
use crate::state::custom_bus::Stored;

/// What a creation made: its answer, and the ARN in it.
pub(super) struct Made {
    pub(super) arn: String,
    pub(super) answer: Value,
}

/// Makes something, unless the request's client token was met before.
pub(super) fn once(
    call: &mut Call<'_>,
    operation: &'static str,
    mut input: Value,
    creation: impl FnOnce(&mut Call<'_>, Value) -> Result<Made, Fault>,
) -> Answer {
    let token = input
        .as_object_mut()
        .and_then(|members| members.remove("ClientToken"));
    let Some(Value::String(token)) = token else {
        return creation(call, input).map(|made| made.answer);
    };
    let now = call.turn.now;
    if let Some(stored) = here(call)?.stored(&token, now) {
        if stored.operation != operation || stored.input != input {
            return Err(mismatch());
        }
        let answer = stored.answer.clone();
        call.unchanged = true;
        return Ok(answer);
    }
    let made = creation(call, input.clone())?;
    let stored = Stored {
        operation: operation.to_owned(),
        input,
        answer: made.answer.clone(),
        at: now,
        arn: made.arn,
    };
    here(call)?.store(token, stored);
    Ok(made.answer)
}
