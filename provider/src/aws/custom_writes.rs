//! What the resources of custom event buses do alike: a creation that is sent again when its answer was lost, the wait until an object
//! stays as it is, and keys that are written otherwise than AWS shows them.

use std::future::Future;
use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use tfplugin::{Diagnostic, Operation, Result, WaitEnd};

use super::retry::Retry;
use super::{Error, held_text};
use crate::failure::{Cause as _, Effect, Standing};

/// How often something is looked at that is about to be in another state.
pub const EVERY: Duration = Duration::from_secs(2);
/// How often a creation is sent again whose answer was lost. It has the same token each time, so that there is one object.
const LOST_ANSWERS_MAX: u32 = 3;

/// What is created, in words.
#[derive(Clone, Debug)]
pub struct Creation {
    /// The object: "the custom event bus `b`".
    pub what: String,
    /// The state of things when the call failed.
    pub standing: Standing,
}

/// Makes an object with a call that has a token, and returns the answer; none where there is an object of its name. The token says
/// that a call is the same as the one before, whose answer was lost: AWS then gives the result of that.
pub async fn create<T, R, F>(
    operation: &Operation<'_, R>,
    creation: Creation,
    send: impl Fn() -> F,
) -> Result<Option<T>>
where
    F: Future<Output = std::result::Result<T, Error>>,
{
    let Creation { what, standing } = creation;
    let mut retry = Retry::new(operation, EVERY, format!("make {what}"), standing);
    let (mut made, mut lost) = (None, 0);
    while retry.next().await {
        let attempted = match Box::pin(send()).await {
            Ok(answer) => {
                made = Some(answer);
                Ok(Break(()))
            }
            Err(e) if e.code() == Some("ResourceAlreadyExistsException") => return Ok(None),
            Err(e) if e.effect() == Effect::Unknown && !e.is_passing() && lost < LOST_ANSWERS_MAX => {
                lost += 1;
                Ok(Continue(format!(
                    "whether {what} was made is not known, and is asked again: {e}"
                )))
            }
            Err(e) => Err(e),
        };
        if let Some(done) = retry.judge(attempted) {
            return done.map(|()| made);
        }
    }
    Err(retry.given_up())
}

/// A look at an object that is about to be in another state.
#[derive(Clone, Debug)]
pub struct Sight {
    /// As in "see the state of the bus `b`".
    pub doing: String,
    /// The state of things where AWS refuses that.
    pub not_seen: Standing,
}

/// Waits while `awaited` says what is waited for; returns the object, none where it is gone. Else says why the wait ended.
pub async fn settled<T, R, F>(
    operation: &Operation<'_, R>,
    sight: Sight,
    look: impl Fn() -> F,
    mut awaited: impl FnMut(Option<&T>) -> Option<String>,
) -> Result<std::result::Result<Option<T>, WaitEnd>>
where
    F: Future<Output = std::result::Result<Option<T>, Error>>,
{
    let Sight { doing, not_seen } = sight;
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        match look().await {
            Ok(held) => match awaited(held.as_ref()) {
                Some(what) => attempts.awaiting(what),
                None => return Ok(Ok(held)),
            },
            Err(e) if e.is_passing() => attempts.awaiting(format!("cannot {doing} at present: {e}")),
            Err(e) => return Err(e.during_with(doing, &not_seen)),
        }
    }
    Ok(Err(attempts.end()))
}

/// The same, of what was made or changed. It exists: what only ends the wait is a warning, and the next plan shows the state.
pub async fn settle<T, R, F>(
    operation: &Operation<'_, R>,
    sight: Sight,
    look: impl Fn() -> F,
    awaited: impl FnMut(Option<&T>) -> Option<String>,
    late: impl FnOnce(&WaitEnd) -> Diagnostic,
) -> Option<Option<T>>
where
    F: Future<Output = std::result::Result<Option<T>, Error>>,
{
    match settled(operation, sight, look, awaited).await {
        Ok(Ok(held)) => return Some(held),
        Ok(Err(end)) => operation.warn(late(&end)),
        Err(failures) => {
            for failure in &failures {
                operation.warn(failure.clone());
            }
        }
    }
    None
}

/// Private state: the ARN of the key that AWS shows where an alias or an id is written.
const KEY: &str = "kms_key_arn";

/// Notes how AWS shows the key that is written.
pub fn note_key<R>(operation: &Operation<'_, R>, written: Option<&str>, shown: Option<&str>) {
    let is_key = |key: &&str| key.starts_with("arn:") && written != Some(*key);
    operation.set_private(KEY, shown.filter(is_key).unwrap_or_default());
}

/// The ARN that AWS last showed of a key that is written as an alias or an id.
pub fn key_of_alias<R>(operation: &Operation<'_, R>) -> Option<String> {
    let bytes = operation.private(KEY)?;
    String::from_utf8(bytes).ok()
}

/// A key as AWS shows it; as it is written where that is the same. `of_alias`: the ARN that AWS last showed of it.
pub fn held_key(written: Option<&str>, shown: Option<&str>, of_alias: Option<&str>) -> Option<String> {
    match shown {
        Some(_) if shown == of_alias => written.map(str::to_owned),
        _ => held_text(written, shown),
    }
}
