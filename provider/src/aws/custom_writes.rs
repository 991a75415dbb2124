//! What the resources of custom event buses do alike: a creation that is sent again when its answer was lost, and tags that changed.

use std::future::Future;
use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use aws_sdk_eventbridgev2::primitives::{DateTime, DateTimeFormat};
use tfplugin::{Operation, Result};

use super::Error;
use super::retry::Retry;
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

/// A time in RFC 3339.
pub fn written(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}
