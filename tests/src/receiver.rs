//! A third party's HTTP endpoint: it keeps what it gets, and fails as often as it is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

use crate::runtime::{block_on, spawn};

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; a text, where it is no JSON.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Held {
    received: Vec<Received>,
    failures: usize,
}

/// A running endpoint.
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    held: Arc<Mutex<Held>>,
}

impl Receiver {
    /// Listens; its first requests fail, so many of them.
    ///
    /// # Errors
    /// When no port is free.
    pub fn failing(failures: usize) -> Result<Self> {
        let held = Held {
            failures,
            ..Held::default()
        };
        let held = Arc::new(Mutex::new(held));
        let listener = block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(receive).with_state(Arc::clone(&held));
        spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, held })
    }

    /// Has the next requests fail.
    pub fn fail(&self, failures: usize) {
        lock(&self.held).failures = failures;
    }

    /// The requests that did not fail, in the order in which they came.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.held).received.clone()
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(
    State(held): State<Arc<Mutex<Held>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut held = lock(&held);
    if held.failures > 0 {
        held.failures -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    held.received.push(Received {
        method: method.to_string(),
        path: uri.to_string(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::String(text)),
    });
    StatusCode::OK
}
