//! What is sent: events of 1 KB, as NDJSON bodies of 100 by clients at a time, or one by one. Requests are written before the clock
//! starts.

use std::time::Duration;
use std::time::Instant;

use anyhow::{Result, bail};

use super::service::Service;
use crate::service::events;
use crate::service::http::{self, Connection};

/// Events of one body.
pub(super) const LINES: usize = 100;
/// Clients at a time.
pub(super) const CLIENTS: usize = 64;
/// Workspaces of an account: each is a lane of each of its connections.
const WORKSPACES: usize = 20;

fn event(run: &str, at: usize) -> String {
    events::run_executed(run, &format!("w{}", at % WORKSPACES))
}

/// The body of this number: its events are spread over the workspaces.
fn body(number: usize) -> String {
    let lines = (0..LINES).map(|at| event(&format!("run-{number}-{at}"), at));
    lines.collect::<Vec<_>>().join("\n")
}

/// Sends so many bodies, in turn to each account; how long that took.
pub(super) fn send(service: &Service, bodies: usize) -> Result<Duration> {
    let accounts = service.tokens.len();
    let requests: Vec<Vec<u8>> = (0..bodies)
        .map(|number| {
            let token = &service.tokens[number % accounts];
            let request = ("POST", events::RUN_EXECUTED);
            http::with_body(&service.host, token, request, events::LINES, &body(number))
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
    let requests: Vec<Vec<u8>> = (0..events)
        .map(|at| {
            let event = event(&format!("run-single-{at}"), at);
            let request = ("POST", events::RUN_EXECUTED);
            http::with_body(&service.host, &service.tokens[0], request, events::ONE, &event)
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

    use super::{LINES, body};

    #[test]
    fn a_body_has_every_workspace() {
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
