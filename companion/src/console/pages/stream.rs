//! What happens to a connection's events, as a stream of server-sent events: a line each, and word that something changed.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::caller::Admitted;
use crate::clock::rfc3339_seconds;
use crate::console::answer::Failure;
use crate::console::reads::Signed;
use crate::console::state::Console;
use crate::console::text::Shown;
use crate::routes::Routes;
use crate::store::{Happening, What};

/// How often an idle stream says that it is there, once its session was looked at.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Routes<Console> {
    Routes::new().get("/integrations/{id}/stream", open)
}

#[derive(Template)]
#[template(path = "console/happening.html")]
struct Line {
    at: String,
    class: &'static str,
    word: &'static str,
    text: Shown,
}

/// A stream under way.
struct Watch {
    console: Console,
    session: String,
    connection: String,
    feed: Receiver<Happening>,
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    // Before the page is read again: nothing between the two is missed.
    let feed = console.app().store.watch();
    let row = console.connection(&signed, &id).await?;
    let watch = Watch {
        console,
        session: signed.session,
        connection: row.id.to_string(),
        feed,
    };
    let changes = stream::unfold(watch, |mut watch| async {
        let events = watch.next().await?;
        Some((events, watch))
    });
    let first = stream::iter([Ok::<_, Infallible>(changed())]);
    let events = first.chain(changes.flat_map(|events| stream::iter(events.into_iter().map(Ok))));
    Ok(Sse::new(events).into_response())
}

/// Has the page load again what it shows of the connection. Browsers drop an event without data.
fn changed() -> Event {
    Event::default().event("change").data("now")
}

impl Watch {
    /// What happens next; none once the console stops or the session has ended.
    async fn next(&mut self) -> Option<Vec<Event>> {
        let idle_until = Instant::now() + KEEP_ALIVE;
        loop {
            let received = tokio::select! {
                () = self.console.stopped() => return None,
                received = tokio::time::timeout_at(idle_until, self.feed.recv()) => received,
            };
            if matches!(&received, Ok(Ok(happening)) if happening.connection != self.connection) {
                continue;
            }
            self.admit().await?;
            let Ok(received) = received else {
                return Some(vec![Event::default().comment("")]);
            };
            let line = match received {
                Ok(happening) => line(happening.what),
                Err(RecvError::Lagged(left_out)) => Some(("wait", "left out", format!("{left_out} lines"))),
                Err(RecvError::Closed) => return None,
            };
            let shown = line.and_then(|(class, word, text)| {
                let line = Line {
                    at: rfc3339_seconds(self.console.app().clock.wall_ms()),
                    class,
                    word,
                    text: Shown::new(text),
                };
                line.render().ok()
            });
            let shown = shown.map(|line| Event::default().event("happening").data(line.trim()));
            return Some(shown.into_iter().chain([changed()]).collect());
        }
    }

    /// Nothing once the session has ended, or its token or account does not admit any more.
    async fn admit(&self) -> Option<()> {
        let token = self.console.sessions().token(&self.session, Instant::now())?;
        let admitted = self.console.app().admit(token.reveal(), None, "").await;
        matches!(admitted, Ok(Ok(Admitted::Caller(_)))).then_some(())
    }
}

/// How a line is marked, its word, and what it says; none where the page alone shows it.
fn line(what: What) -> Option<(&'static str, &'static str, String)> {
    let named = |event_id: String, detail_type: String| format!("{detail_type} {event_id}");
    Some(match what {
        What::Accepted {
            event_id,
            detail_type,
        } => ("wait", "accepted", named(event_id, detail_type)),
        What::Delivered {
            event_id,
            detail_type,
            ..
        } => ("ok", "delivered", named(event_id, detail_type)),
        What::Retried { event_id, error } => ("wait", "retried", format!("{event_id}: {error}")),
        What::Failed { event_id, error } => ("bad", "failed", format!("{event_id}: {error}")),
        What::Dropped { events, why, .. } => ("bad", "dropped", format!("{events}: {why}")),
        What::Purged { events } => ("wait", "purged", format!("{events} failed")),
        What::Status => return None,
    })
}
