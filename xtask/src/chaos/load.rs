//! A client: it sends bodies until each is answered, and notes what it was promised.

use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::plan::Body;
use super::verdict::Promise;
use crate::service::events;
use crate::service::http::{self, Connection};

/// A body that is not accepted by then is stuck.
const ACCEPTED_WITHIN: Duration = Duration::from_mins(1);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// One client of an account.
pub(super) struct Client {
    account: usize,
    token: String,
    host: String,
    connection: Option<Connection>,
    pub(super) promises: Vec<Promise>,
    /// Tries that got no answer.
    pub(super) unanswered: usize,
}

/// What all clients share.
pub(super) struct Shared {
    /// When the clock of the notes began.
    begun: Instant,
    /// Requests that were written.
    pub(super) sent: AtomicU64,
    /// Bodies so far.
    bodies: AtomicU64,
    /// Where each answer is noted too.
    notes: Option<File>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            sent: AtomicU64::new(0),
            bodies: AtomicU64::new(0),
            notes: None,
        }
    }

    /// The same, with each answer noted at the end of this file, by one write.
    pub(super) fn with_notes(notes: File) -> Self {
        Self {
            notes: Some(notes),
            ..Self::new()
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// What is noted for the body of this number: a record in the form of tests/power_loss/recorder.c.
pub(super) fn note(body: usize) -> String {
    format!("N 0 {body} 0 0\n\n")
}

/// Sends the bodies of each client, all clients at a time.
pub(super) fn send_all(clients: &mut [Client], bodies: &[Vec<Body>], shared: &Shared) -> Result<()> {
    while_sending(clients, bodies, shared, || Ok(()))
}

/// The same, while something else is done.
pub(super) fn while_sending(
    clients: &mut [Client],
    bodies: &[Vec<Body>],
    shared: &Shared,
    other: impl FnOnce() -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let each = clients.iter_mut().zip(bodies);
        let clients: Vec<_> = each
            .map(|(client, bodies)| scope.spawn(move || client.send(bodies, shared)))
            .collect();
        let done = other();
        for client in clients {
            match client.join() {
                Ok(done) => done?,
                Err(_) => bail!("a client's thread panicked"),
            }
        }
        done
    })
}

impl Client {
    pub(super) fn new(account: usize, token: String, host: String) -> Self {
        Self {
            account,
            token,
            host,
            connection: None,
            promises: vec![],
            unanswered: 0,
        }
    }

    /// Sends these, one after the other.
    fn send(&mut self, bodies: &[Body], shared: &Shared) -> Result<()> {
        bodies.iter().try_for_each(|body| self.send_one(body, shared))
    }

    fn send_one(&mut self, body: &Body, shared: &Shared) -> Result<()> {
        let request = self.request(body);
        let sent_us = shared.now_us();
        let begun = Instant::now();
        let answer = loop {
            match self.attempt(&request, shared) {
                Ok((202, answer)) => break answer,
                // It is to be repeated: too many calls, or the database failed.
                Ok((429 | 503, _)) => {}
                Ok((status, answer)) => bail!("status {status}: {}", String::from_utf8_lossy(&answer)),
                Err(_) => {
                    self.connection = None;
                    self.unanswered += 1;
                }
            }
            if begun.elapsed() > ACCEPTED_WITHIN {
                let first = body.events.first().map_or("", |event| &event.id);
                bail!("the body of `{first}` was not accepted within {ACCEPTED_WITHIN:?}");
            }
            std::thread::sleep(PAUSE);
        };
        let answered_us = shared.now_us();
        let number = usize::try_from(shared.bodies.fetch_add(1, Ordering::SeqCst))?;
        if let Some(mut notes) = shared.notes.as_ref() {
            notes.write_all(note(number).as_bytes())?;
        }
        let answer: Value = serde_json::from_slice(&answer)?;
        for (line, event) in body.events.iter().enumerate() {
            let said = &answer["events"][line];
            let is_it = said["event-id"] == event.id.as_str();
            let deliveries = said["deliveries"].as_u64().filter(|_| is_it);
            self.promises.push(Promise {
                account: self.account,
                is_audit: body.is_audit,
                id: event.id.clone(),
                lane: event.lane.clone(),
                body: number,
                line,
                sent_us,
                answered_us,
                deliveries: deliveries.with_context(|| format!("no `{}` in {answer}", event.id))?,
            });
        }
        Ok(())
    }

    fn attempt(&mut self, request: &[u8], shared: &Shared) -> Result<(u16, Vec<u8>)> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.host)?,
        };
        let answer = connection.ask(request, || {
            shared.sent.fetch_add(1, Ordering::SeqCst);
        })?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn request(&self, body: &Body) -> Vec<u8> {
        let texts = body.events.iter().map(|event| {
            if body.is_audit {
                events::audit_log(&event.id)
            } else {
                events::run_executed(&event.id, &event.lane)
            }
        });
        let text = texts.collect::<Vec<_>>().join("\n");
        let path = if body.is_audit {
            events::AUDIT_LOGS
        } else {
            events::RUN_EXECUTED
        };
        let kind = if body.events.len() > 1 {
            events::LINES
        } else {
            events::ONE
        };
        http::with_body(&self.host, &self.token, ("POST", path), kind, &text)
    }
}
