//! Each changing call becomes an AuditLog event, in the transaction of the change itself.

use scalr_api::AccountId;
use scalr_events::{AccessToken, Actor, AuditLog, CallOutcome, Context, Named, Request, Target};

use crate::caller::{Caller, Sender, USER_EMAIL, USER_ID};
use crate::clock::{self, Clock};
use crate::ids;
use crate::store::{NewEvent, Result, Tx, WorkspaceScope, outbox};

/// What a call changed.
pub(crate) struct Change {
    /// Such as `create-run`.
    pub(crate) action: &'static str,
    /// JSON:API type of the object.
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
    /// The scope of the workspace it belongs to, if any.
    pub(crate) scope: Option<WorkspaceScope>,
    /// HTTP status of the answer.
    pub(crate) status: u16,
}

/// Records a caller's change in the transaction that makes it.
pub(crate) async fn record(tx: &mut Tx, clock: &Clock, caller: &Caller, change: &Change) -> Result<()> {
    record_in(
        tx,
        clock,
        (&caller.account_id, &caller.account_name),
        &caller.sender,
        change,
    )
    .await
}

/// The same of a change that an operator makes in this account.
pub(crate) async fn record_in(
    tx: &mut Tx,
    clock: &Clock,
    account: (&AccountId, &str),
    by: &Sender,
    change: &Change,
) -> Result<()> {
    let at = clock.look();
    let log = log(account, by, change, ids::request(), at.wall_ms);
    let event = NewEvent::audit_log(account.0.clone(), &log, at)?;
    outbox::accept(tx, &event).await?;
    Ok(())
}

fn log(
    account: (&AccountId, &str),
    by: &Sender,
    change: &Change,
    request_id: String,
    wall_ms: i64,
) -> AuditLog {
    AuditLog {
        target: Target {
            id: change.id.clone(),
            kind: change.kind.to_owned(),
            display_name: change.name.clone(),
            context: context(account, change),
        },
        timestamp: clock::micros_without_zone(wall_ms),
        request: Request {
            id: request_id,
            action: change.action.to_owned(),
            ip_address: by.ip_address.clone(),
            source: by.source().to_owned(),
            user_agent: by.user_agent.clone(),
        },
        actor: Actor {
            id: USER_ID.to_owned(),
            email: USER_EMAIL.to_owned(),
            kind: "user".to_owned(),
            // A session has no id.
            access_token: AccessToken {
                id: (!by.by_session).then(|| by.token_id.clone()),
                kind: if by.by_session { "session" } else { "user" }.to_owned(),
                token: by.token_end.clone(),
            },
        },
        outcome: CallOutcome {
            result: "SUCCESS".to_owned(),
            status_code: change.status,
        },
        tags: tags(change),
    }
}

fn named(id: &str, name: &str) -> Named {
    Named {
        id: id.to_owned(),
        display_name: name.to_owned(),
    }
}

fn context((id, name): (&AccountId, &str), change: &Change) -> Context {
    let account = Some(named(id.as_str(), name));
    let Some(scope) = &change.scope else {
        return Context {
            account,
            ..Context::default()
        };
    };
    Context {
        environment: Some(named(scope.environment_id.as_str(), &scope.environment)),
        workspace: Some(named(scope.workspace_id.as_str(), &scope.workspace)),
        account,
    }
}

fn tags(change: &Change) -> Vec<String> {
    let mut tags = vec![
        format!("scalr-action:{}", change.action),
        format!("scalr-user-email:{USER_EMAIL}"),
    ];
    if let Some(scope) = &change.scope {
        tags.extend([
            format!("scalr-environment:{}", scope.environment_id),
            format!("scalr-environment-name:{}", scope.environment),
            format!("scalr-workspace:{}", scope.workspace_id),
            format!("scalr-workspace-name:{}", scope.workspace),
        ]);
    }
    tags
}
