//! `/runs`: a run that ends causes a RunExecuted event. `POST /_companion/runs` starts one that fails on request, which Scalr's
//! API cannot.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{
    FailingRun, Kind as _, Object, Run, RunAttributes, RunInput, RunRelationships, RunStatus, ToOne,
    WorkspaceId,
};

use super::answer::{Answer, document};
use super::error::ApiError;
use super::form::{Form, bytes, json};
use super::page::Listing;
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Intake, May, Read, USER_EMAIL};
use crate::routes::Routes;
use crate::runs;
use crate::store::{self, NewRun};
use crate::{clock, ids};

const MESSAGE_CHARS_MAX: usize = 1024;

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/runs", list)
        .post("/runs", create)
        .get("/runs/{id}", read)
}

/// What Scalr's API does not have.
pub(super) fn own_routes() -> Routes<App> {
    Routes::new().post("/runs", create_failing)
}

fn object(row: store::Run) -> Object<Run> {
    let attributes = RunAttributes {
        status: row.status,
        is_dry: row.is_dry,
        is_destroy: row.is_destroy,
        message: row.message,
        source: Some(row.source),
        created_at: Some(clock::rfc3339_seconds(row.created_at_ms)),
    };
    let mut object = Object::new(row.id, attributes);
    object.relationships = RunRelationships {
        workspace: ToOne::to(row.workspace_id),
    };
    object
}

async fn list(
    State(app): State<App>,
    caller: May<Read>,
    listing: Listing,
) -> Result<impl IntoResponse, ApiError> {
    let filters = listing.filters(["account", "run", "workspace", "environment"])?;
    let found = app
        .store
        .runs(&caller.account_id, filters, listing.window())
        .await?;
    Ok(Answer(StatusCode::OK, listing.answer(found, object)))
}

async fn create(
    State(app): State<App>,
    caller: May<Intake>,
    Form(input): Form<Run>,
) -> Result<impl IntoResponse, ApiError> {
    const POINTER: &str = "/data/relationships/workspace";
    let workspace = input.relationships.workspace.id();
    let workspace = workspace.ok_or_else(|| ApiError::Invalid {
        pointer: POINTER.into(),
        detail: "Name the workspace that the run belongs to.".into(),
    })?;
    let run = start(&app, &caller, (workspace, POINTER), input.attributes, false).await?;
    Ok(document(StatusCode::CREATED, object(run)))
}

async fn create_failing(
    State(app): State<App>,
    caller: May<Intake>,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let body = json(&bytes(request, &app).await?)?;
    let asked: FailingRun = serde_json::from_value(body).map_err(|error| ApiError::Invalid {
        pointer: String::new(),
        detail: format!("{error}."),
    })?;
    let at = (&asked.workspace, "/workspace");
    let run = start(&app, &caller, at, asked.input, true).await?;
    Ok((StatusCode::CREATED, Json(object(run))))
}

/// Starts a run in the workspace, which stands at this place of the body.
pub(crate) async fn start(
    app: &App,
    caller: &May<Intake>,
    (workspace, pointer): (&WorkspaceId, &str),
    input: RunInput,
    fails: bool,
) -> Result<store::Run, ApiError> {
    if !app.mode.simulates_runs() {
        return Err(ApiError::NoSimulatedRuns);
    }
    let scope = app
        .store
        .workspace_scope(&caller.account_id, workspace.as_str())
        .await?;
    let scope = scope.ok_or_else(|| ApiError::Invalid {
        pointer: pointer.into(),
        detail: format!("There is no workspace `{workspace}` in this account."),
    })?;
    let message = input.message;
    if message
        .as_ref()
        .is_some_and(|text| text.chars().count() > MESSAGE_CHARS_MAX)
    {
        return Err(ApiError::attribute(
            "message",
            format!("A message has at most {MESSAGE_CHARS_MAX} characters."),
        ));
    }
    let now = app.clock.look();
    let run = store::Run {
        id: ids::new("run")?,
        workspace_id: workspace.clone(),
        status: RunStatus::Pending,
        is_dry: input.is_dry.unwrap_or_default(),
        is_destroy: input.is_destroy.unwrap_or_default(),
        fails,
        message,
        source: "api".to_owned(),
        user_email: USER_EMAIL.to_owned(),
        created_at_ms: now.wall_ms,
    };
    let change = Change {
        action: "create-run",
        kind: Run::TYPE,
        id: run.id.to_string(),
        name: run.id.to_string(),
        scope: Some(scope),
        status: StatusCode::CREATED.as_u16(),
    };
    let mut tx = app.store.begin().await?;
    tx.insert_run(&NewRun {
        run: run.clone(),
        step_at_ms: runs::next_step_ms(now.now_ms),
    })
    .await?;
    audit::record(&mut tx, &app.clock, caller, &change).await?;
    tx.commit().await?;
    tracing::info!(
        run = run.id.as_str(),
        workspace = workspace.as_str(),
        "a run was started"
    );
    Ok(run)
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let row = app.store.run(&caller.account_id, &id).await?;
    let row = row.ok_or_else(|| ApiError::NotFound(format!("run `{}`", id.escape_debug())))?;
    Ok(document(StatusCode::OK, object(row)))
}
