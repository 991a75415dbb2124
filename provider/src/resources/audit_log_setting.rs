//! `scalr_audit_log_setting`: which connection receives an account's AuditLog events.

use scalr_api::{AccountId, AuditLogSetting as Wire, ClientError, ConnectionId, Object};
use tfplugin::{Action, Attrs, Cx, Diagnostic, Diagnostics, Identity, Plan, Resource, Result};

use crate::aws::import_id;
use crate::check;
use crate::client::{Client, Scalr, connection_id};
use crate::error::ScalrError;

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("/data/relationships/integration", "connection_id"),
    ("/data/attributes/enabled", "connection_id"),
];

/// Private state: the connection that our own apply selected. A refresh overwrites `connection_id` with what someone else
/// selected, and destroy must not turn that off. `managed` shows the difference, so that a plan can mend it.
const OURS: &str = "selected";

/// Streams the audit log of a Scalr account to a connection (Account settings > Audit logs).
///
/// There is one such setting an account. Destroying it turns the audit log's stream off, if it still selects this connection.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct AuditLogSetting {
    /// Connection that receives the AuditLog events, `in-…`. Use the `connection_id` of its `scalr_eventbridge_activation`, so that the connection is active first.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// Scalr account of the setting: the provider's `account_id`, else the connection's account.
    #[tf(computed, keep)]
    account_id: Option<String>,
    /// Whether this resource made the selection. It is `false` when someone else has made it since: the next apply takes it over. Destroy turns off only a selection of its own.
    #[tf(computed)]
    managed: Option<bool>,
}

impl Resource for AuditLogSetting {
    const NAME: &'static str = "audit_log_setting";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["account_id"]);

    async fn create(plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let wanted = connection_id(&plan.connection_id, "connection_id")?;
        let account = account_for(cx.client(), &scalr, &wanted).await?;
        let current = scalr.api.audit_log_setting(&account).await;
        let current = current.map_err(|error| failed(&scalr, "read", &account, error))?;
        let Some(current) = current else {
            return Err(absent(&scalr, &account).await);
        };
        match selected(&current) {
            // One that was set by an interrupted apply is taken up; another's stream is not taken from it.
            Some(other) if *other != wanted => return Err(taken(&account, other).into()),
            Some(_) => {}
            None => select(&scalr, &account, &wanted).await?,
        }
        Ok(plan.made(account, cx))
    }

    async fn read(state: Self, cx: &mut Cx<'_, Self>) -> Result<Option<Self>> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let account = state.account()?;
        let setting = scalr.api.audit_log_setting(&account).await;
        let setting = setting.map_err(|error| failed(&scalr, "read", &account, error))?;
        let Some(setting) = setting else {
            // An account that is gone took its setting along; a server without such settings is an error.
            let there = scalr.api.account(&account).await;
            return match there
                .map_err(|error| scalr.failed(format!("read the account `{account}`"), error))?
            {
                Some(_) => Err(not_offered(&scalr).into()),
                None => Ok(None),
            };
        };
        // Off is gone: the next plan turns it on again.
        let Some(id) = selected(&setting) else {
            return Ok(None);
        };
        // Imported: what is selected now is what is managed.
        let ours = cx.private(OURS).unwrap_or_else(|| {
            cx.set_private(OURS, id.as_str().as_bytes());
            id.as_str().as_bytes().to_vec()
        });
        Ok(Some(Self {
            connection_id: id.to_string(),
            managed: Some(ours == id.as_str().as_bytes()),
            ..state
        }))
    }

    async fn update(prior: Self, plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let account = prior.account()?;
        select(
            &scalr,
            &account,
            &connection_id(&plan.connection_id, "connection_id")?,
        )
        .await?;
        Ok(plan.made(account, cx))
    }

    async fn delete(state: Self, cx: &mut Cx<'_, Self>) -> Result<()> {
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        let account = state.account()?;
        let setting = scalr.api.audit_log_setting(&account).await;
        let setting = setting.map_err(|error| failed(&scalr, "read", &account, error))?;
        let ours = cx
            .private(OURS)
            .unwrap_or_else(|| state.connection_id.clone().into_bytes());
        match setting.as_ref().and_then(selected) {
            Some(id) if id.as_str().as_bytes() == ours => {
                let off = scalr.api.set_audit_log_setting(&account, None).await;
                off.map_err(|error| failed(&scalr, "turn off", &account, error))?;
            }
            Some(other) => cx.warn(left(&account, other, &String::from_utf8_lossy(&ours))),
            None => {}
        }
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        // An update that only takes over a selection made elsewhere shows as `false -> true`.
        if plan.action() != Action::Delete {
            plan.set("managed", true);
        }
        Ok(())
    }

    fn parse_import_id(id: &str) -> Result<Vec<(&'static str, String)>> {
        check::account_id(id).map_err(|reason| {
            Diagnostic::error(format!("Import id `{}` cannot be used", id.escape_debug())).detail(format!(
                "It {reason}: the setting is imported by its account. Nothing was imported."
            ))
        })?;
        Ok(vec![("account_id", id.to_owned())])
    }
}

impl AuditLogSetting {
    /// The selection as this resource has just made it.
    fn made(self, account: AccountId, cx: &mut Cx<'_, Self>) -> Self {
        cx.set_private(OURS, self.connection_id.as_bytes());
        Self {
            account_id: Some(account.into_string()),
            managed: Some(true),
            ..self
        }
    }

    fn account(&self) -> Result<AccountId> {
        AccountId::new(self.account_id.as_deref().unwrap_or_default()).map_err(|error| {
            Diagnostic::error("Not the id of an account")
                .detail(format!("{error}."))
                .at("account_id")
                .into()
        })
    }
}

/// The connection that the setting selects, if it is on.
fn selected(setting: &Object<Wire>) -> Option<&ConnectionId> {
    setting
        .relationships
        .integration
        .id()
        .filter(|_| setting.attributes.enabled)
}

/// The provider's account, else the connection's.
async fn account_for(client: &Client, scalr: &Scalr, connection: &ConnectionId) -> Result<AccountId> {
    if let Some(account) = client.account_id()? {
        return Ok(account.clone());
    }
    let Some(object) = scalr.connection(connection).await? else {
        return Err(
            Diagnostic::error(format!("There is no connection `{connection}`"))
                .detail("Scalr has no such connection, or the token may not see it. Nothing was changed.")
                .at("connection_id")
                .into(),
        );
    };
    object.relationships.account.id().cloned().ok_or_else(|| {
        Diagnostic::error("The account of the audit-log setting is not known")
            .detail(format!(
                "Scalr does not say which account the connection `{connection}` belongs to. Nothing was changed. Set \
                 `account_id` in the provider's configuration."
            ))
            .into()
    })
}

async fn select(scalr: &Scalr, account: &AccountId, connection: &ConnectionId) -> Result<()> {
    let answer = match scalr.api.set_audit_log_setting(account, Some(connection)).await {
        Ok(answer) => answer,
        Err(ClientError::Refused(refusal))
            if refusal.status == 404 && refusal.errors.iter().all(|e| e.pointer().is_none()) =>
        {
            return Err(absent(scalr, account).await);
        }
        Err(error) => return Err(failed(scalr, "change", account, error)),
    };
    if selected(&answer) == Some(connection) {
        return Ok(());
    }
    Err(Diagnostic::error("Scalr did not take the audit-log setting")
        .detail(format!(
            "Scalr took the call, and answers that the audit log of `{account}` is {}. The next plan shows it as it is then.",
            selected(&answer).map_or("not streamed".to_owned(), |id| format!("streamed to `{id}`"))
        ))
        .at("connection_id")
        .into())
}

fn failed(scalr: &Scalr, doing: &str, account: &AccountId, error: ClientError) -> Diagnostics {
    // A server without the endpoint may say so in another form than the API's.
    if error
        .refusal()
        .is_some_and(|refusal| matches!(refusal.status, 405 | 501))
    {
        return not_offered(scalr).into();
    }
    let error: ScalrError = scalr.failed(
        format!("{doing} the audit-log setting of account `{account}`"),
        error,
    );
    error.attributes(ATTRIBUTES).into()
}

/// Why there is no setting: no account, or no such endpoint.
async fn absent(scalr: &Scalr, account: &AccountId) -> Diagnostics {
    match scalr.api.account(account).await {
        Ok(Some(_)) => not_offered(scalr).into(),
        Ok(None) => Diagnostic::error(format!("There is no Scalr account `{account}`"))
            .detail(
                "Scalr has no such account, or the token may not see it. Nothing was changed. Is `account_id` in the \
                 provider's configuration right?",
            )
            .into(),
        Err(error) => scalr.failed(format!("read the account `{account}`"), error).into(),
    }
}

fn not_offered(scalr: &Scalr) -> Diagnostic {
    Diagnostic::error("This Scalr server has no API for the audit-log setting").detail(format!(
        "`{}` does not offer `/accounts/ACCOUNT/audit-log-setting`. Nothing was changed.\n\nSelect the connection by hand in \
         Scalr: account scope > Settings > Audit logs. Then remove this resource from the configuration (and, where it is in \
         the state, `terraform state rm` it).",
        scalr.api.host()
    ))
}

fn taken(account: &AccountId, other: &ConnectionId) -> Diagnostic {
    Diagnostic::error(format!("The audit log of account `{account}` is streamed to another connection"))
        .detail(format!(
            "There is one audit-log setting an account, and it selects `{other}`. It was left as it is, so that nobody's \
             stream ends unasked.\n\nTo manage it with this resource, apply again with this block; the plan then shows the \
             change of `connection_id`:\n\n{}",
            import_id::block(account.as_str())
        ))
        .at("connection_id")
}

fn left(account: &AccountId, selected: &ConnectionId, ours: &str) -> Diagnostic {
    Diagnostic::warning("The audit-log setting was left on").detail(format!(
        "The setting of account `{account}` selects `{selected}`. This resource last selected `{ours}`, so the selection is \
         not its own, and it was left as it is.\n\nTo turn the audit log's stream off all the same: Scalr, account scope > \
         Settings > Audit logs."
    ))
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

    #[test]
    fn a_taken_setting_says_how_to_take_it_up() {
        let text = taken(
            &AccountId::new("acc-1").unwrap(),
            &ConnectionId::new("in-2").unwrap(),
        )
        .to_string();
        assert!(
            text.contains("it selects `in-2`") && text.contains("    id = \"acc-1\"\n"),
            "{text}"
        );
    }
}
