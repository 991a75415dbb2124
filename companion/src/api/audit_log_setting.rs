//! `/accounts/{id}/audit-log-setting`: which connection the audit log is streamed to.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{
    AccountId, AuditLogSetting, AuditLogSettingAttributes, AuditLogSettingRelationships, Connection,
    ConnectionId, Kind as _, Object, ToOne,
};

use super::accounts::own;
use super::answer::document;
use super::error::ApiError;
use super::form::Form;
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Admin, May, Read};
use crate::routes::Routes;

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/accounts/{id}/audit-log-setting", read)
        .patch("/accounts/{id}/audit-log-setting", update)
}

fn object(account: &AccountId, selected: Option<ConnectionId>) -> Result<Object<AuditLogSetting>, ApiError> {
    let attributes = AuditLogSettingAttributes {
        enabled: selected.is_some(),
    };
    let id = scalr_api::Id::new(account.as_str())?;
    let mut object = Object::new(id, attributes);
    object.relationships = AuditLogSettingRelationships {
        integration: selected.map_or_else(ToOne::none, ToOne::to),
        account: ToOne::to(account.clone()),
    };
    Ok(object)
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let account = own(&caller, &id)?;
    let selected = app.store.audit_connection(&account).await?;
    Ok(document(StatusCode::OK, object(&account, selected)?))
}

async fn update(
    State(app): State<App>,
    caller: May<Admin>,
    Path(id): Path<String>,
    Form(input): Form<AuditLogSetting>,
) -> Result<impl IntoResponse, ApiError> {
    let account = own(&caller, &id)?;
    let (enabled, named) = (input.attributes.enabled, input.relationships.integration);
    let selected = select(&app, &caller, |before| wanted(enabled, named, before)).await?;
    Ok(document(StatusCode::OK, object(&account, selected)?))
}

/// Sets the setting to what `wanted` makes of the connection that it selects; returns the one that it selects then.
pub(crate) async fn select(
    app: &App,
    caller: &May<Admin>,
    wanted: impl FnOnce(Option<ConnectionId>) -> Result<Option<ConnectionId>, ApiError>,
) -> Result<Option<ConnectionId>, ApiError> {
    let account = &caller.account_id;
    let mut tx = app.store.begin().await?;
    let before = tx.audit_connection(account).await?;
    let wanted = wanted(before.clone())?;
    if let Some(connection) = &wanted
        && tx.connection(account, connection.as_str()).await?.is_none()
    {
        return Err(ApiError::Invalid {
            pointer: "/data/relationships/integration".into(),
            detail: format!("There is no connection `{connection}` in this account."),
        });
    }
    if wanted != before {
        tx.select_audit_connection(account, wanted.as_ref()).await?;
        let change = Change {
            action: "update-audit-log-settings",
            kind: AuditLogSetting::TYPE,
            id: account.to_string(),
            name: caller.account_name.clone(),
            scope: None,
            status: StatusCode::OK.as_u16(),
        };
        audit::record(&mut tx, &app.clock, caller, &change).await?;
        tx.commit().await?;
    }
    Ok(wanted)
}

/// The connection that the setting selects after this call.
fn wanted(
    enabled: Option<bool>,
    named: Option<ToOne<Connection>>,
    before: Option<ConnectionId>,
) -> Result<Option<ConnectionId>, ApiError> {
    let Some(named) = named.map(|to| to.id().cloned()) else {
        return match enabled {
            None => Ok(before),
            Some(false) => Ok(None),
            Some(true) => before.map(Some).ok_or_else(nothing_to_enable),
        };
    };
    match (enabled, &named) {
        (Some(false), Some(_)) => Err(ApiError::attribute(
            "enabled",
            "The setting cannot be off and select a connection.",
        )),
        (Some(true), None) => Err(nothing_to_enable()),
        _ => Ok(named),
    }
}

fn nothing_to_enable() -> ApiError {
    ApiError::Invalid {
        pointer: "/data/relationships/integration".into(),
        detail: "Select the connection that the audit log is streamed to.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_becomes_what_the_call_requests() {
        let id = |text| ConnectionId::new(text).unwrap();
        let (a, b) = (|| Some(id("in-a")), || Some(id("in-b")));
        for (enabled, named, before, want) in [
            (None, None, a(), Some(a())),
            (None, Some(b()), a(), Some(b())),
            (None, Some(None), a(), Some(None)),
            (Some(true), Some(b()), None, Some(b())),
            (Some(true), None, a(), Some(a())),
            (Some(true), None, None, None),
            (Some(true), Some(None), a(), None),
            (Some(false), None, a(), Some(None)),
            (Some(false), Some(None), a(), Some(None)),
            (Some(false), Some(b()), a(), None),
        ] {
            let case = format!("{enabled:?} {named:?} {before:?}");
            let named = named.map(|id| id.map_or_else(ToOne::none, ToOne::to));
            assert_eq!(wanted(enabled, named, before).ok(), want, "{case}");
        }
    }
}
