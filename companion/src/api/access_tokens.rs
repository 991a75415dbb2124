//! `/_companion/tokens`: the tokens that admit callers, for operators. Scalr's API has no such path.
//!
//! The text of a token is in the answer that has made it, and nowhere else. A revoked one stays in the list.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{
    AccessToken, AccessTokenAttributes, AccessTokenInput, AccessTokenRelationships, AccountId, Kind as _,
    Object, ToOne,
};

use super::accounts::{check_name, missing};
use super::answer::{Answer, document};
use super::error::ApiError;
use super::form::Form;
use super::page::Listing;
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Admin, May, OF_ACCOUNT, OF_OPERATOR, Operator, Read, Scope, Scopes, Sender};
use crate::clock;
use crate::routes::Routes;
use crate::store::{self, Account, Tx};
use crate::token::Token;

/// Tokens of an account that are not revoked; also those of operators.
const TOKENS_MAX: u64 = 100;
/// How long a token with an end is good at most: a year.
const MINUTES_MAX: i64 = 366 * 24 * 60;
const MINUTE_MS: i64 = 60_000;

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/tokens", list)
        .post("/tokens", create)
        .delete("/tokens/{id}", revoke)
}

fn object(app: &App, row: store::AccessToken) -> Result<Object<AccessToken>, ApiError> {
    let used_at_ms = app.uses.last_ms(&row.id).or(row.last_used_at_ms);
    let attributes = AccessTokenAttributes {
        name: row.name,
        scopes: row.scopes.names().map(str::to_owned).collect(),
        ends_in: row.end,
        created_at: clock::rfc3339_seconds(row.created_at_ms),
        last_used_at: used_at_ms.map(clock::rfc3339_seconds),
        revoked_at: row.revoked_at_ms.map(clock::rfc3339_seconds),
        expires_at: row.expires_at_ms.map(clock::rfc3339_seconds),
        token: None,
    };
    let mut object = Object::new(scalr_api::Id::new(row.id)?, attributes);
    object.relationships = AccessTokenRelationships {
        account: row.account_id.map_or_else(ToOne::none, ToOne::to),
    };
    Ok(object)
}

async fn list(
    State(app): State<App>,
    _operator: May<Read, Operator>,
    listing: Listing,
) -> Result<impl IntoResponse, ApiError> {
    let filters = listing.filters(["account", "name"])?;
    let found = app.store.access_tokens(filters, listing.window()).await?;
    let total = found.total;
    let objects = found.items.into_iter().map(|row| object(&app, row));
    let objects: Vec<_> = objects.collect::<Result<_, _>>()?;
    let found = store::Found {
        items: objects,
        total,
    };
    Ok(Answer(StatusCode::OK, listing.answer(found, |object| object)))
}

async fn create(
    State(app): State<App>,
    operator: May<Admin, Operator>,
    Form(input): Form<AccessToken>,
) -> Result<impl IntoResponse, ApiError> {
    let account = input.relationships.account.id().cloned();
    let new = valid(&app, &input.attributes, account.is_none())?;
    let (row, token) = make(&app, &operator.sender, account, new).await?;
    let mut made = object(&app, row)?;
    made.attributes.token = Some(token.reveal().to_owned());
    Ok(document(StatusCode::CREATED, made))
}

/// The name and the scopes of a new token, and when it ends by itself.
pub(super) type New = (String, Scopes, Option<i64>);

fn valid(app: &App, input: &AccessTokenInput, is_operators: bool) -> Result<New, ApiError> {
    let name = check_name(input.name.as_deref())?;
    let scopes = parse_scopes(input.scopes.as_deref().unwrap_or_default(), is_operators)?;
    let expires_at_ms = match input.expires_in {
        None => None,
        Some(minutes) if (1..=MINUTES_MAX).contains(&minutes) => {
            Some(app.clock.now_ms().saturating_add(minutes * MINUTE_MS))
        }
        Some(_) => {
            let detail =
                format!("A token that ends by itself is good for 1 to {MINUTES_MAX} minutes (a year).");
            return Err(ApiError::attribute("expires-in", detail));
        }
    };
    Ok((name, scopes, expires_at_ms))
}

/// Scopes by their names.
pub(super) fn parse_scopes(given: &[String], is_operators: bool) -> Result<Scopes, ApiError> {
    let wrong = |detail: String| ApiError::attribute("scopes", detail);
    if given.is_empty() {
        return Err(wrong(
            "A token has at least one of the scopes `admin`, `intake` and `read`.".to_owned(),
        ));
    }
    let mut scopes = Vec::with_capacity(given.len().min(Scope::ALL.len()));
    for name in given {
        let scope = Scope::of(name).ok_or_else(|| {
            let name = name.escape_debug();
            wrong(format!(
                "There is no scope `{name}`; there are `admin`, `intake` and `read`."
            ))
        })?;
        if is_operators && scope == Scope::Intake {
            return Err(wrong(
                "An operator's token opens no account that could receive events: name an account, or leave out `intake`."
                    .to_owned(),
            ));
        }
        scopes.push(scope);
    }
    Ok(Scopes::of(&scopes))
}

/// Makes a token that opens this account, or an operator's.
pub(super) async fn make(
    app: &App,
    by: &Sender,
    account: Option<AccountId>,
    (name, scopes, expires_at_ms): New,
) -> Result<(store::AccessToken, Token), ApiError> {
    let token = Token::random(if account.is_some() {
        OF_ACCOUNT
    } else {
        OF_OPERATOR
    });
    let new = store::AccessToken {
        expires_at_ms,
        ..store::AccessToken::new(&token, account.clone(), name, scopes, app.clock.wall_ms())
    };
    let mut tx = app.store.begin().await?;
    tx.revoke_expired(app.clock.now_ms()).await?;
    if tx.count_tokens(account.as_ref()).await? >= TOKENS_MAX {
        return Err(ApiError::Invalid {
            pointer: "/data".into(),
            detail: format!(
                "There are {TOKENS_MAX} tokens already, which is the most that an account has: revoke one that is not used."
            ),
        });
    }
    let opened = match &account {
        None => None,
        Some(id) => {
            let found = tx.account(id.as_str()).await?;
            Some(found.ok_or_else(|| ApiError::Invalid {
                pointer: "/data/relationships/account".into(),
                detail: format!("There is no account `{id}`."),
            })?)
        }
    };
    tx.insert_token(&new, &token).await?;
    tx.set_expiry(&new).await?;
    if let Some(account) = opened {
        let status = StatusCode::CREATED;
        record(&mut tx, app, &account, by, "create-access-token", &new, status).await?;
    }
    tx.commit().await?;
    note(by, "create-access-token", &new);
    Ok((new, token))
}

async fn revoke(
    State(app): State<App>,
    operator: May<Admin, Operator>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = app.store.begin().await?;
    let row = tx.access_token(&id).await?;
    let row = row.ok_or_else(|| ApiError::NotFound(format!("access token `{}`", id.escape_debug())))?;
    if row.revoked_at_ms.is_some() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let is_admin = row.account_id.is_none() && row.scopes.has(Scope::Admin);
    if is_admin && tx.count_admin_operators().await? <= 1 {
        return Err(ApiError::Conflict {
            pointer: "/data".into(),
            detail: "This is the last operator's token with the scope `admin`, without which nobody could make another: make the next one first."
                .to_owned(),
        });
    }
    record_revoked(&mut tx, &app, &operator.sender, &row).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a token, and says so in the audit log of the account that it opens.
pub(super) async fn record_revoked(
    tx: &mut Tx,
    app: &App,
    by: &Sender,
    row: &store::AccessToken,
) -> Result<(), ApiError> {
    tx.revoke_token(row, app.clock.wall_ms()).await?;
    if let Some(id) = &row.account_id {
        let account = tx.account(id.as_str()).await?;
        let account = account.ok_or_else(|| missing(id.as_str()))?;
        let (action, status) = ("delete-access-token", StatusCode::NO_CONTENT);
        record(tx, app, &account, by, action, row, status).await?;
    }
    note(by, "delete-access-token", row);
    Ok(())
}

/// One line for operators: which token has changed which one. Those of operators are in no account's audit log.
fn note(by: &Sender, action: &'static str, token: &store::AccessToken) {
    let account = token.account_id.as_ref().map(AccountId::as_str);
    tracing::info!(
        by = by.token_id,
        action,
        token = token.id,
        account,
        "a token was made or revoked"
    );
}

/// Records a change of an account's tokens in the audit log of the account.
async fn record(
    tx: &mut Tx,
    app: &App,
    account: &Account,
    by: &Sender,
    action: &'static str,
    token: &store::AccessToken,
    status: StatusCode,
) -> Result<(), ApiError> {
    let change = Change {
        action,
        kind: AccessToken::TYPE,
        id: token.id.clone(),
        name: token.name.clone(),
        scope: None,
        status: status.as_u16(),
    };
    audit::record_in(tx, &app.clock, (&account.id, &account.name), by, &change).await?;
    Ok(())
}
