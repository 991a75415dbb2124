//! Event buses that events are put to in place of partner event sources: by those who are no partner of AWS's.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use scalr_events::is_aws_account_id;

use crate::region::is_region;

/// An event bus, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventBus {
    pub(crate) arn: String,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) kind: Kind,
}

/// The two kinds of event buses that AWS has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Classic,
    /// Custom Event Bus (`eventsv2`).
    Custom,
}

/// What one call may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallLimits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl CallLimits {
    /// Of PutPartnerEvents: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPartnerEvents.html>.
    pub(crate) const PARTNER: Self = Self {
        entries: 20,
        bytes: 256 * 1024,
    };

    /// Of PutEvents on a Classic bus: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>. The size is that of
    /// PutPartnerEvents, which every region has; AWS raises it for PutEvents.
    const CLASSIC: Self = Self {
        entries: 10,
        ..Self::PARTNER
    };

    /// Of PutEvents on a custom event bus, as its API model has them.
    const CUSTOM: Self = Self {
        entries: 100,
        // 32 KiB less than 1,048,576: whether AWS counts the ids of an entry is not known.
        bytes: 1_048_576 - 32 * 1024,
    };
}

impl EventBus {
    /// What one call of PutEvents may have.
    pub(crate) const fn limits(&self) -> CallLimits {
        match self.kind {
            Kind::Classic => CallLimits::CLASSIC,
            Kind::Custom => CallLimits::CUSTOM,
        }
    }
}

/// Why a text is no ARN of an event bus.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "it is no event bus's ARN; one is spelled `arn:aws:events:us-east-1:123456789012:event-bus/NAME`, or `…:event-busv2/NAME/ID` for a \
     custom event bus"
)]
pub(crate) struct NoBusArn;

/// Whether the ARN of a custom event bus ends in an id, as AWS's model has it.
fn ends_in_id((name, id): (&str, &str)) -> bool {
    let is_digit = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    !name.is_empty() && id.len() == 25 && id.chars().all(is_digit)
}

impl FromStr for EventBus {
    type Err = NoBusArn;

    fn from_str(arn: &str) -> Result<Self, NoBusArn> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next().unwrap_or_default();
        let [head, partition, service, region, account, resource] = std::array::from_fn(|_| next());
        let is_arn = head == "arn" && !partition.is_empty() && service == "events";
        let named = |name: &str| !name.is_empty() && !name.chars().any(char::is_whitespace);
        let kind = match resource.split_once('/') {
            // Only a partner's buses have one in their names.
            Some(("event-bus", name)) if named(name) && !name.contains('/') => Kind::Classic,
            Some(("event-busv2", name)) if named(name) && name.split_once('/').is_some_and(ends_in_id) => {
                Kind::Custom
            }
            _ => return Err(NoBusArn),
        };
        if !is_arn || !is_region(region) || !is_aws_account_id(account) {
            return Err(NoBusArn);
        }
        Ok(Self {
            arn: arn.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            kind,
        })
    }
}

/// What the names of partner event sources begin with; the source of events that are put to event buses is never one.
pub(crate) const OF_PARTNERS: &str = "aws.partner/";

/// Whether a connection's source is a partner event source.
pub(crate) fn is_of_partner(source: &str) -> bool {
    source.starts_with(OF_PARTNERS)
}

/// The event buses of a service, one a region; none where it is a partner. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventBuses(Arc<BTreeMap<String, EventBus>>);

impl EventBuses {
    /// These; two of one region are none.
    pub(crate) fn new(buses: &[EventBus]) -> Result<Self, String> {
        let mut by_region = BTreeMap::new();
        for bus in buses {
            if let Some(other) = by_region.insert(bus.region.clone(), bus.clone()) {
                return Err(format!(
                    "`{}` and `{}` are both in {}: give one event bus a region",
                    other.arn, bus.arn, bus.region
                ));
            }
        }
        Ok(Self(Arc::new(by_region)))
    }

    /// Whether events are put to event buses at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &EventBus> {
        self.0.values()
    }

    /// The one in a region.
    pub(crate) fn of_region(&self, region: &str) -> Option<&EventBus> {
        self.0.get(region)
    }

    /// The one for connections to an AWS account in a region.
    pub(crate) fn of_connection(&self, region: &str, account: &str) -> Option<&EventBus> {
        self.of_region(region).filter(|bus| bus.account == account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arn: &str, want: Option<(&str, &str, Kind)>) {
        let bus = arn.parse::<EventBus>().ok();
        let have = bus
            .as_ref()
            .map(|bus| (bus.region.as_str(), bus.account.as_str(), bus.kind));
        assert_eq!(have, want, "{arn}");
    }

    #[test]
    fn an_event_bus_is_named_by_its_arn() {
        let of = |kind| Some(("us-east-1", "123456789012", kind));
        check(
            "arn:aws:events:us-east-1:123456789012:event-bus/default",
            of(Kind::Classic),
        );
        check(
            "arn:aws:events:us-east-1:123456789012:event-busv2/a/abcdefghij0123456789abcde",
            of(Kind::Custom),
        );
        for wrong in [
            "",
            "default",
            "arn:aws:events:us-east-1:123456789012:event-busv2/a",
            "arn:aws:events:us-east-1:123456789012:event-busv2/a/b",
            "arn:aws:events:us-east-1:123456789012:event-bus/",
            "arn:aws:events:us-east-1:123456789012:event-bus/aws.partner/scalr.com/a/b",
            "arn:aws:events:us-east-1:123456789012:rule/a",
            "arn:aws:events:us-east-1:12345:event-bus/a",
            "arn:aws:events:somewhere:123456789012:event-bus/a",
            "arn:aws:sqs:us-east-1:123456789012:event-bus/a",
            "arn:aws:events:us-east-1:123456789012:event-bus/a b",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_region_has_one_event_bus() {
        let bus = |region: &str, name: &str| {
            let arn = format!("arn:aws:events:{region}:123456789012:event-bus/{name}");
            arn.parse::<EventBus>().unwrap()
        };
        let buses = EventBuses::new(&[bus("us-east-1", "a"), bus("us-west-2", "a")]).unwrap();
        let arn = |region, account| buses.of_connection(region, account).map(|bus| bus.arn.as_str());
        assert_eq!(
            arn("us-east-1", "123456789012"),
            Some("arn:aws:events:us-east-1:123456789012:event-bus/a")
        );
        assert_eq!(arn("us-east-1", "999900001111"), None);
        assert_eq!(arn("eu-west-1", "123456789012"), None);
        let why = EventBuses::new(&[bus("us-east-1", "a"), bus("us-east-1", "b")]).unwrap_err();
        assert!(
            why.contains("event-bus/a` and") && why.contains("in us-east-1"),
            "{why}"
        );
    }
}
