//! What users read of the audit-log setting.

use scalr_api::{AccountId, ConnectionId, Host, InvalidId};
use tfplugin::{Diagnostic, Resource as _};

use super::AuditLogSetting;
use crate::failure::import_block;

/// What failed is named by what was being done.
pub(super) mod doing {
    use scalr_api::AccountId;

    pub(in super::super) fn read(account: &AccountId) -> String {
        format!("read the audit-log setting of account `{account}`")
    }

    pub(in super::super) fn change(account: &AccountId) -> String {
        format!("change the audit-log setting of account `{account}`")
    }

    pub(in super::super) fn turn_off(account: &AccountId) -> String {
        format!("turn off the audit-log setting of account `{account}`")
    }

    pub(in super::super) fn read_account(account: &AccountId) -> String {
        format!("read the account `{account}`")
    }
}

pub(super) fn not_an_account(error: &InvalidId) -> Diagnostic {
    Diagnostic::error("Not the id of an account")
        .detail(format!("{error}."))
        .at(AuditLogSetting::account_id())
}

pub(super) fn no_connection(connection: &ConnectionId) -> Diagnostic {
    Diagnostic::error(format!("There is no connection `{connection}`"))
        .detail("Scalr has no such connection, or the token may not see it. Nothing was changed.")
        .at(AuditLogSetting::connection_id())
}

pub(super) fn account_not_known(connection: &ConnectionId) -> Diagnostic {
    Diagnostic::error("The account of the audit-log setting is not known").detail(format!(
        "Scalr does not say which account the connection `{connection}` belongs to. Nothing was changed. Set `account_id` \
         in the provider's configuration."
    ))
}

pub(super) fn not_taken(account: &AccountId, selected: Option<&ConnectionId>) -> Diagnostic {
    Diagnostic::error("Scalr did not accept the audit-log setting")
        .detail(format!(
            "Scalr took the call, and answers that the audit log of `{account}` is {}. The next plan shows it as it is then.",
            selected.map_or("not streamed".to_owned(), |id| format!("streamed to `{id}`"))
        ))
        .at(AuditLogSetting::connection_id())
}

pub(super) fn no_account(account: &AccountId) -> Diagnostic {
    Diagnostic::error(format!("There is no Scalr account `{account}`")).detail(
        "Scalr has no such account, or the token may not see it. Nothing was changed. Is `account_id` in the provider's \
         configuration right?",
    )
}

/// An import found the setting off.
pub(super) fn off(account: &AccountId, host: &Host) -> Diagnostic {
    Diagnostic::error(format!("The audit log of account `{account}` is not streamed")).detail(format!(
        "`{host}` has the setting, and it selects no connection, so there is nothing to import. Nothing was imported. Create \
         the resource instead."
    ))
}

pub(super) fn not_offered(host: &Host) -> Diagnostic {
    Diagnostic::error("This Scalr server has no API for the audit-log setting").detail(format!(
        "`{host}` does not offer `/accounts/ACCOUNT/audit-log-setting`. Nothing was changed.\n\nSelect the connection by hand \
         in Scalr: account scope > Settings > Audit logs. Then remove this resource from the configuration (and, where it is \
         in the state, `terraform state rm` it)."
    ))
}

pub(super) fn taken(account: &AccountId, other: &ConnectionId) -> Diagnostic {
    Diagnostic::error(format!("The audit log of account `{account}` is streamed to another connection"))
        .detail(format!(
            "There is one audit-log setting an account, and it selects `{other}`. It was left as it is, so that nobody's \
             stream ends unasked.\n\nTo manage it with this resource, apply again with this block; the plan then shows the \
             change of `connection_id`:\n\n{}",
            import_block(AuditLogSetting::NAME, &[account.as_str()], account)
        ))
        .at(AuditLogSetting::connection_id())
}

/// With the plan: the apply will be refused. `name`: that of the connection, where Scalr gives it.
pub(super) fn held_by_another(account: &AccountId, other: &ConnectionId, name: Option<&str>) -> Diagnostic {
    let named = name.map_or_else(|| format!("`{other}`"), |name| format!("`{name}` (`{other}`)"));
    Diagnostic::warning(format!(
        "The audit log of account `{account}` is streamed to another connection"
    ))
    .detail(format!(
        "There is one audit-log setting an account, and it selects the connection {named}. The apply does not take it over: it ends \
         with an error here and leaves the setting as it is, unless the setting is turned off before.\n\nTo manage it with this \
         resource, add this block; the plan then shows the change of `connection_id`:\n\n{}\n\nTo keep the stream to {named}, \
         remove this resource from the configuration.",
        import_block(AuditLogSetting::NAME, &[name.unwrap_or(account.as_str())], account)
    ))
    .at(AuditLogSetting::connection_id())
}

/// A plan selects another connection than somebody else has.
pub(super) fn anothers_stream_ends(prior: &AuditLogSetting, wanted: Option<&str>) -> Diagnostic {
    let (account, other) = (
        prior.account_id.as_deref().unwrap_or_default(),
        &prior.connection_id,
    );
    let wanted = wanted.map_or("another connection".to_owned(), |id| format!("`{id}`"));
    Diagnostic::warning(format!("The audit log of account `{account}` was given to another connection"))
        .detail(format!(
            "Since the last apply something else, such as another configuration or Scalr's pages, selected `{other}`. The \
             apply selects {wanted}, which ends the stream to `{other}`.\n\nWhere `{other}` is right, write it as \
             `connection_id`, or take this resource out of the state with a `removed` block and `destroy = false`."
        ))
        .at(AuditLogSetting::connection_id())
}

pub(super) fn left_on(account: &AccountId, selected: &ConnectionId, ours: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The audit-log setting of account `{account}` was left on"
    ))
    .detail(format!(
        "The setting selects `{selected}`. This resource last selected `{ours}`, so the selection is \
         not its own, and it was left as it is.\n\nTo turn audit logs off anyway: Scalr, account scope > \
         Settings > Audit logs."
    ))
}
