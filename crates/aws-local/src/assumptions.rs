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
    /// The longest wait before the first retry of a delivery; it is doubled for each further one.
    pub(crate) retry_wait_ms: Millis,
    pub(crate) source_not_pending: NotPending,
    /// `aws:Source` of a partner's event is the `source` of its envelope, and not the name of its event source.
    pub(crate) partner_source_from_envelope: bool,
    /// A function whose batches have one event at most gets that event, and not an array of it.
    pub(crate) lambda_batch_of_one_is_object: bool,
    pub(crate) deleted_source: DeletedSource,
    pub(crate) other_partner_source: OtherPartnerSource,
    pub(crate) deactivation: Deactivation,
    pub(crate) empty_on_failure: EmptyOnFailure,
    pub(crate) aws_source_entry: AwsSourceEntry,
    pub(crate) unknown_members: UnknownMembers,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            creating_ms: 1_000,
            subscriber_change_ms: 200,
            retry_wait_ms: 1_000,
            source_not_pending: NotPending::default(),
            partner_source_from_envelope: false,
            lambda_batch_of_one_is_object: false,
            deleted_source: DeletedSource::default(),
            other_partner_source: OtherPartnerSource::default(),
            deactivation: Deactivation::default(),
            empty_on_failure: EmptyOnFailure::default(),
            aws_source_entry: AwsSourceEntry::default(),
            unknown_members: UnknownMembers::default(),
        }
    }
}

/// The readings of an unknown.
trait Reading: Copy + 'static {
    /// As `NAME=VALUE` has them, the default first.
    const NAMED: &'static [(&'static str, Self)];
}

/// The error of CreateEventSource for a Classic source that does not wait for a bus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotPending {
    #[default]
    InvalidState,
    InvalidInput,
}

impl Reading for NotPending {
    const NAMED: &'static [(&'static str, Self)] = &[
        ("invalid-state", Self::InvalidState),
        ("invalid-input", Self::InvalidInput),
    ];
}

/// The state of an event source whose Classic source the partner has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DeletedSource {
    #[default]
    Active,
    UpdateFailed,
}

impl Reading for DeletedSource {
    const NAMED: &'static [(&'static str, Self)] =
        &[("active", Self::Active), ("update-failed", Self::UpdateFailed)];
}

/// What UpdateEventSource does with the ARN of another Classic source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OtherPartnerSource {
    #[default]
    Refused,
    Taken,
}

impl Reading for OtherPartnerSource {
    const NAMED: &'static [(&'static str, Self)] = &[("refused", Self::Refused), ("taken", Self::Taken)];
}

/// What DeactivateEventSource of the Classic service does with a source that a custom event bus has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deactivation {
    #[default]
    Allowed,
    Refused,
}

impl Reading for Deactivation {
    const NAMED: &'static [(&'static str, Self)] = &[("allowed", Self::Allowed), ("refused", Self::Refused)];
}

/// What UpdateSubscriber does with an OnFailureConfiguration that has no ARN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EmptyOnFailure {
    #[default]
    Removed,
    Kept,
    Refused,
}

impl Reading for EmptyOnFailure {
    const NAMED: &'static [(&'static str, Self)] = &[
        ("removed", Self::Removed),
        ("kept", Self::Kept),
        ("refused", Self::Refused),
    ];
}

/// The error code of an entry whose source begins with `aws.`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AwsSourceEntry {
    #[default]
    Validation,
    NotAuthorized,
}

impl Reading for AwsSourceEntry {
    const NAMED: &'static [(&'static str, Self)] = &[
        ("validation-error", Self::Validation),
        ("not-authorized-for-source", Self::NotAuthorized),
    ];
}

/// What becomes of a request's members that AWS's model does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum UnknownMembers {
    #[default]
    Refused,
    Ignored,
}

impl Reading for UnknownMembers {
    const NAMED: &'static [(&'static str, Self)] = &[("refused", Self::Refused), ("ignored", Self::Ignored)];
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

impl AwsSourceEntry {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION_ERROR",
            Self::NotAuthorized => "NotAuthorizedForSourceException",
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

const fn assumption(name: &'static str, values: &'static str) -> Assumption {
    Assumption { name, values }
}

/// All unknowns that have a setting.
pub const ASSUMPTIONS: &[Assumption] = &[
    assumption("creating", "MILLISECONDS (1000)"),
    assumption("subscriber-change", "MILLISECONDS (200)"),
    assumption("retry-wait", "MILLISECONDS (1000)"),
    assumption("source-not-pending", "invalid-state | invalid-input"),
    assumption("partner-source", "event-source | envelope"),
    assumption("lambda-batch-of-one", "array | object"),
    assumption("deleted-source", "active | update-failed"),
    assumption("other-partner-source", "refused | taken"),
    assumption("deactivation", "allowed | refused"),
    assumption("empty-on-failure", "removed | kept | refused"),
    assumption("aws-source-entry", "validation-error | not-authorized-for-source"),
    assumption("unknown-members", "refused | ignored"),
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
        let partner_source = || match value {
            "event-source" => Some(false),
            "envelope" => Some(true),
            _ => None,
        };
        let batch_of_one = || match value {
            "array" => Some(false),
            "object" => Some(true),
            _ => None,
        };
        let known = match name {
            "creating" => put(&mut self.creating_ms, Some(millis()?)),
            "subscriber-change" => put(&mut self.subscriber_change_ms, Some(millis()?)),
            "retry-wait" => put(&mut self.retry_wait_ms, Some(millis()?)),
            "source-not-pending" => put(&mut self.source_not_pending, named(value)),
            "partner-source" => put(&mut self.partner_source_from_envelope, partner_source()),
            "lambda-batch-of-one" => put(&mut self.lambda_batch_of_one_is_object, batch_of_one()),
            "deleted-source" => put(&mut self.deleted_source, named(value)),
            "other-partner-source" => put(&mut self.other_partner_source, named(value)),
            "deactivation" => put(&mut self.deactivation, named(value)),
            "empty-on-failure" => put(&mut self.empty_on_failure, named(value)),
            "aws-source-entry" => put(&mut self.aws_source_entry, named(value)),
            "unknown-members" => put(&mut self.unknown_members, named(value)),
            _ => None,
        };
        known.ok_or_else(|| unknown(name, value))
    }
}

fn named<T: Reading>(value: &str) -> Option<T> {
    let mut named = T::NAMED.iter();
    named
        .find(|(name, _)| *name == value)
        .map(|(_, reading)| *reading)
}

fn put<T>(to: &mut T, value: Option<T>) -> Option<()> {
    *to = value?;
    Some(())
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

    /// What `--help` lists is what can be set: the first value is the default, and each other is another reading.
    #[test]
    fn each_listed_value_can_be_set() {
        for known in ASSUMPTIONS {
            let set = |value: &str| {
                let mut all = Assumptions::default();
                all.set(&format!("{}={value}", known.name)).unwrap();
                all
            };
            let millis = known.values.strip_prefix("MILLISECONDS (");
            let mut values = known.values.split(" | ");
            let (first, others) = if let Some(default) = millis {
                (default.trim_end_matches(')'), vec!["0"])
            } else {
                (values.next().unwrap(), values.collect())
            };
            assert_eq!(set(first), Assumptions::default(), "{}={first}", known.name);
            let mut seen = vec![Assumptions::default()];
            for other in others {
                assert!(!seen.contains(&set(other)), "{}={other}", known.name);
                seen.push(set(other));
            }
        }
    }

    #[test]
    fn what_is_no_assumption_is_refused() {
        let names: Vec<&str> = ASSUMPTIONS.iter().map(|known| known.name).collect();
        let none = format!("there is no assumption `x`; there are {}", names.join(", "));
        for (text, why) in [
            ("creating", "`creating` is not NAME=VALUE"),
            (
                "creating=-1",
                "creating is milliseconds, 0 to 600000, and not `-1`",
            ),
            (
                "partner-source=x",
                "partner-source is event-source | envelope, and not `x`",
            ),
            (
                "empty-on-failure=",
                "empty-on-failure is removed | kept | refused, and not ``",
            ),
            ("x=1", none.as_str()),
        ] {
            let mut all = Assumptions::default();
            assert_eq!(all.set(text), Err(why.to_owned()), "{text}");
            assert_eq!(all, Assumptions::default(), "{text}");
        }
    }

    /// The state of an earlier version has fewer of them.
    #[test]
    fn what_is_not_stored_is_the_default() {
        let stored = r#"{"creating_ms":5,"source_not_pending":"InvalidInput"}"#;
        let read: Assumptions = serde_json::from_str(stored).unwrap();
        let mut expected = Assumptions::default();
        expected.set("creating=5").unwrap();
        expected.set("source-not-pending=invalid-input").unwrap();
        assert_eq!(read, expected);
    }
}
