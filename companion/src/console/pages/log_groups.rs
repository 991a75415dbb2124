//! AWS: log groups, and the newest events in one.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::Value;

use super::sources::{Named, frame};
use crate::clock::rfc3339_seconds;
use crate::console::answer::{Failure, Frame, html};
use crate::console::groups::LogEvent;
use crate::console::links;
use crate::console::reads::Signed;
use crate::console::state::Console;
use crate::console::terraform::{Hcl, log_group_link};
use crate::console::text::Shown;
use crate::routes::Routes;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/aws/{account}/{region}/log-groups", list)
        .get("/aws/{account}/{region}/log-group", open)
        .get("/aws/{account}/{region}/log-group/events", events)
}

#[derive(Template)]
#[template(path = "console/log_groups.html")]
struct ListPage {
    frame: Frame,
    account: String,
    region: String,
    aws: String,
    rows: Vec<(String, Shown)>,
    has_more: bool,
    hcl: Hcl,
}

async fn list(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let (names, has_more) = at.place.log_groups().await?;
    Ok(html(&ListPage {
        frame: frame(&console, "log-groups", &at),
        account,
        region,
        rows: names
            .iter()
            .map(|name| (log_group_link(&at.base, name), Shown::new(name)))
            .collect(),
        has_more,
        hcl: console.hcl_of_place(&signed, &at.place, None).await?,
        aws: at.base,
    }))
}

#[derive(Template)]
#[template(path = "console/log_group.html")]
struct Page {
    frame: Frame,
    account: String,
    region: String,
    aws: String,
    name: Shown,
    link: String,
    events: Events,
    hcl: Hcl,
}

/// The part that is loaded again and again.
#[derive(Template)]
#[template(path = "console/log_events.html")]
struct Events {
    events_link: String,
    events: Vec<Event>,
}

struct Event {
    at: String,
    title: Shown,
    text: Shown,
}

impl From<LogEvent> for Event {
    fn from(event: LogEvent) -> Self {
        let json = serde_json::from_str::<Value>(&event.message).ok();
        let member = |pointer: &str| json.as_ref()?.pointer(pointer)?.as_str().map(str::to_owned);
        let title = [
            member("/detail-type"),
            member("/detail/event/workspace"),
            member("/detail/event/result"),
            member("/detail/request/action"),
        ];
        let title = title.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let pretty = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
        Self {
            at: rfc3339_seconds(event.at_ms),
            title: Shown::new(title),
            text: Shown::lines(pretty.unwrap_or(event.message)),
        }
    }
}

/// What tells whether anything has come since.
fn newest(events: &[LogEvent]) -> String {
    let texts = events
        .iter()
        .map(|event| format!("{} {}", event.at_ms, event.message));
    let texts = texts.collect::<Vec<_>>().join("\n");
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, texts.as_bytes());
    digest.simple().to_string()
}

fn part(base: &str, name: &str, events: Vec<LogEvent>) -> Events {
    let link = format!("{base}/log-group/events");
    Events {
        events_link: links::with(&link, &[("name", name), ("seen", &newest(&events))]),
        events: events.into_iter().map(Event::from).collect(),
    }
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let events = at.place.newest(&named.name).await?.ok_or(Failure::NoPage)?;
    Ok(html(&Page {
        frame: frame(&console, "log-groups", &at),
        account,
        region,
        name: Shown::new(&named.name),
        link: log_group_link(&at.base, &named.name),
        events: part(&at.base, &named.name, events),
        hcl: console
            .hcl_of_place(&signed, &at.place, Some(&named.name))
            .await?,
        aws: at.base,
    }))
}

#[derive(Deserialize)]
struct Seen {
    name: String,
    seen: String,
}

/// The events again, where others have come.
async fn events(
    State(console): State<Console>,
    signed: Signed,
    Path((account, region)): Path<(String, String)>,
    Query(seen): Query<Seen>,
) -> Result<Response, Failure> {
    let at = console.at(&signed, &account, &region)?;
    let events = at.place.newest(&seen.name).await?.ok_or(Failure::NoPage)?;
    if newest(&events) == seen.seen {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(html(&part(&at.base, &seen.name, events)))
}
