//! `tail`: page by page, stopped at any time, and with `--follow` each event once, however late it arrives.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use serde_json::{Value, json};
use tokio::io::{BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Notify;

use crate::companion::PROGRAM;
use crate::{PATIENCE, process};

const EVENTS_A_PAGE: usize = 2;

/// A log group in this process, page by page.
#[derive(Clone, Default)]
struct Group {
    events: Arc<Mutex<Vec<Value>>>,
    /// Pages from this one on are never answered.
    hangs_from: Option<usize>,
    /// Notified when such a page is requested.
    hanging: Arc<Notify>,
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis().try_into().unwrap()
}

impl Group {
    /// Ingests an event that happened so many minutes ago.
    fn happened(&self, id: &str, minutes_ago: u64) {
        let mut events = self.events.lock().unwrap();
        events.push(json!({
            "eventId": id, "message": id, "logStreamName": "s",
            "timestamp": now_ms() - minutes_ago * 60_000, "ingestionTime": now_ms(),
        }));
        events.sort_by_key(|event| event["timestamp"].as_u64());
    }

    fn page(&self, request: &Value) -> Option<Value> {
        let at: usize = request["nextToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        if self.hangs_from.is_some_and(|from| at / EVENTS_A_PAGE >= from) {
            return None;
        }
        let from = request["startTime"].as_u64().unwrap_or_default();
        let events = self.events.lock().unwrap();
        let found = events
            .iter()
            .filter(|event| event["timestamp"].as_u64() >= Some(from));
        let found: Vec<&Value> = found.skip(at).collect();
        let next = (found.len() > EVENTS_A_PAGE).then(|| (at + EVENTS_A_PAGE).to_string());
        let page: Vec<_> = found.into_iter().take(EVENTS_A_PAGE).collect();
        Some(json!({ "events": page, "nextToken": next }))
    }

    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        endpoint
    }
}

async fn answer(State(group): State<Group>, body: String) -> String {
    if let Some(page) = group.page(&serde_json::from_str(&body).unwrap()) {
        return page.to_string();
    }
    group.hanging.notify_one();
    std::future::pending().await
}

/// `tail` on that group, with what it prints.
fn tail(endpoint: &str, args: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(PROGRAM)
        .args(["tail", "/g", "--json", "--aws-endpoint", endpoint])
        .args(args)
        .env_remove("AWS_ACCESS_KEY_ID")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = process::lines(&mut child);
    (child, lines)
}

/// The next line, within the time limit.
async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    line.expect("a line in time").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_printed_at_once_and_a_stop_ends_the_wait_for_the_next() {
    let group = Group {
        hangs_from: Some(1),
        ..Group::default()
    };
    for id in ["a", "b", "c"] {
        group.happened(id, 1);
    }
    let (mut child, mut lines) = tail(&group.start().await, &[]);
    assert_eq!(next(&mut lines).await.as_deref(), Some("a"));
    assert_eq!(next(&mut lines).await.as_deref(), Some("b"));
    group.hanging.notified().await;
    assert!(process::terminate(&mut child).await);
    assert_eq!(next(&mut lines).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_arrives_late_is_printed_once() {
    let group = Group::default();
    for id in ["a", "b", "c"] {
        group.happened(id, 0);
    }
    let (mut child, mut lines) = tail(&group.start().await, &["--follow"]);
    for id in ["a", "b", "c"] {
        assert_eq!(next(&mut lines).await.as_deref(), Some(id));
    }
    // It was held for hours, so its time is long past.
    group.happened("late", 180);
    assert_eq!(next(&mut lines).await.as_deref(), Some("late"));
    group.happened("d", 0);
    assert_eq!(next(&mut lines).await.as_deref(), Some("d"));
    assert!(process::terminate(&mut child).await);
    assert_eq!(next(&mut lines).await, None, "nothing is printed twice");
}
