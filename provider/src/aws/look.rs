//! AWS as a plan looks at it: for a short time, and without an error. A plan does not need credentials, and one that has
//! none says nothing of what it could not see.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tfplugin::CancellationToken;

use super::regional::Stop;
use super::{Aws, Error, Limits, Regional};

/// How long a look may take.
const WITHIN: Duration = Duration::from_secs(10);

/// What a look asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// For credentials, and for the account that they are of.
    Account,
    /// EventBridge.
    Events,
    /// EventBridge's custom event buses.
    CustomBuses,
    /// CloudWatch Logs.
    Logs,
    /// SQS.
    Queues,
    /// SNS.
    Topics,
}

/// What could not be reached: to ask it again would only cost the same time again.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenUp(Arc<Mutex<BTreeSet<Service>>>);

/// The clients of one region, for a look.
#[derive(Debug)]
pub struct Look {
    regional: Regional,
    given_up: GivenUp,
}

impl Aws {
    /// The clients for a look; none where there are no credentials, or none that are allowed.
    pub async fn look(&self, region: Option<&str>, stop: &CancellationToken) -> Option<Look> {
        if self.given_up.has(Service::Account) {
            return None;
        }
        let regional = self.region(region, Limits::within(stop, WITHIN)).await;
        Some(Look {
            regional: self.given_up.heard(Service::Account, regional)?,
            given_up: self.given_up.clone(),
        })
    }
}

impl Look {
    /// Whether a service may answer.
    pub fn asks(&self, service: Service) -> bool {
        let is_there = match service {
            Service::CustomBuses => self.has_custom_buses,
            Service::Queues => self.has_queues,
            Service::Topics => self.has_topics,
            Service::Account | Service::Events | Service::Logs => true,
        };
        is_there && !self.given_up.has(service)
    }

    /// The clients for what need not be newer than this walk: its answers are shared with those of a refresh.
    pub fn of_this_walk(&self) -> Regional {
        self.regional.clone().refreshing()
    }

    /// A service's answer, if there is one.
    pub fn heard<T>(&self, service: Service, answer: Result<T, Error>) -> Option<T> {
        self.given_up.heard(service, answer)
    }
}

impl Deref for Look {
    type Target = Regional;

    fn deref(&self) -> &Regional {
        &self.regional
    }
}

impl GivenUp {
    fn has(&self, service: Service) -> bool {
        let services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        services.contains(&service)
    }

    fn heard<T>(&self, service: Service, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(answer) => return Some(answer),
            Err(
                Error::Service(_)
                | Error::Endless { .. }
                | Error::Incomplete { .. }
                | Error::Stopped {
                    why: Stop::Interrupted,
                    ..
                },
            ) => {}
            Err(_) => {
                let mut services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                services.insert(service);
            }
        }
        None
    }
}
