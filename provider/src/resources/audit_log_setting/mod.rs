//! `scalr_audit_log_setting`: which connection receives an account's AuditLog events.

mod messages;
mod scalr;

use scalr_api::AccountId;
use tfplugin::{Attrs, Identity, Operation, Plan, Resource, Result};

use super::messages::adopted;
use super::{handover, known_ids};
use crate::check;
use crate::client::Client;
use crate::ownership::{Object, Owner, Turn};
use crate::scalr::connection_id;
use scalr::{absent, account_for, read, selected};

/// Private state: the connection that our own apply selected. A refresh overwrites `connection_id` with what someone else
/// selected, and destroy must not turn that off. `managed` shows the difference, so that a plan can repair it.
const OURS: &str = "selected";

/// Sends the audit logs of a Scalr account to a connection (Account settings > Audit logs).
///
/// An account has one such setting. If another connection has it, the plan says which one, and the apply fails. Destroying it turns audit logs off, if the setting still selects this connection.
///
/// Use a `moved` block to change its address. Without one, within one apply, the new address adopts the setting and the destroy of the old address leaves it. Scalr does not record who selected the connection: if that apply is killed in between, the next apply turns audit logs off, and the plan after that turns them on. The same is true with `create_before_destroy`.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct AuditLogSetting {
    /// Connection that receives the AuditLog events, `in-…`. Use the `connection_id` of its `scalr_eventbridge_activation`, so that the connection is active first.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// Scalr account of the setting: the provider's `account_id`, else the connection's account.
    #[tf(computed, use_state_for_unknown, check = check::account_id)]
    account_id: Option<String>,
    /// Whether this resource made the selection. `false` if someone else has made it since: the next apply takes it back. A destroy turns off only its own selection.
    #[tf(computed)]
    managed: Option<bool>,
}

impl Resource for AuditLogSetting {
    const NAME: &'static str = "audit_log_setting";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["account_id"]);

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let wanted = connection_id(&plan.connection_id, Self::connection_id())?;
        let account = account_for(operation.client(), &scalr, &wanted).await?;
        let object = object(&account);
        let mut turn = handover::turn_to_create(operation, &object).await?;
        let Some(current) = read(&scalr, &account).await? else {
            return Err(absent(&scalr, &account).await);
        };
        match selected(&current) {
            // One that an interrupted apply set is adopted; another's stream is not taken from it.
            Some(other) if *other != wanted => return Err(messages::taken(&account, other).into()),
            Some(_) => {
                handover::refuse_made_by_two(&turn, &object)?;
                operation.warn(adopted(&object));
            }
            None => scalr::select(&scalr, &account, &wanted).await?,
        }
        Ok(plan.made(account, operation, &mut turn))
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let account = state.account()?;
        // An import knows the account alone.
        let imported = state.connection_id.is_empty();
        let Some(setting) = read(&scalr, &account).await? else {
            if imported {
                return Err(absent(&scalr, &account).await);
            }
            return scalr::gone_with_account(&scalr, &account).await.map(|()| None);
        };
        // Off is gone: the next plan turns it on again.
        let Some(id) = selected(&setting) else {
            return if imported {
                Err(messages::off(&account, scalr.api.host()).into())
            } else {
                Ok(None)
            };
        };
        // Imported: what is selected now is what is managed.
        let ours = operation.private(OURS).unwrap_or_else(|| {
            operation.set_private(OURS, id.as_str().as_bytes());
            id.as_str().as_bytes().to_vec()
        });
        Ok(Some(Self {
            connection_id: id.to_string(),
            managed: Some(ours == id.as_str().as_bytes()),
            ..state
        }))
    }

    async fn update(prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let account = prior.account()?;
        let wanted = connection_id(&plan.connection_id, Self::connection_id())?;
        let mut turn = handover::turn(operation, &object(&account)).await?;
        scalr::select(&scalr, &account, &wanted).await?;
        Ok(plan.made(account, operation, &mut turn))
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let account = state.account()?;
        let object = object(&account);
        let mut turn = handover::turn(operation, &object).await?;
        if handover::is_anothers(operation, &turn, &object) {
            return Ok(());
        }
        let setting = read(&scalr, &account).await?;
        let ours = operation
            .private(OURS)
            .unwrap_or_else(|| state.connection_id.clone().into_bytes());
        match setting.as_ref().and_then(selected) {
            Some(id) if id.as_str().as_bytes() == ours => {
                scalr::turn_off(&scalr, &account).await?;
            }
            Some(other) => operation.warn(messages::left_on(
                &account,
                other,
                &String::from_utf8_lossy(&ours),
            )),
            None => {}
        }
        turn.disown(Owner::of(operation).as_ref());
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        // An update that only adopts a selection made elsewhere shows as `false -> true`.
        plan.set(Self::managed(), true);
        known_ids::check_connection(plan, Self::connection_id()).await;
        warn_of_another(plan);
        warn_of_holder(plan).await;
        Ok(())
    }
}

/// Warns where an update ends a stream that somebody else has begun since the last apply.
fn warn_of_another(plan: &mut Plan<'_, AuditLogSetting>) {
    let Some(prior) = plan.prior().filter(|prior| prior.managed == Some(false)) else {
        return;
    };
    let wanted = plan.planned(AuditLogSetting::connection_id()).known();
    if wanted.as_ref() != Some(&prior.connection_id) {
        let warning = messages::anothers_stream_ends(prior, wanted.as_deref());
        plan.warn(warning);
    }
}

/// Warns where the apply will find the setting with another connection. What Scalr does not say is no finding.
async fn warn_of_holder(plan: &mut Plan<'_, AuditLogSetting>) {
    if plan.prior().is_some() || plan.is_within_apply() {
        return;
    }
    let wanted = plan.planned(AuditLogSetting::connection_id()).known();
    let found = match plan.client() {
        Some(client) => scalr::holder(client, wanted.as_deref(), plan.cancelled()).await,
        None => None,
    };
    if let Some(holder) = found {
        let name = holder.name.as_deref();
        plan.warn(messages::held_by_another(
            &holder.account,
            &holder.connection,
            name,
        ));
    }
}

/// The setting of an account, of which there is one. Scalr keeps no mark of whose it is: a new process cannot tell.
fn object(account: &AccountId) -> Object {
    Object::AuditLogSetting {
        account: account.to_string(),
    }
}

impl AuditLogSetting {
    /// The selection as this resource has just made it.
    fn made(self, account: AccountId, operation: &Operation<'_, Self>, turn: &mut Turn) -> Self {
        operation.set_private(OURS, self.connection_id.as_bytes());
        turn.own(&Owner::ensure(operation));
        Self {
            account_id: Some(account.into_string()),
            managed: Some(true),
            ..self
        }
    }

    fn account(&self) -> Result<AccountId> {
        let text = self.account_id.as_deref().unwrap_or_default();
        AccountId::new(text).map_err(|error| messages::not_an_account(&error).into())
    }
}
