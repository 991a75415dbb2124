//! Answers whose connection is not idle until their bodies are out.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::{Guest, Working};

impl Guest {
    /// Answers a request of this connection.
    pub async fn answering<E>(
        self,
        answer: impl Future<Output = Result<Response, E>>,
    ) -> Result<Response, E> {
        let working = self.working();
        let answer = answer.await?;
        Ok(answer.map(|body| {
            Body::new(Answering {
                body,
                _working: working,
            })
        }))
    }
}

/// A body, and what says that it is not out yet.
struct Answering {
    body: Body,
    _working: Working,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
