//! AWS as a plan looks at it: for a short time, and without an error. A plan does not need credentials, and one that has
//! none says nothing of what it could not see.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tfplugin::CancellationToken;

use super::{Aws, Error, Limits, Regional};
use crate::aws::regional::Stop;

/// How long a look may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Set when AWS could not be reached: the next look would only cost the same time again.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenUp(Arc<AtomicBool>);

/// The clients of one region, for a look.
#[derive(Debug)]
pub struct Look {
    regional: Regional,
    given_up: GivenUp,
}

impl Aws {
    /// The clients for a look; none where there are no credentials, or none that are allowed.
    pub async fn look(&self, region: Option<&str>, stop: &CancellationToken) -> Option<Look> {
        if self.given_up.0.load(Ordering::Relaxed) {
            return None;
        }
        let regional = self.region(region, Limits::within(stop, WITHIN)).await;
        Some(Look {
            regional: self.given_up.heard(regional)?,
            given_up: self.given_up.clone(),
        })
    }
}

impl Look {
    /// The answer, if there is one.
    pub fn heard<T>(&self, answer: Result<T, Error>) -> Option<T> {
        self.given_up.heard(answer)
    }
}

impl Deref for Look {
    type Target = Regional;

    fn deref(&self) -> &Regional {
        &self.regional
    }
}

impl GivenUp {
    fn heard<T>(&self, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(answer) => return Some(answer),
            Err(
                Error::Service(_)
                | Error::Endless { .. }
                | Error::Stopped {
                    why: Stop::Interrupted,
                    ..
                },
            ) => {}
            Err(_) => self.0.store(true, Ordering::Relaxed),
        }
        None
    }
}
