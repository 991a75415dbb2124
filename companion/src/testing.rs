//! What unit tests are made of: a store in a folder of its own, and a companion around it.

use std::sync::Arc;

use scalr_api::{AccountId, ConnectionId, EnvironmentId, Status, WorkspaceId};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::app::{App, Owner};
use crate::partner::Partner;
use crate::sources::Sources;
use crate::store::{
    self, Bounds, DirLock, Durability, Installation, NewConnection, NewEvent, SourceKey, Store,
};
use crate::token::Token;

/// A companion that listens nowhere, with an AWS that nobody reaches.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) partner: Partner,
    _alone: DirLock,
    _dir: TempDir,
}

/// The token of a bench.
pub(crate) const TOKEN: &str = "bench-token";
/// Its account.
pub(crate) const ACCOUNT: &str = "acc-1";
/// When its events are accepted.
pub(crate) const ACCEPTED_MS: i64 = 10_000;
/// More than any test holds.
pub(crate) const BOUNDS: Bounds = Bounds {
    bytes_max: 1 << 30,
    age_ms_max: 1 << 60,
};

impl Bench {
    /// A new one.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let alone = store::lock(dir.path()).unwrap();
        let store = Store::open(dir.path(), &alone, Durability::None).await.unwrap();
        let installation = Installation {
            token: Token::new(TOKEN),
            account_id: AccountId::new(ACCOUNT).unwrap(),
            account_name: "local".into(),
            environment_id: EnvironmentId::new("env-1").unwrap(),
            workspace_id: WorkspaceId::new("ws-1").unwrap(),
        };
        let mut tx = store.begin().await.unwrap();
        tx.install(&installation, ("development", "network"))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        // Nothing listens on this port.
        let partner = Partner::local("http://127.0.0.1:1", "999900001111");
        let app = App {
            sources: Sources::new(store.clone(), partner.clone()),
            store,
            bounds: BOUNDS,
            deliver: Arc::new(Notify::new()),
            step: Arc::new(Notify::new()),
            owner: Arc::new(Owner {
                token: installation.token,
                account_id: installation.account_id,
                account_name: installation.account_name,
            }),
        };
        Self {
            app,
            partner,
            _alone: alone,
            _dir: dir,
        }
    }

    /// Makes a connection in a region of its own, in this status.
    pub(crate) async fn connect(&self, name: &str, region: &str, status: &Status) -> ConnectionId {
        let new = NewConnection {
            id: ConnectionId::new(format!("in-{name}")).unwrap(),
            account_id: AccountId::new(ACCOUNT).unwrap(),
            name: name.into(),
            source: SourceKey {
                name: format!("aws.partner/scalr.com/local/{name}"),
                region: region.into(),
                aws_account_id: "123456789012".into(),
            },
            now_ms: 0,
        };
        let mut tx = self.app.store.begin().await.unwrap();
        tx.insert_connection(&new).await.unwrap();
        tx.set_source_made(&new.id, true).await.unwrap();
        tx.set_status(&new.id, status, None).await.unwrap();
        tx.commit().await.unwrap();
        new.id
    }

    /// Has events accepted for a connection.
    pub(crate) async fn accept(&self, id: &ConnectionId, events: usize, bounds: Bounds) {
        let mut tx = self.app.store.begin().await.unwrap();
        for at in 0..events {
            let event = NewEvent {
                event_id: format!("e-{at}"),
                lane: "w".into(),
                detail_type: "RunExecuted",
                detail: "{}".into(),
                time_ms: 0,
            };
            tx.enqueue(id, &event, bounds, ACCEPTED_MS).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}
