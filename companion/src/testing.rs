//! What unit tests start from: a store in a folder of its own, and a companion around it.

use std::sync::{Arc, Mutex};

use scalr_api::{AccountId, ConnectionId, EnvironmentId, RunId, RunStatus, Status, WorkspaceId};
use scalr_events::EventType;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Mode};
use crate::caller::{OF_ACCOUNT, Scope, Scopes};
use crate::clock::{Clock, Moment};
use crate::intakes::Intakes;
use crate::partner::Partner;
use crate::sources::Sources;
use crate::store::{
    self, AccessToken, Bounds, Durability, Ending, Entry, Installation, NewConnection, NewEvent, NewRun,
    Place, Settlement, SourceKey, Store, Window, databases, outbox,
};
use crate::token::Token;

/// A companion that listens nowhere, with an AWS that nobody reaches.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) partner: Partner,
    _place: Place,
    _dir: TempDir,
}

/// The token of a bench.
pub(crate) const TOKEN: &str = "bench-token";
/// Its account.
pub(crate) const ACCOUNT: &str = "acc-1";
/// When its events are accepted.
pub(crate) const ACCEPTED_MS: i64 = 10_000;
/// The same, by both clocks.
pub(crate) const ACCEPTED: Moment = Moment {
    wall_ms: ACCEPTED_MS,
    now_ms: ACCEPTED_MS,
};
/// More than any test holds.
pub(crate) const BOUNDS: Bounds = Bounds {
    bytes_max: 1 << 30,
    age_ms_max: 1 << 60,
    retry_ms_max: 1 << 60,
    history_ms: 1 << 60,
    history_bytes_max: 1 << 60,
};

/// How the lease on an event ends.
pub(crate) const fn ending<'a>(lease: &'a str, seq: i64, settlement: &'a Settlement) -> Ending<'a> {
    Ending {
        seq,
        lease,
        settlement,
    }
}

/// An event of the connection of this name.
pub(crate) fn entry(name: &str) -> Entry {
    Entry {
        seq: 1,
        connection_id: ConnectionId::new(format!("in-{name}")).unwrap(),
        source: format!("aws.partner/scalr.com/local/{name}"),
        aws_account_id: "123456789012".into(),
        lane: "w".into(),
        event_id: "e".into(),
        detail_type: "T".into(),
        detail: "{}".into(),
        time_ms: 0,
        attempts: 0,
        refused_since_ms: None,
    }
}

impl Bench {
    /// A new one that holds all its events.
    pub(crate) async fn new() -> Self {
        Self::with_bounds(BOUNDS).await
    }

    /// A new one that holds events within these bounds.
    pub(crate) async fn with_bounds(bounds: Bounds) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = databases::place(dir.path()).await;
        let store = Store::open(&place, Durability::None, bounds).await.unwrap();
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
        tx.set_token(&installation.account_id, &installation.token, 0)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        // Nothing listens on this port.
        let partner = Partner::local("http://127.0.0.1:1", "999900001111");
        let clock = Clock::system(0);
        let app = App {
            sources: Sources::new(store.clone(), partner.clone(), clock.clone()),
            partner: partner.clone(),
            clock,
            faults: Arc::default(),
            store,
            mode: Mode::Dev,
            intakes: Intakes::default(),
            stop: CancellationToken::new(),
            uses: Arc::default(),
            scrapes: Arc::default(),
        };
        Self {
            app,
            partner,
            _place: place,
            _dir: dir,
        }
    }

    /// Makes a connection in a region of its own, in this status.
    pub(crate) async fn connect(&self, name: &str, region: &str, status: &Status) -> ConnectionId {
        self.connect_as(name, (region, "123456789012"), status).await
    }

    /// Makes an active connection to this AWS account: a region may have several.
    pub(crate) async fn connect_to(&self, name: &str, region: &str, aws_account: &str) -> ConnectionId {
        self.connect_as(name, (region, aws_account), &Status::Active)
            .await
    }

    async fn connect_as(
        &self,
        name: &str,
        (region, aws_account): (&str, &str),
        status: &Status,
    ) -> ConnectionId {
        let new = NewConnection {
            id: ConnectionId::new(format!("in-{name}")).unwrap(),
            account_id: AccountId::new(ACCOUNT).unwrap(),
            name: name.into(),
            source: SourceKey {
                name: format!("aws.partner/scalr.com/local/{name}"),
                region: region.into(),
                aws_account_id: aws_account.into(),
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

    /// Accepts events for one connection alone: as audit logs, while the setting selects it.
    pub(crate) async fn accept(&self, id: &ConnectionId, events: usize) {
        let account = AccountId::new(ACCOUNT).unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        tx.select_audit_connection(&account, Some(id)).await.unwrap();
        for at in 0..events {
            let event = NewEvent {
                account_id: account.clone(),
                event_type: EventType::AuditLog,
                event_id: format!("e-{at}"),
                lane: "w".into(),
                detail: "{}".into(),
                at: ACCEPTED,
            };
            let receivers = outbox::accept(&mut tx, &event).await.unwrap();
            assert_eq!(receivers, std::slice::from_ref(id));
        }
        tx.commit().await.unwrap();
    }

    /// A run of the account that has ended.
    pub(crate) async fn run(&self, id: &str) {
        let run = store::Run {
            id: RunId::new(id).unwrap(),
            workspace_id: WorkspaceId::new("ws-1").unwrap(),
            status: RunStatus::Applied,
            is_dry: false,
            is_destroy: false,
            fails: false,
            message: None,
            source: "api".into(),
            user_email: "user@example.com".into(),
            created_at_ms: 0,
        };
        let mut tx = self.app.store.begin().await.unwrap();
        tx.insert_run(&NewRun {
            run,
            step_at_ms: i64::MAX,
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes a short-lived token of the account, of this id.
    pub(crate) async fn own_token(&self, id: &str) {
        let token = Token::random(OF_ACCOUNT);
        let (account, scopes) = (AccountId::new(ACCOUNT).unwrap(), Scopes::of(&[Scope::Read]));
        let new = AccessToken {
            id: id.to_owned(),
            expires_at_ms: Some(i64::MAX),
            ..AccessToken::new(&token, Some(account), "own".into(), scopes, 0)
        };
        let mut tx = self.app.store.begin().await.unwrap();
        tx.insert_token(&new, &token).await.unwrap();
        tx.set_expiry(&new).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The details of what a connection holds, in their order.
    pub(crate) async fn held_details(&self, id: &ConnectionId) -> Vec<serde_json::Value> {
        let details = self.app.store.details_held_for(id).await;
        details
            .iter()
            .map(|detail| serde_json::from_str(detail).unwrap())
            .collect()
    }

    /// A token of this bench's account.
    pub(crate) async fn token_of_own(&self, scopes: &[Scope]) -> String {
        self.token(Some(AccountId::new(ACCOUNT).unwrap()), scopes).await
    }

    /// A token of a further account of this name.
    pub(crate) async fn token_of_another(&self, name: &str, scopes: &[Scope]) -> String {
        let account = AccountId::new(format!("acc-{name}")).unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        tx.insert_account(&account, name, 0).await.unwrap();
        tx.commit().await.unwrap();
        self.token(Some(account), scopes).await
    }

    /// Revokes all tokens of this bench's account.
    pub(crate) async fn revoke_all_tokens(&self) {
        let every = Window {
            limit: 100,
            offset: 0,
        };
        let found = self.app.store.access_tokens([Some(ACCOUNT), None], every);
        let tokens = found.await.unwrap().items;
        let mut tx = self.app.store.begin().await.unwrap();
        for token in &tokens {
            tx.revoke_token(token, 1).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// A token of an account, or an operator's.
    pub(crate) async fn token(&self, account: Option<AccountId>, scopes: &[Scope]) -> String {
        let token = Token::random("test_");
        let new = AccessToken::new(&token, account, "n".into(), Scopes::of(scopes), 0);
        let mut tx = self.app.store.begin().await.unwrap();
        tx.insert_token(&new, &token).await.unwrap();
        tx.commit().await.unwrap();
        token.reveal().to_owned()
    }
}

/// Checks that a guide has this table after its mark; with `UPDATE_EXPECT` it is written there.
pub(crate) fn table_in_guide(guide: &str, mark: &str, table: &str) {
    // A page has several tables.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let path = format!("{}/../docs/guides/{guide}", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, after) = page.split_once(&format!("{mark}\n")).expect(mark);
    let rest = after
        .lines()
        .skip_while(|line| line.starts_with('|'))
        .flat_map(|line| [line, "\n"]);
    let want: String = [before, mark, "\n", table].into_iter().chain(rest).collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, want).unwrap();
    } else {
        assert_eq!(page, want, "UPDATE_EXPECT=1 writes the table");
    }
}
