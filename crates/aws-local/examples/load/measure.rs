//! Puts events and finds them again in the log group.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Failure;
use crate::aws::Aws;
use crate::tail::Tail;
use crate::work::Ready;

const CONNECTIONS: usize = 4;
/// As many entries as one PutEvents takes.
const BATCH: u64 = 10;
/// At the pace so many events a second are found in the log group, however often it has each of them.
const PACED_FOUND_PER_SECOND: u64 = 2_000;
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Nothing new for so long: what is missing does not come.
const STALLED: Duration = Duration::from_secs(5);

/// The three measurements of one work: as fast as it goes, at a pace, and one event after the other.
pub(crate) async fn run(aws: &Aws, ready: &Arc<Ready>, lasting: Duration) -> Result<Value, Failure> {
    let flood = put_all(aws, ready, lasting, Rate::FLOOD).await?;
    let paced = put_all(aws, ready, lasting, Rate::paced(ready.copies)).await?;
    let single = one_by_one(aws, ready, lasting).await?;
    let (p50, p99) = (percentile(&single, 50), percentile(&single, 99));
    Ok(json!({
        "work": ready.name,
        "bus": ready.bus,
        "flood": flood,
        "paced": paced,
        "single": { "events": single.len(), "p50_ms": p50, "p99_ms": p99 },
    }))
}

/// Whether one event is found in the log group in time.
pub(crate) async fn arrives(aws: &Aws, ready: &Ready, within: Duration) -> Result<bool, Failure> {
    let mut tail = Tail::begin(ready);
    let number = ready.next.fetch_add(1, Ordering::Relaxed);
    let (account, operation, body) = ready.put(number..number + 1);
    aws.call(account, operation, &body).await?;
    let until = Instant::now() + within;
    while tail.copies() == 0 && Instant::now() < until {
        tail.look(aws).await?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(tail.copies() > 0)
}

/// How events are put: so many at once, as fast as it goes or one batch in each interval.
#[derive(Clone, Copy)]
struct Rate {
    batch: u64,
    interval: Option<Duration>,
}

impl Rate {
    const FLOOD: Self = Self {
        batch: BATCH,
        interval: None,
    };

    /// An event that 100 rules match is 100 to read: 2,000 such events a second are 250 MB, and what would be measured
    /// is the reader.
    fn paced(copies: u64) -> Self {
        let batch = (BATCH / copies).max(1);
        let batches = PACED_FOUND_PER_SECOND / (batch * copies);
        Self {
            batch,
            interval: Some(Duration::from_secs(1) / u32::try_from(batches).unwrap_or(u32::MAX)),
        }
    }

    /// When the batch that begins with the event of this place is due.
    fn due(self, place: u64) -> Duration {
        self.interval.map_or(Duration::ZERO, |interval| {
            interval * u32::try_from(place / self.batch).unwrap_or(u32::MAX)
        })
    }
}

/// What the connections share.
#[derive(Default)]
struct Shared {
    /// The number of the first event.
    first: u64,
    accepted: AtomicU64,
    refused: AtomicU64,
    /// When the put that holds an event began.
    begun: Mutex<HashMap<u64, Instant>>,
}

impl Shared {
    fn begin(&self, numbers: std::ops::Range<u64>) {
        let now = Instant::now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.extend(numbers.map(|number| (number, now)));
    }
}

/// Puts batches over some connections for a while. At a pace the log group is read meanwhile, which tells how long
/// each event took; else it is read afterwards.
async fn put_all(aws: &Aws, ready: &Arc<Ready>, lasting: Duration, rate: Rate) -> Result<Value, Failure> {
    let shared = Arc::new(Shared {
        first: ready.next.load(Ordering::Relaxed),
        ..Shared::default()
    });
    let start = Instant::now();
    let mut tail = Tail::begin(ready);
    let mut putters = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (aws, ready, shared) = (aws.clone(), Arc::clone(ready), Arc::clone(&shared));
        putters.spawn(async move { put(&aws, &ready, &shared, start, lasting, rate).await });
    }
    while rate.interval.is_some() && start.elapsed() < lasting {
        tail.look(aws).await?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    while let Some(done) = putters.join_next().await {
        done??;
    }
    let putting = start.elapsed();
    let accepted = shared.accepted.load(Ordering::Relaxed);
    let mut progress = (tail.copies(), Instant::now());
    while tail.copies() < accepted * ready.copies && progress.1.elapsed() < STALLED {
        tail.look(aws).await?;
        if tail.copies() > progress.0 {
            progress = (tail.copies(), Instant::now());
        }
    }
    // What is there at the first look after the last put was there when that was answered.
    let delivering = if rate.interval.is_none() && tail.looks() > 1 {
        start.elapsed()
    } else {
        putting
    };
    let waits = if rate.interval.is_some() {
        waits(&shared, &tail)
    } else {
        Vec::new()
    };
    Ok(json!({
        "accepted": accepted,
        "expected": accepted * ready.copies,
        "refused": shared.refused.load(Ordering::Relaxed),
        "delivered": tail.copies(),
        "accepted_per_second": per_second(accepted, putting),
        "delivered_per_second": per_second(tail.copies(), delivering),
        "p50_ms": percentile(&waits, 50),
        "p99_ms": percentile(&waits, 99),
    }))
}

/// One connection: a batch after the other, each at its time if there is a pace.
async fn put(
    aws: &Aws,
    ready: &Ready,
    shared: &Shared,
    start: Instant,
    lasting: Duration,
    rate: Rate,
) -> Result<(), Failure> {
    loop {
        let first = ready.next.fetch_add(rate.batch, Ordering::Relaxed);
        let due = rate.due(first - shared.first);
        if due.max(start.elapsed()) >= lasting {
            return Ok(());
        }
        tokio::time::sleep(due.saturating_sub(start.elapsed())).await;
        let (account, operation, body) = ready.put(first..first + rate.batch);
        shared.begin(first..first + rate.batch);
        let answer = aws.call(account, operation, &body).await?;
        let refused = answer["FailedEntryCount"].as_u64().unwrap_or(0).min(rate.batch);
        shared.refused.fetch_add(refused, Ordering::Relaxed);
        shared.accepted.fetch_add(rate.batch - refused, Ordering::Relaxed);
    }
}

/// Milliseconds from put to found, in order.
fn waits(shared: &Shared, tail: &Tail) -> Vec<f64> {
    let begun = shared.begun.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = |(number, at): (u64, Instant)| Some(millis(at.duration_since(*begun.get(&number)?)));
    let mut waits: Vec<f64> = tail.first_seen().filter_map(wait).collect();
    waits.sort_by(f64::total_cmp);
    waits
}

/// Puts an event, reads the log group until it is there, and puts the next.
async fn one_by_one(aws: &Aws, ready: &Ready, lasting: Duration) -> Result<Vec<f64>, Failure> {
    let (start, mut waits) = (Instant::now(), Vec::new());
    let mut tail = Tail::begin(ready);
    while start.elapsed() < lasting {
        let number = ready.next.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let (account, operation, body) = ready.put(number..number + 1);
        aws.call(account, operation, &body).await?;
        let wanted = tail.copies() + ready.copies;
        while tail.copies() < wanted {
            if begun.elapsed() > STALLED {
                return Err(format!("{}: event {number} does not arrive", ready.name).into());
            }
            tail.look(aws).await?;
        }
        waits.push(millis(begun.elapsed()));
    }
    waits.sort_by(f64::total_cmp);
    Ok(waits)
}

fn per_second(count: u64, time: Duration) -> u64 {
    let nanos = time.as_nanos().max(1);
    u64::try_from(u128::from(count) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
}
