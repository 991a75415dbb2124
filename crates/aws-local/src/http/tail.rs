//! StartLiveTail's answer: an event stream that stays open.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use flate2::Crc;
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, interval};

use super::edge::Edge;
use super::reply::respond;
use crate::fault::Fault;
use crate::ops::Tail;

/// AWS's quota of sessions at a time.
pub(super) const SESSIONS_MAX: usize = 15;
/// An update comes each second, empty or not, as with AWS.
const UPDATE_EVERY: Duration = Duration::from_secs(1);
/// How long a session lasts.
const SESSION_LASTS: Duration = Duration::from_hours(3);

/// Starts the session, and gives the answer that it goes on in.
pub(super) fn answer(edge: &Arc<Edge>, tail: Tail) -> Result<Response, Fault> {
    let slot = Arc::clone(&edge.tails).try_acquire_owned();
    let slot =
        slot.map_err(|_| Fault::limit("The number of concurrent live tail sessions is at its limit."))?;
    let (frames, body) = mpsc::channel(1);
    tokio::spawn(run(Arc::clone(edge), tail, frames, slot));
    let headers = [("content-type", "application/vnd.amazon.eventstream")];
    Ok(respond(200, &headers, Body::new(Frames(body))))
}

/// Sends updates until the client is gone or the session's time is over.
async fn run(edge: Arc<Edge>, mut tail: Tail, frames: mpsc::Sender<Bytes>, _slot: OwnedSemaphorePermit) {
    let end = Instant::now() + SESSION_LASTS;
    let begin = [
        event("event", "initial-response", &serde_json::json!({})),
        event("event", "sessionStart", &tail),
    ];
    if frames.send(begin.concat().into()).await.is_err() {
        return;
    }
    let mut beat = interval(UPDATE_EVERY);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = frames.closed() => return,
        }
        if Instant::now() >= end {
            let why = serde_json::json!({ "message": "The session has lasted for three hours." });
            let _ = frames
                .send(event("exception", "SessionTimeoutException", &why).into())
                .await;
            return;
        }
        let Ok(update) = edge.engine.look(|world| tail.update(world)).await else {
            continue;
        };
        if frames
            .send(event("event", "sessionUpdate", &update).into())
            .await
            .is_err()
        {
            return;
        }
    }
}

/// One message of an event stream: lengths, a checksum of them, headers, payload, a checksum of all.
fn event(message_type: &str, name: &str, payload: &impl Serialize) -> Vec<u8> {
    let kind = if message_type == "exception" {
        ":exception-type"
    } else {
        ":event-type"
    };
    let mut headers = Vec::new();
    for (name, value) in [
        (":message-type", message_type),
        (kind, name),
        (":content-type", "application/json"),
    ] {
        // Names and values are ours, and short.
        headers.push(u8::try_from(name.len()).unwrap_or_default());
        headers.extend(name.as_bytes());
        headers.push(TEXT);
        headers.extend(u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    // A payload is plain data with text keys: it always serialises.
    let payload = serde_json::to_vec(payload).unwrap_or_default();
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = Vec::new();
    out.extend(length(FRAME_BYTES + headers.len() + payload.len()));
    out.extend(length(headers.len()));
    out.extend(checksum(&out));
    out.extend(headers);
    out.extend(payload);
    out.extend(checksum(&out));
    out
}

/// The type of a header's value that is text.
const TEXT: u8 = 7;
/// What a message has besides headers and payload: two lengths and two checksums.
const FRAME_BYTES: usize = 16;

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

/// A body whose pieces come one by one.
struct Frames(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.0.poll_recv(context);
        next.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
