//! The setting at Scalr: read, selected, turned off.

use scalr_api::{AccountId, AuditLogSetting as Wire, ClientError, ConnectionId, Object};
use tfplugin::{CancellationToken, Diagnostics, Result};

use super::AuditLogSetting;
use super::messages::{self, doing};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::{Attributes, Scalr};

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: Attributes = &[
    ("/data/relationships/integration", || {
        AuditLogSetting::connection_id().into()
    }),
    ("/data/attributes/enabled", || {
        AuditLogSetting::connection_id().into()
    }),
];

/// The connection that the setting selects, if it is on.
pub(super) fn selected(setting: &Object<Wire>) -> Option<&ConnectionId> {
    setting
        .relationships
        .integration
        .id()
        .filter(|_| setting.attributes.enabled)
}

/// The connection that has the setting of an account.
pub(super) struct Holder {
    pub(super) account: AccountId,
    pub(super) connection: ConnectionId,
    pub(super) name: Option<String>,
}

/// The other connection that has the setting, as a plan finds it. `wanted`: the one that is to have it, where it is known.
pub(super) async fn holder(
    client: &Client,
    wanted: Option<&str>,
    stop: &CancellationToken,
) -> Option<Holder> {
    let scalr = client.scalr().ok()?.stopping_with(stop);
    let account = client.account_id().ok()?.cloned();
    let wanted = wanted.and_then(|id| ConnectionId::new(id).ok());
    scalr.in_time(look(&scalr, account, wanted), stop).await?
}

/// What is asked for it. `account`: the provider's.
async fn look(
    scalr: &Scalr,
    account: Option<AccountId>,
    wanted: Option<ConnectionId>,
) -> std::result::Result<Option<Holder>, ClientError> {
    let account = match (account, &wanted) {
        (None, Some(wanted)) => {
            let held = scalr.api.connection(wanted).await?;
            held.and_then(|held| held.relationships.account.id().cloned())
        }
        (account, _) => account,
    };
    let Some(account) = account else {
        return Ok(None);
    };
    let setting = scalr.api.audit_log_setting(&account).await?;
    let other = |id: &&ConnectionId| Some(*id) != wanted.as_ref();
    let Some(connection) = setting.as_ref().and_then(selected).filter(other).cloned() else {
        return Ok(None);
    };
    let held = scalr.api.connection(&connection).await.ok().flatten();
    Ok(Some(Holder {
        account,
        name: held.map(|held| held.attributes.name),
        connection,
    }))
}

/// The provider's account, else the connection's.
pub(super) async fn account_for(
    client: &Client,
    scalr: &Scalr,
    connection: &ConnectionId,
) -> Result<AccountId> {
    if let Some(account) = client.account_id()? {
        return Ok(account.clone());
    }
    let Some(object) = scalr.connection(connection).await? else {
        return Err(messages::no_connection(connection).into());
    };
    let account = object.relationships.account.id().cloned();
    account.ok_or_else(|| messages::account_not_known(connection).into())
}

/// The setting; none where Scalr answers that there is none.
pub(super) async fn read(scalr: &Scalr, account: &AccountId) -> Result<Option<Object<Wire>>> {
    let setting = scalr.api.audit_log_setting(account).await;
    setting.map_err(|error| failed(scalr, doing::read(account), error))
}

/// Selects a connection, and makes sure that Scalr did.
pub(super) async fn select(scalr: &Scalr, account: &AccountId, connection: &ConnectionId) -> Result<()> {
    let answer = match scalr.api.set_audit_log_setting(account, Some(connection)).await {
        Ok(answer) => answer,
        Err(ClientError::Refused(refusal))
            if refusal.status == 404 && refusal.errors.iter().all(|e| e.pointer().is_none()) =>
        {
            return Err(absent(scalr, account).await);
        }
        Err(error) => return Err(failed(scalr, doing::change(account), error)),
    };
    match selected(&answer) {
        Some(found) if found == connection => Ok(()),
        other => Err(messages::not_taken(account, other).into()),
    }
}

/// Turns the stream off.
pub(super) async fn turn_off(scalr: &Scalr, account: &AccountId) -> Result<()> {
    let off = scalr.api.set_audit_log_setting(account, None).await;
    off.map(drop)
        .map_err(|error| failed(scalr, doing::turn_off(account), error))
}

fn failed(scalr: &Scalr, doing: String, error: ClientError) -> Diagnostics {
    // A server without the endpoint may say so in another form than the API's.
    if error
        .refusal()
        .is_some_and(|refusal| matches!(refusal.status, 405 | 501))
    {
        return messages::not_offered(scalr.api.host()).into();
    }
    scalr.failed(error).attributes(ATTRIBUTES).during(doing)
}

/// Why there is no setting: no account, or no such endpoint.
pub(super) async fn absent(scalr: &Scalr, account: &AccountId) -> Diagnostics {
    match scalr.api.account(account).await {
        Ok(Some(_)) => messages::not_offered(scalr.api.host()).into(),
        Ok(None) => messages::no_account(account).into(),
        Err(error) => scalr.failed(error).during(doing::read_account(account)),
    }
}

/// An account that is gone took its setting along; a server without such settings is an error.
pub(super) async fn gone_with_account(scalr: &Scalr, account: &AccountId) -> Result<()> {
    match scalr.api.account(account).await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(messages::not_offered(scalr.api.host()).into()),
        Err(error) => Err(scalr.failed(error).during(doing::read_account(account))),
    }
}

#[cfg(test)]
mod tests {
    use scalr_api::{AuditLogSettingAttributes, AuditLogSettingRelationships, ToOne};

    use super::*;

    #[track_caller]
    fn check(enabled: bool, integration: Option<&str>, expected: Option<&str>) {
        let integration =
            integration.map_or_else(ToOne::none, |id| ToOne::to(ConnectionId::new(id).unwrap()));
        let setting = Object::<Wire> {
            relationships: AuditLogSettingRelationships {
                integration,
                ..Default::default()
            },
            ..Object::new(
                scalr_api::Id::new("acc-1").unwrap(),
                AuditLogSettingAttributes { enabled },
            )
        };
        assert_eq!(selected(&setting).map(ConnectionId::as_str), expected);
    }

    #[test]
    fn a_setting_selects_only_while_it_is_on() {
        check(true, Some("in-1"), Some("in-1"));
        check(false, Some("in-1"), None);
        check(true, None, None);
    }
}
