//! What a fault makes of an answer.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::{Effect, Hit, HttpError};

/// What an oversized body is filled with: blanks, which JSON and XML may end in.
static BLANKS: [u8; 64 * 1024] = [b' '; 64 * 1024];

/// The answer is that the connection ends.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is cut by a fault that was asked for")]
pub struct Cut;

/// Passes an answer on to the connection, which ends without one where a fault says so.
pub fn deliver(answer: Result<Response, Infallible>) -> Result<Response, Cut> {
    let Ok(answer) = answer;
    match answer.extensions().get::<Cut>() {
        Some(cut) => Err(*cut),
        None => Ok(answer),
    }
}

impl Hit {
    /// Whether the request is carried out before the fault.
    pub fn is_carried_out(&self) -> bool {
        self.carried_out
    }

    /// The error to answer with, if that is the fault: the server writes it in its own form.
    pub fn error(&self) -> Option<&HttpError> {
        match &self.effect {
            Effect::Error(error) => Some(error),
            _ => None,
        }
    }

    /// Waits as long as the fault says, and makes of the answer what it says.
    pub async fn spoil(self, answer: Response) -> Response {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.effect {
            Effect::Error(_) | Effect::Slow => answer,
            Effect::Cut => cut(),
            Effect::Empty => with_body(answer, Body::empty()),
            Effect::WrongJson { body } => with_body(answer, Body::from(body)),
            Effect::Oversized { size_bytes } => oversized(answer, size_bytes).await,
            Effect::Truncated { size_bytes } => truncated(answer, size_bytes).await,
        }
    }
}

fn cut() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Cut);
    response
}

/// A 200 with another body.
fn with_body(answer: Response, body: Body) -> Response {
    let (mut head, _) = answer.into_parts();
    head.status = StatusCode::OK;
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, body)
}

async fn oversized(answer: Response, size_bytes: u64) -> Response {
    let (mut head, body) = answer.into_parts();
    if is_endless(&body) {
        return Response::from_parts(head, body);
    }
    let Ok(start) = to_bytes(body, usize::MAX).await else {
        return cut();
    };
    head.headers.remove(CONTENT_LENGTH);
    let blanks = size_bytes.saturating_sub(len(&start));
    let length = len(&start) + blanks;
    let body = Spoilt {
        start: Some(start),
        blanks,
        length,
        flushed: false,
    };
    Response::from_parts(head, Body::new(body))
}

/// The head says how long the body is, and the connection ends before that. A body without bytes cannot be truncated.
async fn truncated(answer: Response, size_bytes: Option<u64>) -> Response {
    let (mut head, body) = answer.into_parts();
    if is_endless(&body) {
        return cut();
    }
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return cut();
    };
    let Some(longest) = whole.len().checked_sub(1) else {
        return cut();
    };
    let wanted = size_bytes.map_or(whole.len() / 2, |size| usize::try_from(size).unwrap_or(longest));
    head.headers.remove(CONTENT_LENGTH);
    let body = Spoilt {
        start: Some(whole.slice(..wanted.min(longest))),
        blanks: 0,
        length: len(&whole),
        flushed: false,
    };
    Response::from_parts(head, Body::new(body))
}

/// Whether it is an event stream, which has no size to change.
fn is_endless(body: &Body) -> bool {
    hyper::body::Body::size_hint(body).exact().is_none()
}

fn len(bytes: &Bytes) -> u64 {
    bytes.len() as u64
}

/// A body of a given length: its start, then blanks; an error where it ends before its length.
struct Spoilt {
    start: Option<Bytes>,
    blanks: u64,
    /// What is still to come, as the head has said.
    length: u64,
    /// The connection has had its turn to write what came so far: an error would drop it.
    flushed: bool,
}

impl hyper::body::Body for Spoilt {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(start) = self.start.take().filter(|start| !start.is_empty()) {
            self.length -= len(&start);
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        if self.blanks > 0 {
            let count = self.blanks.min(BLANKS.len() as u64);
            self.blanks -= count;
            self.length -= count;
            let chunk = usize::try_from(count).unwrap_or(BLANKS.len());
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&BLANKS[..chunk])))));
        }
        if self.length > 0 && !self.flushed {
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready((self.length > 0).then(|| Err(io::Error::other(Cut))))
    }

    fn is_end_stream(&self) -> bool {
        self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
