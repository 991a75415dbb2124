//! What leaves the process: connections and API destinations, and the requests that are under way or wait for a retry.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RealmId;
use super::rule::Target;
use super::story::Page;
use crate::clock::Millis;

/// How many invocations are kept for those who look.
const INVOCATIONS_MAX: usize = 1_000;
/// AWS's default of an API destination's invocations a second.
const RATE_DEFAULT: u32 = 300;
/// A rate beyond this counts as this one.
const RATE_MAX: usize = 10_000;
/// AWS's default of a target's retry policy.
const AGE_SECONDS_MAX: i64 = 86_400;
/// How long a new OAuth connection is AUTHORIZING.
const AUTHORIZING_MS: Millis = 2_000;

/// How API destinations prove who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) name: String,
    /// The UUID at the end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) authorization_type: String,
    /// As given, secrets included; what is shown of it leaves them out.
    pub(crate) auth: Value,
    pub(crate) kms_key: Option<String>,
    pub(crate) authorized: bool,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) authorized_at: Millis,
}

impl Connection {
    /// What `ConnectionState` says.
    pub(crate) fn state(&self, now: Millis) -> &'static str {
        if !self.authorized {
            "DEAUTHORIZED"
        } else if self.authorization_type == "OAUTH_CLIENT_CREDENTIALS"
            && now < self.authorized_at + AUTHORIZING_MS
        {
            "AUTHORIZING"
        } else {
            "AUTHORIZED"
        }
    }
}

/// An HTTP endpoint that a rule may call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiDestination {
    pub(crate) name: String,
    /// The UUID at the end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) connection_arn: String,
    pub(crate) endpoint: String,
    pub(crate) method: String,
    pub(crate) rate_per_second: Option<u32>,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    /// When the latest requests left or will leave, oldest first: as many as one second may hold.
    #[serde(default)]
    pub(crate) slots: VecDeque<Millis>,
}

impl ApiDestination {
    pub(crate) fn rate(&self) -> u32 {
        self.rate_per_second.unwrap_or(RATE_DEFAULT)
    }

    /// Takes the next time that a request may leave at, which no second's rate is exceeded by; `None` if that is after
    /// `deadline`.
    pub(crate) fn take_slot(&mut self, now: Millis, deadline: Millis) -> Option<Millis> {
        let rate = usize::try_from(self.rate()).unwrap_or(RATE_MAX).min(RATE_MAX);
        while self.slots.len() > rate {
            self.slots.pop_front();
        }
        let full = self.slots.front().filter(|_| self.slots.len() == rate);
        let free = full.map_or(now, |oldest| oldest + 1000);
        let at = now.max(free).max(self.slots.back().copied().unwrap_or(now));
        if at > deadline {
            return None;
        }
        self.slots.push_back(at);
        Some(at)
    }
}

/// A delivery over HTTP that is not settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) realm: RealmId,
    pub(crate) rule_arn: Arc<str>,
    pub(crate) target: Arc<Target>,
    pub(crate) event: Arc<str>,
    pub(crate) payload: Arc<str>,
    pub(crate) page: Page,
    pub(crate) retries: u32,
    pub(crate) since: Millis,
    pub(crate) under_way: bool,
    /// Waits for the time that its API destination's rate allows, and needs no other then.
    #[serde(default)]
    pub(crate) admitted: bool,
}

impl Pending {
    /// After this it is not tried any more.
    pub(crate) fn deadline(&self) -> Millis {
        let policy = self.target.retry_policy.as_ref();
        let age = policy.and_then(|policy| policy.maximum_event_age_in_seconds);
        self.since + age.unwrap_or(AGE_SECONDS_MAX) * 1000
    }
}

/// A request that a target would get, in the words of `GET /_local/invocations`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invocation {
    pub(crate) at: Millis,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) rule_arn: Arc<str>,
    pub(crate) target: Arc<Target>,
    pub(crate) event_id: Arc<str>,
    pub(crate) payload: Arc<str>,
}

/// All that is on its way out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    pub(crate) pending: BTreeMap<u64, Pending>,
    next: u64,
    pub(crate) invocations: VecDeque<Invocation>,
}

impl Outbox {
    /// Numbers go on: what is under way must not settle a later delivery.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            next: self.next,
            ..Self::default()
        }
    }

    /// The number of the next delivery.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The same where a state of before goes on: the numbers below `to` are taken.
    pub(crate) fn skip(&mut self, to: u64) {
        self.next = self.next.max(to);
    }

    pub(crate) fn add(&mut self, pending: Pending) -> u64 {
        let id = self.next;
        self.next += 1;
        self.pending.insert(id, pending);
        id
    }

    /// Deliveries that the edge has been handed and has not told the end of.
    pub(crate) fn under_way(&self) -> BTreeSet<u64> {
        let under_way = self.pending.iter().filter(|(_, pending)| pending.under_way);
        under_way.map(|(id, _)| *id).collect()
    }

    pub(crate) fn record(&mut self, invocation: Invocation) {
        self.invocations.push_back(invocation);
        if self.invocations.len() > INVOCATIONS_MAX {
            self.invocations.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(rate: u32) -> ApiDestination {
        ApiDestination {
            name: "d".to_owned(),
            id: "i".to_owned(),
            description: None,
            connection_arn: String::new(),
            endpoint: String::new(),
            method: String::new(),
            rate_per_second: Some(rate),
            created: 0,
            modified: 0,
            slots: VecDeque::new(),
        }
    }

    #[test]
    fn no_second_holds_more_than_the_rate() {
        for (rate, asked_at, expected) in [
            (1, vec![0, 0, 0], vec![0, 1000, 2000]),
            (2, vec![0, 0, 0, 0, 0], vec![0, 0, 1000, 1000, 2000]),
            (2, vec![0, 900, 950, 1_950], vec![0, 900, 1000, 1_950]),
            (3, vec![0, 1, 2, 3, 2_500], vec![0, 1, 2, 1000, 2_500]),
        ] {
            let mut to = destination(rate);
            let got: Vec<Millis> = asked_at
                .iter()
                .filter_map(|at| to.take_slot(*at, 100_000))
                .collect();
            assert_eq!(got, expected, "{rate} a second, asked at {asked_at:?}");
        }
    }

    #[test]
    fn a_slot_after_the_deadline_is_not_taken() {
        let mut to = destination(1);
        assert_eq!(to.take_slot(0, 500), Some(0));
        assert_eq!(to.take_slot(0, 500), None);
        assert_eq!(to.take_slot(0, 1000), Some(1000));
    }
}
