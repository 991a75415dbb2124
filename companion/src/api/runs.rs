//! `/runs`: a run that ends causes a RunExecuted event.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use scalr_api::{Kind as _, Object, Run, RunAttributes, RunInput, RunRelationships, RunStatus, ToOne};

use super::answer::document;
use super::error::ApiError;
use super::form::Form;
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Caller, USER_EMAIL};
use crate::runs;
use crate::store::{self, NewRun};
use crate::{clock, ids};

const MESSAGE_CHARS_MAX: usize = 1024;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/runs", post(create))
        .route("/runs/{id}", get(read))
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

async fn create(
    State(app): State<App>,
    caller: Caller,
    Form(input): Form<Run>,
) -> Result<impl IntoResponse, ApiError> {
    let workspace = input.relationships.workspace.id();
    let workspace =
        workspace.ok_or_else(|| no_workspace("Name the workspace that the run belongs to.".into()))?;
    let run = start(&app, &caller, workspace.as_str(), input.attributes).await?;
    Ok(document(StatusCode::CREATED, object(run)))
}

fn no_workspace(detail: String) -> ApiError {
    ApiError::Invalid {
        pointer: "/data/relationships/workspace".into(),
        detail,
    }
}

/// Starts a run.
pub(crate) async fn start(
    app: &App,
    caller: &Caller,
    workspace: &str,
    input: RunInput,
) -> Result<store::Run, ApiError> {
    let scope = app.store.workspace_scope(&caller.account_id, workspace).await?;
    let scope =
        scope.ok_or_else(|| no_workspace(format!("There is no workspace `{workspace}` in this account.")))?;
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
        workspace_id: scope.workspace_id.clone(),
        status: RunStatus::Pending,
        is_dry: input.is_dry.unwrap_or_default(),
        is_destroy: input.is_destroy.unwrap_or_default(),
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
    Ok(run)
}

async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let row = app.store.run(&caller.account_id, &id).await?;
    let row = row.ok_or_else(|| ApiError::NotFound(format!("run `{}`", id.escape_debug())))?;
    Ok(document(StatusCode::OK, object(row)))
}
