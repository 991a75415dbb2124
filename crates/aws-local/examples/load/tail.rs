//! Reads a log group as it fills.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Failure;
use crate::aws::{Aws, CUSTOMER};
use crate::work::Ready;

/// How far back each look goes, where events may be stored out of the order of their times.
const OVERLAP_MS: i64 = 5;

/// What was found since it began.
pub(crate) struct Tail {
    log_group: String,
    /// Events of lower numbers were put before.
    first: u64,
    /// Where the next look begins.
    from: i64,
    /// The copies that were found, by the ids that the log group gives them.
    ids: HashSet<String>,
    /// When an event was found, by its number.
    first_seen: HashMap<u64, Instant>,
    looks: u64,
}

impl Tail {
    /// Events that are put from now on.
    pub(crate) fn begin(ready: &Ready) -> Self {
        Self {
            log_group: ready.log_group.clone(),
            first: ready.next.load(Ordering::Relaxed),
            from: now(),
            ids: HashSet::new(),
            first_seen: HashMap::new(),
            looks: 0,
        }
    }

    pub(crate) fn copies(&self) -> u64 {
        self.ids.len() as u64
    }

    pub(crate) fn looks(&self) -> u64 {
        self.looks
    }

    pub(crate) fn first_seen(&self) -> impl Iterator<Item = (u64, Instant)> {
        self.first_seen.iter().map(|(number, at)| (*number, *at))
    }

    /// Reads all that is there now, page by page.
    pub(crate) async fn look(&mut self, aws: &Aws) -> Result<(), Failure> {
        let (mut token, mut newest) = (Value::Null, self.from);
        self.looks += 1;
        loop {
            let mut ask = json!({ "logGroupName": self.log_group, "startTime": self.from });
            if !token.is_null() {
                ask["nextToken"] = token;
            }
            let mut page = aws.call(CUSTOMER, "logs.FilterLogEvents", &ask).await?;
            let found = Instant::now();
            for event in page["events"].as_array().into_iter().flatten() {
                newest = newest.max(event["timestamp"].as_i64().unwrap_or(0) - OVERLAP_MS);
                self.take(event, found);
            }
            token = page["nextToken"].take();
            if token.is_null() {
                self.from = newest;
                return Ok(());
            }
        }
    }

    fn take(&mut self, event: &Value, found: Instant) {
        let number = event["message"].as_str().and_then(number_of);
        let id = event["eventId"].as_str();
        if let (Some(number), Some(id)) = (number.filter(|number| *number >= self.first), id) {
            self.ids.insert(format!("{id} {}", event["logStreamName"]));
            self.first_seen.entry(number).or_insert(found);
        }
    }
}

/// The event's own number, however the server spaces its JSON.
fn number_of(message: &str) -> Option<u64> {
    let (_, after) = message.split_once("\"number\":")?;
    let digits = after.trim_start();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
