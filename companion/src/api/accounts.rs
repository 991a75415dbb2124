//! `/accounts/{id}`.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use scalr_api::{Account, AccountAttributes, AccountId, Object};

use super::answer::document;
use super::error::ApiError;
use crate::app::App;
use crate::caller::Caller;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/accounts/{id}", get(read))
}

/// The account in a path, if it is the caller's own.
pub(super) fn own(caller: &Caller, id: &str) -> Result<AccountId, ApiError> {
    if caller.account_id.as_str() == id {
        Ok(caller.account_id.clone())
    } else {
        Err(ApiError::NotFound(format!("account `{}`", id.escape_debug())))
    }
}

async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let id = own(&caller, &id)?;
    let name = app
        .store
        .account_name(&id)
        .await?
        .ok_or_else(|| ApiError::NotFound(format!("account `{id}`")))?;
    Ok(document(
        StatusCode::OK,
        Object::<Account>::new(id, AccountAttributes { name }),
    ))
}
