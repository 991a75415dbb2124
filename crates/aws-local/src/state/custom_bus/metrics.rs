//! Counters of a bus and of its subscribers under the names of AWS's namespace `AWS/EventsV2` ("Observability" in AWS's guide to
//! custom event buses). They go with what they are of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What was published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Publishing {
    #[serde(rename = "PublishEventsApproximateCallCount")]
    calls: u64,
    #[serde(rename = "PublishEventsApproximateSuccessCallCount")]
    answered: u64,
    #[serde(rename = "PublishEventsEntryCount")]
    entries: u64,
    #[serde(rename = "PublishEventsFailedEntriesCount")]
    failed_entries: u64,
    #[serde(rename = "PublishEventsIngressBytes")]
    ingress_bytes: u64,
}

/// What became of the events that a subscriber took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Delivering {
    #[serde(rename = "EventDeliveryAttempts")]
    pub(crate) attempts: u64,
    #[serde(rename = "TargetInvocations")]
    invocations: u64,
    /// Of each retry its number.
    #[serde(rename = "RetryInvocationAttempts")]
    retries: u64,
    #[serde(rename = "EventsDelivered")]
    pub(crate) delivered: u64,
    #[serde(rename = "EventTransformationFailures")]
    pub(crate) transformation_failures: u64,
    #[serde(rename = "OnFailureDestinationDelivered")]
    pub(crate) records: u64,
    #[serde(rename = "OnFailureDestinationFailed")]
    pub(crate) records_failed: u64,
    #[serde(rename = "EventsDropped")]
    pub(crate) dropped: u64,
}

impl Delivering {
    /// The target is called, for the first time or again.
    pub(crate) fn call(&mut self, retries: u32) {
        self.invocations += 1;
        self.retries += u64::from(retries);
    }

    /// What it counted, of the subscriber and bus, each `NAME/ID`.
    pub(super) fn row(&self, bus: &str, subscriber: &str) -> Option<Row> {
        let dimensions = vec![
            ("EventBus", bus.to_owned()),
            ("Subscriber", subscriber.to_owned()),
        ];
        let row = Row::new(dimensions, self);
        (!row.counters.is_empty()).then_some(row)
    }
}

/// The counters of a bus: all together, by event source, and the bytes by the account that published them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BusMetrics {
    all: Publishing,
    sources: BTreeMap<String, Publishing>,
    publishers: BTreeMap<String, u64>,
}

/// Counters with what they are of, as CloudWatch has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    dimensions: Vec<(&'static str, String)>,
    counters: Vec<(String, u64)>,
}

impl Publishing {
    fn call(&mut self, entries: u64, failed: u64) {
        self.calls += 1;
        self.answered += 1;
        self.entries += entries;
        self.failed_entries += failed;
    }
}

impl BusMetrics {
    /// A call was answered. One that is refused changes nothing, its counter included.
    pub(crate) fn call(&mut self, entries: usize, failed: usize) {
        self.all.call(entries as u64, failed as u64);
    }

    /// An event came from an event source; `NAME/ID`.
    pub(crate) fn forwarded(&mut self, source: &str) {
        self.all.call(1, 0);
        self.sources.entry(source.to_owned()).or_default().call(1, 0);
    }

    /// An event is kept.
    pub(crate) fn stored(&mut self, publisher: &str, bytes: usize) {
        self.all.ingress_bytes += bytes as u64;
        if let Some(known) = self.publishers.get_mut(publisher) {
            *known += bytes as u64;
        } else {
            self.publishers.insert(publisher.to_owned(), bytes as u64);
        }
    }

    /// What it counted, of the bus `NAME/ID`.
    pub(crate) fn rows(&self, bus: &str) -> Vec<Row> {
        let of_bus = || ("EventBus", bus.to_owned());
        let mut rows = vec![Row::new(vec![of_bus()], &self.all)];
        for (source, counters) in &self.sources {
            rows.push(Row::new(
                vec![of_bus(), ("EventSource", source.clone())],
                counters,
            ));
        }
        for (account, bytes) in &self.publishers {
            rows.push(Row {
                dimensions: vec![of_bus(), ("PublisherAccount", account.clone())],
                counters: vec![("PublishEventsIngressBytes".to_owned(), *bytes)],
            });
        }
        rows.retain(|row| !row.counters.is_empty());
        rows
    }
}

impl Row {
    /// What is zero is left out, as CloudWatch has no figures of what did not happen.
    fn new(dimensions: Vec<(&'static str, String)>, counters: &impl Serialize) -> Self {
        let all = serde_json::to_value(counters).unwrap_or_default();
        let all = all.as_object().cloned().unwrap_or_default().into_iter();
        let counted =
            all.filter_map(|(name, count)| Some((name, count.as_u64().filter(|count| *count > 0)?)));
        Self {
            dimensions,
            counters: counted.collect(),
        }
    }

    pub(crate) fn view(self) -> Value {
        let dimensions: Map<String, Value> = self
            .dimensions
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let counters: Map<String, Value> = self
            .counters
            .into_iter()
            .map(|(name, count)| (name, Value::from(count)))
            .collect();
        json!({ "dimensions": dimensions, "metrics": counters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown_by_its_dimensions() {
        let mut metrics = BusMetrics::default();
        assert_eq!(metrics.rows("b/1"), []);
        metrics.call(3, 1);
        metrics.stored("111111111111", 20);
        metrics.forwarded("s/2");
        metrics.stored("222222222222", 5);
        let rows: Vec<Value> = metrics.rows("b/1").into_iter().map(Row::view).collect();
        let of = |name: &str, value: &str| json!({ "EventBus": "b/1", name: value });
        assert_eq!(
            rows,
            [
                json!({ "dimensions": { "EventBus": "b/1" }, "metrics": {
                    "PublishEventsApproximateCallCount": 2,
                    "PublishEventsApproximateSuccessCallCount": 2,
                    "PublishEventsEntryCount": 4,
                    "PublishEventsFailedEntriesCount": 1,
                    "PublishEventsIngressBytes": 25,
                } }),
                json!({ "dimensions": of("EventSource", "s/2"), "metrics": {
                    "PublishEventsApproximateCallCount": 1,
                    "PublishEventsApproximateSuccessCallCount": 1,
                    "PublishEventsEntryCount": 1,
                } }),
                json!({ "dimensions": of("PublisherAccount", "111111111111"), "metrics": { "PublishEventsIngressBytes": 20 } }),
                json!({ "dimensions": of("PublisherAccount", "222222222222"), "metrics": { "PublishEventsIngressBytes": 5 } }),
            ]
        );
    }
}
