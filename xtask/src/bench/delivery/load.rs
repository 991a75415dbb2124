//! What is sent: events of 1 KB, as NDJSON bodies of 100 by clients at a time, or one by one. Requests are written before the clock
//! starts.

use std::time::Duration;
use std::time::Instant;

use anyhow::{Result, bail};
use serde_json::json;

use super::service::Service;
use crate::bench::http::{self, Connection};

/// Events of one body.
pub(super) const LINES: usize = 100;
/// Clients at a time.
pub(super) const CLIENTS: usize = 64;
/// Workspaces of an account: each is a lane of each of its connections.
const WORKSPACES: usize = 20;
/// Length of an event's JSON.
const EVENT_BYTES: usize = 1_000;
const PATH: &str = "/events/v1/run-executed";

/// The event of a run, padded to its length.
fn event(run: &str, workspace: usize) -> String {
    let made = |title: &str| {
        let event = json!({
            "run-id": run, "source": "api", "is-dry": true, "is-destroy": false, "is-agent": false, "is-postponed": false,
            "result": "planned_and_finished", "duration": 1.0, "account": "bench", "workspace": format!("w{workspace}"),
            "environment": "development", "user-email": "user@example.com",
        });
        json!({ "title": title, "tags": [], "event_type": "success", "event": event }).to_string()
    };
    let bare = made("");
    made(&"t".repeat(EVENT_BYTES.saturating_sub(bare.len())))
}

/// The body of this number: its events are spread over the workspaces.
fn body(number: usize) -> String {
    let lines = (0..LINES).map(|at| event(&format!("run-{number}-{at}"), at % WORKSPACES));
    lines.collect::<Vec<_>>().join("\n")
}

/// Sends so many bodies, in turn to each account; how long that took.
pub(super) fn send(service: &Service, bodies: usize) -> Result<Duration> {
    let accounts = service.tokens.len();
    let requests: Vec<Vec<u8>> = (0..bodies)
        .map(|number| {
            let token = &service.tokens[number % accounts];
            let kind = "application/x-ndjson";
            http::with_body(&service.host, token, ("POST", PATH), kind, &body(number))
        })
        .collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let share = bodies.div_ceil(CLIENTS).max(1);
        let clients: Vec<_> = requests
            .chunks(share)
            .map(|share| {
                scope.spawn(move || {
                    let mut scalr = Connection::open(&service.host)?;
                    share.iter().try_for_each(|request| scalr.ok(request).map(drop))
                })
            })
            .collect();
        clients.into_iter().try_for_each(|client| match client.join() {
            Ok(done) => done,
            Err(_) => bail!("a client's thread panicked"),
        })
    })?;
    Ok(begun.elapsed())
}

/// Sends so many events of the first account, one after the other; how long that took.
pub(super) fn send_one_by_one(service: &Service, events: usize) -> Result<Duration> {
    let kind = "application/json";
    let requests: Vec<Vec<u8>> = (0..events)
        .map(|at| {
            let event = event(&format!("run-single-{at}"), at % WORKSPACES);
            http::with_body(&service.host, &service.tokens[0], ("POST", PATH), kind, &event)
        })
        .collect();
    let mut scalr = Connection::open(&service.host)?;
    let begun = Instant::now();
    for request in &requests {
        scalr.ok(request)?;
    }
    Ok(begun.elapsed())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{LINES, body, event};

    #[test]
    fn events_have_their_length_and_a_body_has_every_workspace() {
        assert_eq!(event("run-1", 3).len(), 1_000);
        let body = body(7);
        let of = |line: &str| serde_json::from_str::<Value>(line).unwrap()["event"].take();
        let events: Vec<Value> = body.lines().map(of).collect();
        assert_eq!(events.len(), LINES);
        assert_eq!(
            (&events[0]["run-id"], &events[19]["workspace"]),
            (&"run-7-0".into(), &"w19".into())
        );
    }
}
