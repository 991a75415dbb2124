//! API destinations, and the connections that hold their credentials.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arn::Arn;
use crate::clock::Millis;
use crate::secret::Secret;

/// AWS's default of an API destination's invocations a second.
const RATE_DEFAULT: u32 = 300;
/// The highest rate that is enforced.
const RATE_MAX: usize = 10_000;
/// How long a new OAuth connection is AUTHORIZING.
const AUTHORIZING_MS: Millis = 2_000;

/// The credentials that API destinations send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) name: String,
    /// The UUID at the end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) authorization_type: String,
    /// As given, secrets included; what is shown of it leaves them out.
    pub(crate) auth: Secret<Value>,
    pub(crate) kms_key: Option<String>,
    pub(crate) authorized: bool,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) authorized_at: Millis,
}

impl Connection {
    /// The connection that an ARN names, if it is still the one of that id.
    pub(crate) fn find<'r>(connections: &'r BTreeMap<String, Self>, arn: &str) -> Option<&'r Self> {
        let mut parts = Arn::parse(arn)?.resource.split('/').skip(1);
        let (name, id) = (parts.next()?, parts.next()?);
        connections.get(name).filter(|connection| connection.id == id)
    }

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
    /// The times of the latest requests, sent or reserved, oldest first: as many as one second allows.
    #[serde(default)]
    pub(crate) slots: VecDeque<Millis>,
}

impl ApiDestination {
    /// The name in an ARN's resource `api-destination/NAME/ID`.
    pub(crate) fn name_in(resource: &str) -> Option<&str> {
        resource.strip_prefix("api-destination/")?.split('/').next()
    }

    pub(crate) fn rate(&self) -> u32 {
        self.rate_per_second.unwrap_or(RATE_DEFAULT)
    }

    /// Reserves the next time at which a request may be sent without exceeding the rate in any second; `None` if that is
    /// after `deadline`.
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
