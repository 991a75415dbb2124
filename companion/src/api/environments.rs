//! `/environments`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{Environment, EnvironmentAttributes, EnvironmentRelationships, Object, ToOne};

use super::answer::{Answer, document};
use super::error::ApiError;
use super::page::Listing;
use crate::app::App;
use crate::caller::{May, Read};
use crate::routes::Routes;
use crate::store::{self, Window};

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/environments", list)
        .get("/environments/{id}", read)
}

fn object(row: store::Environment) -> Object<Environment> {
    let mut object = Object::new(row.id, EnvironmentAttributes { name: row.name });
    object.relationships = EnvironmentRelationships {
        account: ToOne::to(row.account_id),
    };
    object
}

async fn list(
    State(app): State<App>,
    caller: May<Read>,
    listing: Listing,
) -> Result<impl IntoResponse, ApiError> {
    let filters = listing.filters(["account", "environment", "name"])?;
    let found = app
        .store
        .environments(&caller.account_id, filters, listing.window())
        .await?;
    Ok(Answer(StatusCode::OK, listing.answer(found, object)))
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let one = Window { limit: 1, offset: 0 };
    let found = app
        .store
        .environments(&caller.account_id, [None, Some(&id), None], one)
        .await?;
    let row = found.items.into_iter().next();
    let row = row.ok_or_else(|| ApiError::NotFound(format!("environment `{}`", id.escape_debug())))?;
    Ok(document(StatusCode::OK, object(row)))
}
