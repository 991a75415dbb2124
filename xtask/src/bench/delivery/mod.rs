//! `cargo xtask bench delivery`: what a service takes in and delivers in a second, each time through its API and to a local AWS in a
//! process of its own.
//!
//! Row one: 50 accounts with one connection and 20 workspaces each, so each event is delivered once, over 1,000 lanes. Row two: one
//! account with 50 connections and 20 workspaces, so each event is delivered 50 times. The connections are paused while events come
//! in; then they are resumed together. Another program is measured beside it in the same run, since the machine is the same for both.

mod load;
mod service;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use load::{CLIENTS, LINES};
use service::Service;

/// How much is measured.
struct Size {
    /// Bodies of row one and of row two.
    bodies: [usize; 2],
    /// Events of one sequential client.
    singles: usize,
    /// What was not delivered by then is not waited for.
    drain_max: Duration,
}

const SHORT: Size = Size {
    bodies: [256, 8],
    singles: 400,
    drain_max: Duration::from_secs(15),
};
const FULL: Size = Size {
    bodies: [2_048, 256],
    singles: 4_000,
    drain_max: Duration::from_mins(10),
};

/// Accounts and connections of each account.
const ROWS: [(&str, usize, usize); 2] = [("50 accounts", 50, 1), ("50 connections", 1, 50)];

/// Measures the program, and prints it beside the other one where there is one.
pub(super) fn run(programs: &[PathBuf], is_full: bool) -> Result<()> {
    let size = if is_full { &FULL } else { &SHORT };
    let reports = programs.iter().map(|program| measure(program, size));
    let reports = reports.collect::<Result<Vec<_>>>()?;
    println!("{}", table(&reports)?);
    Ok(())
}

/// A figure, and its name with the unit.
type Figure = (String, f64);

fn measure(program: &Path, size: &Size) -> Result<Vec<Figure>> {
    let mut report = Vec::new();
    for ((name, accounts, connections), bodies) in ROWS.into_iter().zip(size.bodies) {
        let service = Service::start(program, accounts, connections)?;
        let mut add = |what: &str, value: f64| report.push((format!("{name}: {what}"), value));
        let before = service.server.cpu()?;
        let took = load::send(&service, bodies)?;
        let events = count(bodies * LINES);
        let used = service.server.cpu()?.saturating_sub(before);
        add("intake (events/s)", events / took.as_secs_f64());
        add(
            "CPU of the service (us an event taken in)",
            used.as_secs_f64() * 1e6 / events,
        );
        drain(
            &service,
            (bodies * LINES, accounts, connections),
            size.drain_max,
            &mut add,
        )?;
        add("peak memory (MiB)", service.server.memory()?.peak_mib);
        if accounts > 1 {
            service.set_all("disabled")?;
            let took = load::send_one_by_one(&service, size.singles)?;
            add(
                "one client, one by one (events/s)",
                count(size.singles) / took.as_secs_f64(),
            );
        }
    }
    Ok(report)
}

/// Resumes all connections, and measures how fast they deliver what they hold.
fn drain(
    service: &Service,
    (events, accounts, connections): (usize, usize, usize),
    within: Duration,
    add: &mut impl FnMut(&str, f64),
) -> Result<()> {
    let calls = || {
        let puts = service.calls("PutPartnerEvents")?;
        Ok::<_, anyhow::Error>((puts, service.calls("ListPartnerEventSourceAccounts")?))
    };
    let (before, (puts, looks)) = (service.server.cpu()?, calls()?);
    let begun = Instant::now();
    service.set_all("active")?;
    // An account's bodies may differ by one: the least that each connection has.
    let each = events / accounts / LINES * LINES;
    let delivered = service.delivered(u64::try_from(each)?, within)?;
    let took = begun.elapsed();
    let used = service.server.cpu()?.saturating_sub(before);
    let (puts_after, looks_after) = calls()?;
    let delivered_count = number(delivered);
    add("drain (deliveries/s)", delivered_count / took.as_secs_f64());
    add(
        "entries a call",
        delivered_count / number((puts_after - puts).max(1)),
    );
    add(
        "looks at event sources (/s)",
        number(looks_after - looks) / took.as_secs_f64(),
    );
    add(
        "CPU of the service (us a delivery)",
        used.as_secs_f64() * 1e6 / delivered_count.max(1.0),
    );
    add(
        "delivered (%)",
        100.0 * delivered_count / count(events * connections),
    );
    Ok(())
}

fn count(n: usize) -> f64 {
    number(u64::try_from(n).unwrap_or(u64::MAX))
}

/// Of what is measured there is less than four billion.
fn number(n: u64) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn table(reports: &[Vec<Figure>]) -> Result<String> {
    let new = reports.first().context("nothing was measured")?;
    let old = reports.get(1);
    let mut table = format!(
        "\nevents of 1 KB, bodies of {LINES} from {CLIENTS} clients\n{:<64}{:>12}",
        "", "measured"
    );
    if old.is_some() {
        let _ = write!(table, "{:>12}{:>8}", "the other", "ratio");
    }
    for (at, (name, value)) in new.iter().enumerate() {
        let _ = write!(table, "\n{name:<64}{value:>12.1}");
        if let Some((_, other)) = old.and_then(|old| old.get(at)) {
            let _ = write!(table, "{other:>12.1}{:>8.2}", value / other);
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn two_programs_are_shown_with_their_ratio() {
        let report = |rate| vec![("intake (events/s)".to_owned(), rate)];
        let both = table(&[report(300.0), report(100.0)]).unwrap();
        assert!(both.ends_with("300.0       100.0    3.00"), "{both}");
        let alone = table(&[report(300.0)]).unwrap();
        assert!(alone.ends_with("300.0") && !alone.contains("ratio"), "{alone}");
        assert!(table(&[]).is_err());
    }
}
