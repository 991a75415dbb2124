//! Each changing call becomes an AuditLog event, in the transaction of the change itself.

use scalr_api::ConnectionId;
use scalr_events::{AccessToken, Actor, AuditLog, Context, EventType, Named, Outcome, Request, Target};

use crate::api::Caller;
use crate::app::{App, TOKEN_ID, USER_EMAIL, USER_ID};
use crate::store::{NewEvent, Place, Result, Tx};
use crate::{clock, ids};

/// What a call changed.
pub(crate) struct Change {
    /// Such as `create-run`.
    pub(crate) action: &'static str,
    /// JSON:API type of the object.
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
    /// The workspace around it, if any.
    pub(crate) place: Option<Place>,
    /// HTTP status of the answer.
    pub(crate) status: u16,
}

/// Commits a caller's change, with the event that tells of it if the setting selects a connection.
///
/// `before` is the connection that the setting selected until this change: being switched off is told to it.
pub(crate) async fn commit(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    before: Option<ConnectionId>,
    change: &Change,
) -> Result<()> {
    let now = clock::now_ms();
    if let Some(connection) = tx.audit_connection(&caller.account_id).await?.or(before) {
        let event = event(caller, change, ids::request(), now);
        tx.enqueue(&connection, &event, app.bounds, now).await?;
    }
    tx.commit().await?;
    app.deliver.notify_one();
    Ok(())
}

fn event(caller: &Caller, change: &Change, request_id: String, now_ms: i64) -> NewEvent {
    let log = AuditLog {
        target: Target {
            id: change.id.clone(),
            kind: change.kind.to_owned(),
            display_name: change.name.clone(),
            context: context(caller, change),
        },
        timestamp: clock::micros_without_zone(now_ms),
        request: Request {
            id: request_id.clone(),
            action: change.action.to_owned(),
            ip_address: caller.ip_address.clone(),
            source: "api".to_owned(),
            user_agent: caller.user_agent.clone(),
        },
        actor: Actor {
            id: USER_ID.to_owned(),
            email: USER_EMAIL.to_owned(),
            kind: "user".to_owned(),
            access_token: AccessToken {
                id: Some(TOKEN_ID.to_owned()),
                kind: "user".to_owned(),
                token: caller.token_end.clone(),
            },
        },
        outcome: Outcome {
            result: "SUCCESS".to_owned(),
            status_code: change.status,
        },
        tags: tags(change),
    };
    let lane = change
        .place
        .as_ref()
        .map_or("account", |place| place.workspace_id.as_str())
        .to_owned();
    NewEvent {
        event_id: request_id,
        lane,
        detail_type: EventType::AuditLog.as_str(),
        detail: serde_json::to_string(&log).unwrap_or_default(),
        time_ms: now_ms,
    }
}

fn named(id: &str, name: &str) -> Named {
    Named {
        id: id.to_owned(),
        display_name: name.to_owned(),
    }
}

fn context(caller: &Caller, change: &Change) -> Context {
    let account = Some(named(caller.account_id.as_str(), &caller.account_name));
    let Some(place) = &change.place else {
        return Context {
            account,
            ..Context::default()
        };
    };
    Context {
        environment: Some(named(place.environment_id.as_str(), &place.environment)),
        workspace: Some(named(place.workspace_id.as_str(), &place.workspace)),
        account,
    }
}

fn tags(change: &Change) -> Vec<String> {
    let mut tags = vec![
        format!("scalr-action:{}", change.action),
        format!("scalr-user-email:{USER_EMAIL}"),
    ];
    if let Some(place) = &change.place {
        tags.extend([
            format!("scalr-environment:{}", place.environment_id),
            format!("scalr-environment-name:{}", place.environment),
            format!("scalr-workspace:{}", place.workspace_id),
            format!("scalr-workspace-name:{}", place.workspace),
        ]);
    }
    tags
}
