//! A connection: where it stands and what to do next, "Refresh status", pause and resume, what is held and what was dropped, and
//! its chain to the log group.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use scalr_api::{DeliveryState, RunInput, Status, WorkspaceId};
use serde::Deserialize;

use super::{Opened, deliveries};
use crate::api::connections::{bring_to, missing, remove};
use crate::api::{ApiError, runs};
use crate::aws_error::SourceState;
use crate::clock::rfc3339_seconds;
use crate::console::answer::{Failure, Frame, NextStep, html, on_to};
use crate::console::chain::Link;
use crate::console::links;
use crate::console::reads::{CustomerSide, Fields, Signed, links_of, next_step};
use crate::console::state::Console;
use crate::console::terraform::Hcl;
use crate::console::text::Shown;
use crate::routes::Routes;
use crate::store::{Connection, Which, Window};

/// Held and dropped events that are listed.
const LISTED_MAX: usize = 50;
/// Workspaces to choose from.
const WORKSPACES_MAX: i64 = 100;

pub(super) fn routes() -> Routes<Console> {
    Routes::new()
        .get("/integrations/{id}", open)
        .get("/integrations/{id}/standing", standing)
        .get("/integrations/{id}/chain", chain)
        .post("/integrations/{id}/refresh", refresh)
        .post("/integrations/{id}/resume", refresh)
        .post("/integrations/{id}/pause", pause)
        .post("/integrations/{id}/delete", delete)
        .post("/integrations/{id}/run", run)
}

#[derive(Template)]
#[template(path = "console/connection.html")]
struct Page {
    frame: Frame,
    name: Shown,
    link: String,
    standing: Standing,
    is_paused: bool,
    /// Whether runs are made up here.
    starts_runs: bool,
    workspaces: Vec<(String, Shown)>,
    hcl: Hcl,
}

/// The part that is loaded again when something happens.
#[derive(Template)]
#[template(path = "console/standing.html")]
struct Standing {
    status: String,
    error: Option<Shown>,
    next: NextStep,
    account: Shown,
    region: Shown,
    source: Shown,
    delivered: i64,
    last_delivered: Option<String>,
    held: i64,
    held_bytes: i64,
    unconfirmed: i64,
    failed: i64,
    dropped: i64,
    failing: Option<Shown>,
    held_why: &'static str,
    held_more: bool,
    held_events: Vec<Event>,
    failed_events: Vec<Event>,
    /// The page of its deliveries.
    deliveries: String,
    dropped_events: Vec<Event>,
}

struct Event {
    id: Shown,
    kind: Shown,
    at: String,
    attempts: u32,
    why: Shown,
}

/// Why events are held.
pub(super) const fn held_why(status: &Status) -> &'static str {
    match status {
        Status::Active => "AWS has not taken these events yet; they are sent again.",
        Status::Disabled => "The connection is paused. These events are sent when it is resumed.",
        _ => "These events are sent once the connection is active.",
    }
}

async fn standing_of(
    console: &Console,
    signed: &Signed,
    row: &Connection,
    side: Option<&CustomerSide>,
) -> Result<Standing, Failure> {
    let (store, account, id) = (&console.app().store, &signed.caller.account_id, row.id.as_str());
    let found = store.delivery_figures(account, id).await?;
    let (figures, dropped) = found.ok_or_else(|| missing(id))?;
    let (held, _) = store.held_events(account, [Some(id), None]).await?;
    let listed_max = i64::try_from(LISTED_MAX).unwrap_or_default();
    let (failed, _) = store
        .settled(&Which::all(id, DeliveryState::Failed), listed_max)
        .await?;
    let failing = (figures.failures > 0).then(|| {
        let error = figures.last_error.clone().unwrap_or_default();
        Shown::new(format!(
            "{} attempts in a row have failed: {error}",
            figures.failures
        ))
    });
    Ok(Standing {
        status: row.status.in_words().to_owned(),
        error: row.error_message.as_ref().map(Shown::new),
        next: next_step(row, side),
        account: Shown::new(&row.source.aws_account_id),
        region: Shown::new(&row.source.region),
        source: Shown::new(&row.source.name),
        delivered: figures.delivered,
        last_delivered: figures.last_delivered_at_ms.map(rfc3339_seconds),
        held: figures.held,
        held_bytes: figures.held_bytes,
        unconfirmed: figures.unconfirmed,
        failed: figures.failed,
        dropped: figures.dropped_too_old + figures.dropped_too_many + figures.dropped_refused,
        failing,
        held_why: held_why(&row.status),
        held_more: usize::try_from(figures.held).is_ok_and(|all| all > held.len().min(LISTED_MAX)),
        held_events: held
            .into_iter()
            .take(LISTED_MAX)
            .map(|event| Event {
                id: Shown::new(event.event_id),
                kind: Shown::new(event.detail_type),
                at: rfc3339_seconds(event.accepted_at_ms),
                attempts: event.attempts,
                why: Shown::new(event.last_error.unwrap_or_default()),
            })
            .collect(),
        failed_events: failed
            .into_iter()
            .map(|event| Event {
                id: Shown::new(event.event_id),
                kind: Shown::new(event.detail_type),
                at: rfc3339_seconds(event.ended_at_ms),
                attempts: event.attempts,
                why: Shown::new(event.error.unwrap_or_default()),
            })
            .collect(),
        deliveries: deliveries::link(id),
        dropped_events: dropped
            .into_iter()
            .take(LISTED_MAX)
            .map(|event| Event {
                id: Shown::new(event.event_id),
                kind: Shown::new(event.detail_type),
                at: rfc3339_seconds(event.at_ms),
                attempts: 0,
                why: Shown::new(format!("{}: {}", event.reason, event.explanation)),
            })
            .collect(),
    })
}

pub(super) fn frame(console: &Console, row: &Connection) -> Frame {
    let place = (row.source.aws_account_id.as_str(), row.source.region.as_str());
    Frame::new(console, "integrations", Some(place))
}

async fn open(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    Query(opened): Query<Opened>,
) -> Result<Response, Failure> {
    let row = console.connection(&signed, &id).await?;
    let side = console.customer_side(&row).await?;
    let window = Window {
        limit: WORKSPACES_MAX,
        offset: 0,
    };
    let store = &console.app().store;
    let workspaces = store.workspaces(&signed.caller.account_id, [None; 4], window);
    let workspaces = workspaces.await?.items.into_iter();
    let standing = standing_of(&console, &signed, &row, side.as_ref()).await?;
    let bus = side.and_then(|side| side.bus);
    Ok(html(&Page {
        frame: frame(&console, &row).after(opened.done.as_deref()),
        name: Shown::new(&row.name),
        link: links::connection(row.id.as_str()),
        standing,
        is_paused: row.status == Status::Disabled,
        starts_runs: console.app().mode.simulates_runs(),
        workspaces: workspaces
            .map(|workspace| (workspace.id.to_string(), Shown::new(workspace.name)))
            .collect(),
        hcl: console.hcl(&signed, &row, bus).await?,
    }))
}

async fn standing(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let row = console.connection(&signed, &id).await?;
    let side = console.customer_side(&row).await?;
    Ok(html(&standing_of(&console, &signed, &row, side.as_ref()).await?))
}

#[derive(Template)]
#[template(path = "console/chain.html")]
struct ChainPage {
    frame: Frame,
    name: Shown,
    link: String,
    links: Vec<Link>,
    next: NextStep,
    hcl: Hcl,
}

async fn chain(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let row = console.connection(&signed, &id).await?;
    let side = console.customer_side(&row).await?;
    let state = match console.app().sources.state(&row).await {
        Ok(SourceState::Active) => Some("ACTIVE".to_owned()),
        Ok(SourceState::Pending) => Some("PENDING".to_owned()),
        Ok(SourceState::Deleted) => Some("DELETED".to_owned()),
        Ok(_) => None,
        Err(error) => Some(format!("not known ({error})")),
    };
    let (links, next) = (
        links_of(&row, state.as_deref(), side.as_ref()),
        next_step(&row, side.as_ref()),
    );
    let bus = side.and_then(|side| side.bus);
    Ok(html(&ChainPage {
        frame: frame(&console, &row),
        name: Shown::new(&row.name),
        link: links::connection(row.id.as_str()),
        links,
        next,
        hcl: console.hcl(&signed, &row, bus).await?,
    }))
}

/// "Refresh status", which resumes too.
async fn refresh(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let row = console.connection(&signed, &id).await?;
    bring_to(console.app().clone(), signed.may()?, row, Status::Active).await?;
    Ok(on_to(&links::connection(&id), "refreshed"))
}

async fn pause(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let row = console.connection(&signed, &id).await?;
    bring_to(console.app().clone(), signed.may()?, row, Status::Disabled).await?;
    Ok(on_to(&links::connection(&id), "paused"))
}

async fn delete(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    remove(console.app().clone(), signed.may()?, id).await?;
    Ok(on_to(links::INTEGRATIONS, "deleted"))
}

#[derive(Template)]
#[template(
    source = "<p class=\"notice ok\">The run {{ id }} was started.</p>",
    ext = "html"
)]
struct Started {
    id: Shown,
}

#[derive(Deserialize)]
struct RunForm {
    workspace: String,
}

async fn run(
    State(console): State<Console>,
    signed: Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
    Fields(form): Fields<RunForm>,
) -> Result<Response, Failure> {
    console.connection(&signed, &id).await?;
    let workspace = WorkspaceId::new(form.workspace.as_str())
        .map_err(|_| ApiError::NotFound(format!("workspace `{}`", form.workspace.escape_debug())))?;
    let caller = signed.may()?;
    let started = runs::start(
        console.app(),
        &caller,
        (&workspace, "/data/relationships/workspace"),
        RunInput::default(),
        false,
    );
    let started = started.await?;
    // Within the page, whose stream of live events then shows what becomes of it.
    if headers.contains_key("hx-request") {
        let id = Shown::new(started.id.as_str());
        return Ok(html(&Started { id }));
    }
    Ok(on_to(&links::connection(&id), "run"))
}
