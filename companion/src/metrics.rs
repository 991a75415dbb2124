//! The figures of the process in Prometheus's text form (OpenMetrics): what its parts have counted, and what the store holds now.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::aws_calls::Calls;
use crate::clock::Trust;
use crate::readiness::{Fault, Seen};
use crate::store::{Commits, Doubts, Totals};
use crate::traces;

/// The type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What every name begins with.
const PREFIX: &str = "scalr_eventbridge";

/// What is seen at a moment.
pub(crate) struct Now<'a> {
    pub(crate) ms: i64,
    pub(crate) seen: &'a Seen,
    pub(crate) faults: &'a [Fault],
    /// None where the database cannot be read: what it holds has no figures then.
    pub(crate) totals: Option<&'a [Totals]>,
    /// The same.
    pub(crate) doubts: Option<Doubts>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStatus {
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFault {
    fault: &'static str,
    region: String,
}

/// All figures as text.
pub(crate) fn text(calls: &Calls, commits: &Commits, now: &Now<'_>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The version of the program", version);
    commits.register(&mut registry);
    calls.register(&mut registry);
    traces::register(&mut registry);
    held(&mut registry, now);
    doubted(&mut registry, now);
    standing(&mut registry, now);
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

/// What the store holds, by the status of the connections: those of `active` ones are on their way.
fn held(registry: &mut Registry, now: &Now<'_>) {
    let Some(totals) = now.totals else { return };
    let by_status = |of: fn(&Totals, i64) -> Option<i64>| {
        let family = Family::<OfStatus, Gauge>::default();
        for one in totals {
            if let Some(value) = of(one, now.ms) {
                let status = one.status.clone();
                family.get_or_create(&OfStatus { status }).set(value);
            }
        }
        family
    };
    registry.register(
        "connections",
        "Connections of all accounts, by status",
        by_status(|of, _| Some(of.connections)),
    );
    registry.register(
        "held_deliveries",
        "Deliveries that wait to be sent, by the status of their connection: those of `active` ones are on their way",
        by_status(|of, _| Some(of.held)),
    );
    registry.register(
        "held_bytes",
        "Bytes of the events of these deliveries",
        by_status(|of, _| Some(of.held_bytes)),
    );
    registry.register(
        "oldest_held_age_seconds",
        "How long ago the oldest of them was accepted: for `active` ones, how far delivery is behind",
        by_status(|of, now_ms| Some(age_seconds(of.oldest_held_at_ms, now_ms))),
    );
    let failed: i64 = totals.iter().map(|one| one.failed).sum();
    registry.register(
        "failed_deliveries",
        "Deliveries that have failed, and wait for a person to redeliver or purge them",
        ConstGauge::new(failed),
    );
}

/// What AWS may have dropped after it had acknowledged it, and how far the looks that find that out are behind.
fn doubted(registry: &mut Registry, now: &Now<'_>) {
    let Some(doubts) = now.doubts else { return };
    registry.register(
        "unconfirmed_deliveries",
        "Deliveries that AWS acknowledged before their event source was found not to be ACTIVE: they are sent again once it is",
        ConstGauge::new(doubts.unconfirmed),
    );
    registry.register(
        "oldest_unlooked_age_seconds",
        "How long ago AWS acknowledged the oldest delivery that no look at its event source has covered: how far the looks are behind",
        ConstGauge::new(age_seconds(doubts.oldest_acknowledged_at_ms, now.ms)),
    );
}

/// The age of what was accepted then; 0 where nothing is held.
fn age_seconds(accepted_at_ms: Option<i64>, now_ms: i64) -> i64 {
    accepted_at_ms.map_or(0, |at| (now_ms.saturating_sub(at) / 1000).max(0))
}

/// What `/readyz` says, as figures.
fn standing(registry: &mut Registry, now: &Now<'_>) {
    let is = |held: bool| ConstGauge::new(i64::from(held));
    registry.register(
        "ready",
        "1 where `/readyz` answers 200",
        is(now.faults.is_empty()),
    );
    let faults = Family::<OfFault, Gauge>::default();
    for fault in now.faults {
        let labels = OfFault {
            fault: fault.name,
            region: fault.region.clone().unwrap_or_default(),
        };
        faults.get_or_create(&labels).set(1);
    }
    registry.register("fault", "1 for each fault that `/readyz` names", faults);
    registry.register(
        "clock_in_doubt",
        "1 where the machine's clock has moved while the companion ran, so that no event is dropped for its age",
        is(matches!(now.seen.trust, Trust::Moved { .. })),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;
    use std::time::Duration;

    use scalr_api::Status;

    use super::*;
    use crate::aws_calls::{Ended, Operation};
    use crate::readiness;
    use crate::store::{Bounds, WriteFault};
    use crate::testing::{ACCEPTED_MS, BOUNDS, Bench};

    /// All figures, each with at least one value.
    async fn every_figure() -> String {
        let bounds = Bounds {
            bytes_max: 0,
            ..BOUNDS
        };
        let bench = Bench::with_bounds(bounds).await;
        let id = bench.connect("prod", "us-east-1", &Status::Active).await;
        bench.accept(&id, 3).await;
        let mut tx = bench.app.store.begin().await.unwrap();
        assert_eq!(tx.make_room(ACCEPTED_MS).await.unwrap(), 2);
        tx.commit().await.unwrap();
        let calls = bench.partner.calls();
        let took = Duration::from_millis(20);
        calls.note("us-east-1", Operation::PutPartnerEvents, Ended::DONE, took);
        calls.note_entries(7);
        let stop = &bench.app.stop;
        let mut seen = readiness::look(&bench.app.store, &bench.partner, &bench.app.clock, stop).await;
        seen.write_fault = Some(WriteFault::Full);
        let now = Now {
            ms: ACCEPTED_MS + 90_500,
            seen: &seen,
            faults: &readiness::faults(&seen),
            totals: Some(&bench.app.store.totals().await.unwrap()),
            doubts: Some(Doubts {
                unconfirmed: 4,
                oldest_acknowledged_at_ms: Some(ACCEPTED_MS + 60_000),
            }),
        };
        text(calls, bench.app.store.commits(), &now).unwrap()
    }

    #[tokio::test]
    async fn figures_are_what_the_store_and_the_calls_say() {
        let text = every_figure().await;
        for line in [
            "deliveries_accepted_total 3",
            r#"deliveries_dropped_total{reason="too-many-bytes"} 2"#,
            r#"held_deliveries{status="active"} 1"#,
            r#"held_bytes{status="active"} 2"#,
            r#"oldest_held_age_seconds{status="active"} 90"#,
            r#"aws_calls_total{region="us-east-1",operation="PutPartnerEvents",outcome="done"} 1"#,
            "aws_call_entries_sum 7.0",
            r#"aws_call_duration_seconds_bucket{le="0.02",operation="PutPartnerEvents"} 1"#,
            r#"fault{fault="store-full",region=""} 1"#,
            "ready 0",
            "unconfirmed_deliveries 4",
            "oldest_unlooked_age_seconds 30",
        ] {
            let want = format!("{PREFIX}_{line}");
            assert!(text.lines().any(|found| found == want), "{want}\n{text}");
        }
    }

    /// A row for each figure, from the text itself.
    fn table(text: &str) -> String {
        let mut table = "| figure | type | labels | what it counts |\n|---|---|---|---|\n".to_owned();
        for line in text.lines() {
            let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let kind = text
                .lines()
                .find_map(|line| line.strip_prefix(&format!("# TYPE {name} ")));
            let (kind, shown) = match kind.unwrap() {
                "counter" => ("counter", format!("{name}_total")),
                "info" => ("gauge", format!("{name}_info")),
                other => (other, name.to_owned()),
            };
            let of_it =
                |line: &&str| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name}_"));
            let labels: BTreeSet<&str> = text
                .lines()
                .filter(of_it)
                .filter_map(|line| line.split_once('{')?.1.split_once('}'))
                .flat_map(|(labels, _)| labels.split(','))
                .filter_map(|label| label.split_once('='))
                .map(|(label, _)| label)
                .filter(|label| *label != "le")
                .collect();
            let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
            let (labels, help) = (labels.join(", "), help.trim_end_matches('.'));
            writeln!(table, "| `{shown}` | {kind} | {labels} | {help} |").unwrap();
        }
        table
    }

    #[tokio::test]
    async fn the_guide_has_the_table_of_figures() {
        let text = every_figure().await;
        crate::testing::table_in_guide(
            "operations.md",
            "<!-- figures of the companion -->",
            &table(&text),
        );
    }
}
