//! `access-tokens`: short-lived tokens that the holder of a token makes, as in Scalr's API. There a token is its user's; here it opens the
//! account of the token that has made it. That has the scope `admin`, so that no token makes one that permits more. Each ends by
//! itself, and one that was made so makes none that outlives it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{Id, Object, OwnToken, OwnTokenAttributes, OwnTokenInput};

use super::access_tokens::{make, parse_scopes, record_revoked};
use super::accounts::check_name;
use super::answer::document;
use super::error::ApiError;
use super::form::Form;
use crate::app::App;
use crate::caller::{Admin, Caller, May, Read, Scopes};
use crate::clock;
use crate::routes::Routes;
use crate::store;

/// How long such a token is good where nothing is said, in minutes.
const MINUTES: i64 = 60;
/// How long at most: a day.
const MINUTES_MAX: i64 = 24 * 60;
/// What a token is called where nothing is said.
const NAME: &str = "access-token";
const MINUTE_MS: i64 = 60_000;

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .post("/access-tokens", create)
        .get("/access-tokens/{id}", read)
        .delete("/access-tokens/{id}", revoke)
}

fn object(app: &App, row: store::AccessToken, minutes: Option<i64>) -> Result<Object<OwnToken>, ApiError> {
    let expires_at_ms = row.expires_at_ms.unwrap_or_default();
    let attributes = OwnTokenAttributes {
        name: Some(row.name.clone()),
        description: Some(row.name),
        scopes: Some(row.scopes.names().map(str::to_owned).collect()),
        created_at: Some(clock::rfc3339_seconds(row.created_at_ms)),
        expires_at: Some(clock::rfc3339_seconds(expires_at_ms)),
        expires_in: minutes,
        is_expired: app.clock.now_ms() >= expires_at_ms,
        token: None,
    };
    Ok(Object::new(Id::new(row.id)?, attributes))
}

async fn create(
    State(app): State<App>,
    caller: May<Admin>,
    Form(input): Form<OwnToken>,
) -> Result<impl IntoResponse, ApiError> {
    let input = input.attributes;
    let (name, scopes, minutes) = valid(&input, &caller)?;
    let now_ms = app.clock.now_ms();
    let mut expires_at_ms = now_ms.saturating_add(minutes * MINUTE_MS);
    // One that ends by itself makes none that outlives it: otherwise it could renew itself without end.
    if let Some(end_ms) = caller.sender.expires_at_ms {
        expires_at_ms = expires_at_ms.min(end_ms);
    }
    let left_ms = expires_at_ms.saturating_sub(now_ms);
    let minutes = minutes.min(left_ms.saturating_add(MINUTE_MS - 1) / MINUTE_MS);
    let opens = Some(caller.account_id.clone());
    let made = make(&app, &caller.sender, opens, (name, scopes, Some(expires_at_ms)));
    let (row, token) = made.await?;
    let mut made = object(&app, row, Some(minutes))?;
    made.attributes.token = Some(token.reveal().to_owned());
    Ok(document(StatusCode::CREATED, made))
}

/// The name, the scopes and the minutes of a new token.
fn valid(input: &OwnTokenInput, caller: &Caller) -> Result<(String, Scopes, i64), ApiError> {
    let name = input.name.as_deref().or(input.description.as_deref());
    let name = match name {
        None | Some("") => NAME.to_owned(),
        given => check_name(given)?,
    };
    let scopes = match input.scopes.as_deref() {
        None => caller.sender.scopes().clone(),
        Some(given) => parse_scopes(given, false)?,
    };
    let minutes = input.expires_in.unwrap_or(MINUTES);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        return Err(ApiError::attribute(
            "expires-in",
            format!(
                "Such a token is good for 1 to {MINUTES_MAX} minutes; an operator makes those that last."
            ),
        ));
    }
    Ok((name, scopes, minutes))
}

/// A token of the account that ends by itself; those that operators made are theirs.
async fn own(tx: &mut store::Tx, caller: &Caller, id: &str) -> Result<store::AccessToken, ApiError> {
    let found = tx.access_token(id).await?;
    let found = found
        .filter(|row| row.account_id.as_ref() == Some(&caller.account_id) && row.expires_at_ms.is_some());
    found.ok_or_else(|| ApiError::NotFound(format!("access token `{}`", id.escape_debug())))
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = app.store.begin().await?;
    let row = own(&mut tx, &caller, &id).await?;
    Ok(document(StatusCode::OK, object(&app, row, None)?))
}

async fn revoke(
    State(app): State<App>,
    caller: May<Admin>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = app.store.begin().await?;
    let row = own(&mut tx, &caller, &id).await?;
    if row.revoked_at_ms.is_some() {
        return Ok(StatusCode::NO_CONTENT);
    }
    record_revoked(&mut tx, &app, &caller.sender, &row).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
