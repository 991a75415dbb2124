//! A replay of many retained events to a queue that consumers drain: the memory that it takes, and a start with them retained.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{ACCOUNT, AT_ONCE, CONNECTIONS, QUEUE, REQUESTS, Site, cbor, put, queue_arn, request};
use crate::service::http::Connection;
use crate::service::server;

/// How many events a call puts.
const ENTRIES: u32 = 100;
const CONSUMERS: usize = 16;
/// So many messages at most are received by a call, and deleted by the next.
const BATCH: u32 = 10;
/// A replay that brings nothing for so long has failed.
const NOTHING_FOR: Duration = Duration::from_mins(1);

/// What is kept: memory above that of the process with an empty bus, and how much longer a start takes.
const MORE_MIB_MAX: f64 = 64.0;
const MORE_START_MAX: Duration = Duration::from_secs(2);

/// Measures with so many events; the rows.
pub(super) fn run(program: &Path, events: u32) -> Result<Vec<String>> {
    ensure!(
        events > 0 && events.is_multiple_of(ENTRIES),
        "events come in hundreds"
    );
    let folder = tempfile::tempdir()?;
    let site = Site::start(program, folder.path())?;
    let bus = site.buses(1)?.pop().context("no bus")?;
    drop(site);
    let (site, empty_start) = start_again(program, folder.path())?;
    let empty_mib = site.server.memory()?.now_mib;
    fill(&site, &bus, events)?;
    // It is killed: the journal is as long as it was then.
    drop(site);
    let (site, start) = start_again(program, folder.path())?;
    let began = Instant::now();
    subscribe(&site, &bus)?;
    drain(&site, events)?;
    let measured = Measured {
        events,
        empty_start,
        start,
        more_mib: site.server.memory()?.peak_mib - empty_mib,
        took: began.elapsed(),
    };
    Ok(measured.rows())
}

fn start_again(program: &Path, folder: &Path) -> Result<(Site, Duration)> {
    let began = Instant::now();
    let server = server::start_with(program, Some(folder), &AT_ONCE)?;
    Ok((Site::of(server)?, began.elapsed()))
}

/// Publishes events that nobody has subscribed to yet.
fn fill(site: &Site, bus: &str, events: u32) -> Result<()> {
    let requests: Vec<Vec<u8>> = (0..REQUESTS)
        .map(|at| put(&site.address, bus, at, ENTRIES as usize, 1))
        .collect();
    let left = AtomicU32::new(events / ENTRIES);
    let one_less = |left: u32| left.checked_sub(1);
    at_the_same_time(CONNECTIONS, |nth| {
        let mut connection = Connection::open(&site.address)?;
        for request in requests.iter().cycle().skip(nth) {
            if left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                .is_err()
            {
                break;
            }
            ensure!(
                super::all_accepted(&connection.ok(request)?),
                "events were refused"
            );
        }
        Ok(())
    })
}

/// A subscriber that gets all that is retained.
fn subscribe(site: &Site, bus: &str) -> Result<()> {
    let body = json!({
        "Name": "bench-replay",
        "EventBusArn": bus,
        "StartingPosition": "POINT_IN_TIME",
        "PointInTimeConfiguration": { "PointType": "HORIZON" },
        "InvokeConfiguration": {
            "TargetArn": queue_arn(),
            "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/bench"),
        },
    });
    let create = request(&site.address, "CreateSubscriber", &cbor(&body));
    Connection::open(&site.address)?.ok(&create)?;
    Ok(())
}

/// Receives and deletes so many messages.
fn drain(site: &Site, events: u32) -> Result<()> {
    let received = AtomicU32::new(0);
    let url = format!("http://{}/{ACCOUNT}/{QUEUE}", site.address);
    at_the_same_time(CONSUMERS, |_| {
        let mut connection = Connection::open(&site.address)?;
        let mut latest = (Instant::now(), 0);
        loop {
            let count = received.load(Ordering::SeqCst);
            if count >= events {
                return Ok(());
            }
            if latest.1 != count {
                latest = (Instant::now(), count);
            }
            ensure!(
                latest.0.elapsed() < NOTHING_FOR,
                "{count} of {events} events came, and then none for {} s",
                NOTHING_FOR.as_secs()
            );
            received.fetch_add(receive(&mut connection, &url)?, Ordering::SeqCst);
        }
    })
}

/// Receives some messages and deletes them; gives how many.
fn receive(connection: &mut Connection, url: &str) -> Result<u32> {
    let ask = json!({ "QueueUrl": url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": 1 });
    let answer = connection.aws(ACCOUNT, "AmazonSQS.ReceiveMessage", &ask)?;
    let Some(messages) = answer["Messages"].as_array().filter(|all| !all.is_empty()) else {
        return Ok(0);
    };
    let entry = |(nth, message): (usize, &Value)| json!({ "Id": nth.to_string(), "ReceiptHandle": message["ReceiptHandle"] });
    let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
    let delete = json!({ "QueueUrl": url, "Entries": entries });
    connection.aws(ACCOUNT, "AmazonSQS.DeleteMessageBatch", &delete)?;
    Ok(u32::try_from(messages.len())?)
}

fn at_the_same_time(count: usize, one: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let one = &one;
        let all: Vec<_> = (0..count).map(|nth| scope.spawn(move || one(nth))).collect();
        all.into_iter().try_for_each(|one| match one.join() {
            Ok(done) => done,
            Err(_) => bail!("a connection's thread panicked"),
        })
    })
}

struct Measured {
    events: u32,
    /// How long a start takes with an empty bus, and with the events.
    empty_start: Duration,
    start: Duration,
    more_mib: f64,
    took: Duration,
}

impl Measured {
    fn rows(&self) -> Vec<String> {
        let verdict = |is_kept: bool| if is_kept { "kept" } else { "NOT KEPT" };
        let (events, took) = (self.events, self.took.as_secs_f64());
        let (start, empty) = (self.start.as_secs_f64(), self.empty_start.as_secs_f64());
        let replay = format!("replay of {events} retained events to a drained queue");
        let start_with = format!("start with {events} retained events");
        vec![
            format!(
                "  {replay:<54}{:>8.0}/s, at its peak {:.0} MiB more than with an empty bus, at most {MORE_MIB_MAX:.0}   {}",
                f64::from(events) / took,
                self.more_mib,
                verdict(self.more_mib <= MORE_MIB_MAX)
            ),
            format!(
                "  {start_with:<54}{start:>8.2} s, {empty:.2} s with none, at most {} s more   {}",
                MORE_START_MAX.as_secs(),
                verdict(self.start <= self.empty_start + MORE_START_MAX)
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_says_whether_its_limit_is_kept() {
        let check = |more_mib, start_ms, kept: [bool; 2]| {
            let measured = Measured {
                events: 1_000,
                empty_start: Duration::from_millis(100),
                start: Duration::from_millis(start_ms),
                more_mib,
                took: Duration::from_secs(2),
            };
            let rows = measured.rows();
            assert!(rows[0].contains("500/s"), "{}", rows[0]);
            let said: Vec<bool> = rows.iter().map(|row| !row.contains("NOT KEPT")).collect();
            assert_eq!(said, kept, "{rows:?}");
        };
        check(64.0, 2_100, [true, true]);
        check(64.1, 2_101, [false, false]);
        check(-1.0, 50, [true, true]);
        check(f64::NAN, 50, [false, true]);
    }
}
