//! `/accounts/{id}`: the caller's account. `/_companion/accounts`: all of them, for operators; Scalr's API has no such path.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{
    Account, AccountAttributes, AccountId, Kind as _, ManagedAccount, ManagedAccountAttributes,
    ManagedAccountInput, Object,
};
use scalr_events::{SOURCE_SEGMENT_LENGTH_MAX, SegmentError, check_source_segment};

use super::answer::{Answer, document};
use super::error::ApiError;
use super::form::Form;
use super::page::Listing;
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Admin, Caller, May, Operator, Read, Sender};
use crate::routes::Routes;
use crate::store::{self, FIRST_WORKSPACE};
use crate::{clock, ids};

/// Accounts of a data directory.
const ACCOUNTS_MAX: u64 = 10_000;
/// Longest name that is not a segment of an event source's.
const NAME_CHARS_MAX: usize = 128;

pub(super) fn routes() -> Routes<App> {
    Routes::new().get("/accounts/{id}", read)
}

/// What Scalr's API does not have.
pub(super) fn own_routes() -> Routes<App> {
    Routes::new()
        .get("/accounts", list)
        .post("/accounts", create)
        .get("/accounts/{id}", read_any)
        .patch("/accounts/{id}", update)
}

/// The account in a path, if it is the caller's own.
pub(super) fn own(caller: &Caller, id: &str) -> Result<AccountId, ApiError> {
    if caller.account_id.as_str() == id {
        Ok(caller.account_id.clone())
    } else {
        Err(missing(id))
    }
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let id = own(&caller, &id)?;
    let name = app
        .store
        .account_name(&id)
        .await?
        .ok_or_else(|| missing(id.as_str()))?;
    Ok(document(
        StatusCode::OK,
        Object::<Account>::new(id, AccountAttributes { name }),
    ))
}

/// That there is no such account.
pub(super) fn missing(id: &str) -> ApiError {
    ApiError::NotFound(format!("account `{}`", id.escape_debug()))
}

/// A name for people.
pub(super) fn check_name(name: Option<&str>) -> Result<String, ApiError> {
    let name = name.map(str::trim).unwrap_or_default();
    let length = name.chars().count();
    if name.is_empty() {
        return Err(ApiError::attribute("name", "`name` is required."));
    }
    if length > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(ApiError::attribute(
            "name",
            format!("A name has at most {NAME_CHARS_MAX} characters, none of which is a control character."),
        ));
    }
    Ok(name.to_owned())
}

/// The name of a new account, which is a segment of its event sources' names.
fn check_segment(name: Option<&str>) -> Result<String, ApiError> {
    const WHY: &str = "it becomes a part of the names of the account's event sources";
    let name = check_name(name)?;
    let wrong = |detail: String| Err(ApiError::attribute("name", detail));
    match check_source_segment(&name) {
        Ok(()) => Ok(name),
        Err(SegmentError::Empty) => wrong("`name` is required.".to_owned()),
        Err(SegmentError::Letter(_)) => wrong(format!(
            "An account's name holds letters, digits, `.`, `-` and `_` only: {WHY}."
        )),
        Err(SegmentError::TooLong) => wrong(format!(
            "An account's name has at most {SOURCE_SEGMENT_LENGTH_MAX} characters: {WHY}."
        )),
    }
}

const ACTIVE: &str = "active";
const DISABLED: &str = "disabled";

fn object(row: store::Account) -> Result<Object<ManagedAccount>, ApiError> {
    let is_disabled = row.disabled_at_ms.is_some();
    let attributes = ManagedAccountAttributes {
        name: row.name,
        status: if is_disabled { DISABLED } else { ACTIVE }.to_owned(),
        created_at: row.created_at_ms.map(clock::rfc3339_seconds),
    };
    Ok(Object::new(scalr_api::Id::new(row.id.as_str())?, attributes))
}

async fn list(
    State(app): State<App>,
    _operator: May<Read, Operator>,
    listing: Listing,
) -> Result<impl IntoResponse, ApiError> {
    let [name] = listing.filters(["name"])?;
    let found = app.store.accounts(name, listing.window()).await?;
    let total = found.total;
    let items: Vec<_> = found.items.into_iter().map(object).collect::<Result<_, _>>()?;
    let found = store::Found { items, total };
    Ok(Answer(StatusCode::OK, listing.answer(found, |object| object)))
}

async fn read_any(
    State(app): State<App>,
    _operator: May<Read, Operator>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let row = app.store.account(&id).await?.ok_or_else(|| missing(&id))?;
    Ok(document(StatusCode::OK, object(row)?))
}

async fn create(
    State(app): State<App>,
    operator: May<Admin, Operator>,
    Form(input): Form<ManagedAccount>,
) -> Result<impl IntoResponse, ApiError> {
    let name = check_segment(input.attributes.name.as_deref())?;
    if !matches!(input.attributes.status.as_deref(), None | Some(ACTIVE)) {
        return Err(ApiError::attribute(
            "status",
            "A new account is `active`; its status is set with PATCH.",
        ));
    }
    let id: AccountId = ids::new("acc")?;
    let mut tx = app.store.begin().await?;
    if tx.count_accounts().await? >= ACCOUNTS_MAX {
        return Err(ApiError::Invalid {
            pointer: "/data".into(),
            detail: format!("There are at most {ACCOUNTS_MAX} accounts."),
        });
    }
    let made = tx.insert_account(&id, &name, app.clock.wall_ms()).await;
    made.map_err(|error| match error.unique() {
        Some(_) => ApiError::Conflict {
            pointer: "/data/attributes/name".into(),
            detail: format!("There is an account named `{name}`."),
        },
        None => error.into(),
    })?;
    if app.mode.simulates_runs() {
        tx.ensure_workspace(&id, FIRST_WORKSPACE.0, FIRST_WORKSPACE.1)
            .await?;
    }
    let row = tx.account(id.as_str()).await?;
    let row = row.ok_or_else(|| missing(id.as_str()))?;
    tx.commit().await?;
    note(&operator.sender, "create-account", &row);
    Ok(document(StatusCode::CREATED, object(row)?))
}

/// One line for operators: which token has changed which account.
fn note(by: &Sender, action: &'static str, account: &store::Account) {
    let account = account.id.as_str();
    tracing::info!(
        by = by.token_id,
        action,
        account,
        "an operator has changed something"
    );
}

/// Disables an account, whose tokens are refused from then on, or enables it. What was accepted before is still delivered.
async fn update(
    State(app): State<App>,
    operator: May<Admin, Operator>,
    Path(id): Path<String>,
    Form(input): Form<ManagedAccount>,
) -> Result<impl IntoResponse, ApiError> {
    let ManagedAccountInput { name, status } = input.attributes;
    let mut tx = app.store.begin().await?;
    let row = tx.account(&id).await?.ok_or_else(|| missing(&id))?;
    if name.is_some_and(|name| name != row.name) {
        return Err(ApiError::attribute(
            "name",
            "`name` cannot be changed: the account's event sources at AWS have it in their names.",
        ));
    }
    let is_disabled = row.disabled_at_ms.is_some();
    let disable = match status.as_deref() {
        None => is_disabled,
        Some(ACTIVE) => false,
        Some(DISABLED) => true,
        Some(_) => {
            let detail = "A status can be set to `active` or `disabled`.";
            return Err(ApiError::attribute("status", detail));
        }
    };
    if disable != is_disabled {
        let now_ms = app.clock.wall_ms();
        tx.set_disabled(&row.id, disable.then_some(now_ms)).await?;
        let change = Change {
            action: "update-account",
            kind: ManagedAccount::TYPE,
            id: row.id.to_string(),
            name: row.name.clone(),
            scope: None,
            status: StatusCode::OK.as_u16(),
        };
        audit::record_in(
            &mut tx,
            &app.clock,
            (&row.id, &row.name),
            &operator.sender,
            &change,
        )
        .await?;
    }
    let after = tx.account(&id).await?.ok_or_else(|| missing(&id))?;
    tx.commit().await?;
    if disable != is_disabled {
        note(
            &operator.sender,
            if disable {
                "disable-account"
            } else {
                "enable-account"
            },
            &after,
        );
    }
    Ok(document(StatusCode::OK, object(after)?))
}
