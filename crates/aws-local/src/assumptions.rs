//! What AWS's documents do not say of custom event buses, as the operator assumes it to be. Stored with the state, since what
//! follows depends on it.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::fault::Fault;

/// One reading of each unknown; the more cautious one by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assumptions {
    /// How long a bus is CREATING, UPDATING or DELETING.
    pub(crate) creating_ms: Millis,
    /// How long the creation or deletion of a subscriber keeps others of its bus from the same.
    pub(crate) subscriber_change_ms: Millis,
    pub(crate) source_not_pending: NotPending,
    /// `aws:Source` of a partner's event is the `source` of its envelope, and not the name of its event source.
    pub(crate) partner_source_from_envelope: bool,
    /// A function whose batches have one event at most gets that event, and not an array of it.
    pub(crate) lambda_batch_of_one_is_object: bool,
}

/// The error of CreateEventSource for a Classic source that does not wait for a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotPending {
    InvalidState,
    InvalidInput,
}

impl NotPending {
    pub(crate) fn fault(self, why: String) -> Fault {
        match self {
            Self::InvalidState => Fault {
                status: 409,
                ..Fault::state(why)
            },
            Self::InvalidInput => Fault::new("InvalidInputException", why),
        }
    }
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            creating_ms: 1_000,
            subscriber_change_ms: 200,
            source_not_pending: NotPending::InvalidState,
            partner_source_from_envelope: false,
            lambda_batch_of_one_is_object: false,
        }
    }
}

/// An unknown: its name and the values that it can have, the default first. `docs/guides/local-custom-event-bus.md` says what they
/// are about.
#[derive(Debug, Clone, Copy)]
pub struct Assumption {
    /// As `NAME=VALUE` has it.
    pub name: &'static str,
    /// Its values, or the form of one.
    pub values: &'static str,
}

/// All unknowns that have a setting.
pub const ASSUMPTIONS: &[Assumption] = &[
    Assumption {
        name: "creating",
        values: "MILLISECONDS (1000)",
    },
    Assumption {
        name: "subscriber-change",
        values: "MILLISECONDS (200)",
    },
    Assumption {
        name: "source-not-pending",
        values: "invalid-state | invalid-input",
    },
    Assumption {
        name: "partner-source",
        values: "event-source | envelope",
    },
    Assumption {
        name: "lambda-batch-of-one",
        values: "array | object",
    },
];

impl Assumptions {
    /// Sets one: `NAME=VALUE`. The error says which names or values there are.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
        let millis = || {
            let parsed = value
                .parse::<Millis>()
                .ok()
                .filter(|ms| (0..=600_000).contains(ms));
            parsed.ok_or_else(|| format!("{name} is milliseconds, 0 to 600000, and not `{value}`"))
        };
        match (name, value) {
            ("creating", _) => self.creating_ms = millis()?,
            ("subscriber-change", _) => self.subscriber_change_ms = millis()?,
            ("source-not-pending", "invalid-state") => self.source_not_pending = NotPending::InvalidState,
            ("source-not-pending", "invalid-input") => self.source_not_pending = NotPending::InvalidInput,
            ("partner-source", "event-source") => self.partner_source_from_envelope = false,
            ("partner-source", "envelope") => self.partner_source_from_envelope = true,
            ("lambda-batch-of-one", "array") => self.lambda_batch_of_one_is_object = false,
            ("lambda-batch-of-one", "object") => self.lambda_batch_of_one_is_object = true,
            _ => return Err(unknown(name, value)),
        }
        Ok(())
    }
}

fn unknown(name: &str, value: &str) -> String {
    if let Some(known) = ASSUMPTIONS.iter().find(|known| known.name == name) {
        return format!("{name} is {}, and not `{value}`", known.values);
    }
    let names: Vec<&str> = ASSUMPTIONS.iter().map(|known| known.name).collect();
    format!("there is no assumption `{name}`; there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_assumption_can_be_set_and_no_other() {
        for (text, expected) in [
            ("creating=0", Ok(())),
            ("subscriber-change=5", Ok(())),
            ("source-not-pending=invalid-input", Ok(())),
            ("partner-source=envelope", Ok(())),
            ("lambda-batch-of-one=object", Ok(())),
            ("creating", Err("`creating` is not NAME=VALUE")),
            (
                "creating=-1",
                Err("creating is milliseconds, 0 to 600000, and not `-1`"),
            ),
            (
                "partner-source=x",
                Err("partner-source is event-source | envelope, and not `x`"),
            ),
            (
                "x=1",
                Err(
                    "there is no assumption `x`; there are creating, subscriber-change, source-not-pending, partner-source, lambda-batch-of-one",
                ),
            ),
        ] {
            let mut all = Assumptions::default();
            let result = all.set(text);
            assert_eq!(
                result.as_ref().map_err(String::as_str),
                expected.as_ref().map_err(|why| *why),
                "{text}"
            );
            assert_eq!(all != Assumptions::default(), result.is_ok(), "{text}");
        }
    }
}
