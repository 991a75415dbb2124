//! Objects of Scalr's by id, as refreshes and plans read them: many of them by one list.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use scalr_api::{ClientError, Connection, ConnectionId, Environment, Id, Kind, Object, Workspace};
use tfplugin::{CancellationToken, Result};

use super::Scalr;
use crate::failure::Cause as _;
use crate::shared_read::{Freshness, Heard, Keyed, Listing, Shared, Writes};

/// A list of more than so many pages (of 100 objects) is left: it would cost more than it saves.
const PAGES_MAX: u32 = 10;

/// What Scalr answers.
pub(super) type Answer<T> = std::result::Result<T, ClientError>;

/// The objects of one kind, by id.
pub type Listed<K> = Arc<BTreeMap<Id<K>, Object<K>>>;

/// What reads of connections, workspaces and environments share, since the configuration.
#[derive(Debug)]
pub(super) struct Reads {
    connections: ById<Connection>,
    all: Shared<Arc<Vec<Object<Connection>>>>,
    pub(super) workspaces: ById<Workspace>,
    pub(super) environments: ById<Environment>,
    /// Cancelled where a plan's question was not answered in time: to wait for another would only cost the same time again.
    pub(super) given_up: CancellationToken,
}

/// What reads of the objects of one kind share.
#[derive(Debug)]
pub(super) struct ById<K: Kind> {
    listing: Listing,
    /// None where the list is too long.
    list: Shared<Option<Listed<K>>>,
    one: Keyed<Id<K>, Option<Object<K>>>,
}

impl Reads {
    pub(super) fn new(writes: &Writes) -> Self {
        Self {
            connections: ById::new(writes),
            all: Shared::new(writes.clone()),
            workspaces: ById::new(writes),
            environments: ById::new(writes),
            given_up: CancellationToken::new(),
        }
    }
}

impl<K: Kind + Clone> ById<K> {
    fn new(writes: &Writes) -> Self {
        Self {
            listing: Listing::new(writes.clone()),
            list: Shared::new(writes.clone()),
            one: Keyed::new(writes.clone()),
        }
    }

    /// The list, where it is worth its requests for this object. One that fails is no failure: the object is then asked for
    /// singly.
    pub(super) async fn listed<F: Future<Output = Answer<Option<Vec<Object<K>>>>>>(
        &self,
        id: &Id<K>,
        list: impl FnOnce(u32) -> F,
    ) -> Option<Listed<K>> {
        if !self.listing.is_worth("", id.as_str()) {
            return None;
        }
        self.all(list).await
    }

    /// The list; none where it is too long, or fails.
    pub(super) async fn all<F: Future<Output = Answer<Option<Vec<Object<K>>>>>>(
        &self,
        list: impl FnOnce(u32) -> F,
    ) -> Option<Listed<K>> {
        let ask = || async {
            let all = list(PAGES_MAX).await?;
            let by_id = |all: Vec<Object<K>>| all.into_iter().map(|one| (one.id.clone(), one));
            Ok::<_, ClientError>(all.map(|all| Arc::new(by_id(all).collect())))
        };
        match self.list.hear(Freshness::Walk, ask).await {
            Heard::Answer(listed) => listed,
            Heard::Failed(_) | Heard::NoAnswer => None,
        }
    }

    /// One object, asked for singly.
    pub(super) async fn one<F: Future<Output = Answer<Option<Object<K>>>>>(
        &self,
        id: &Id<K>,
        ask: impl Fn() -> F,
    ) -> Answer<Option<Object<K>>> {
        self.one.of(id).read(Freshness::Walk, ask).await
    }
}

impl Scalr {
    /// The connection of that id, for a refresh; `None` when there is none. What a list says is taken where the state says the
    /// same (`is_known`). What is not in the list, or differs, is asked for singly before anything is called gone or changed.
    pub async fn refreshed(
        &self,
        id: &ConnectionId,
        is_known: impl Fn(&Object<Connection>) -> bool,
    ) -> Result<Option<Object<Connection>>> {
        let answer = self.connection_of_walk(id, is_known).await;
        answer.map_err(|error| self.failed(error).during(reading(id)))
    }

    /// The same, its error as the client gives it.
    pub(super) async fn connection_of_walk(
        &self,
        id: &ConnectionId,
        is_known: impl Fn(&Object<Connection>) -> bool,
    ) -> Answer<Option<Object<Connection>>> {
        let of = &self.reads.connections;
        let listed = of.listed(id, |pages| self.api.connections_within(pages)).await;
        if let Some(listed) = listed.and_then(|all| all.get(id).cloned()).filter(is_known) {
            return Ok(Some(listed));
        }
        of.one(id, || self.api.connection(id)).await
    }

    /// All connections, as of this walk, for a plan; none where Scalr does not say, or has very many. Refreshes share the answer.
    pub async fn connections_of_walk(&self, stop: &CancellationToken) -> Option<Listed<Connection>> {
        let scalr = self.stopping_with(stop);
        let list = |pages| scalr.api.connections_within(pages);
        let asked = async { Ok(scalr.reads.connections.all(list).await) };
        self.in_time(asked, stop).await?
    }

    /// All connections, as they are now. Those who ask while others wait for an answer share the next one: each bus of an
    /// apply looks for its connection.
    pub async fn connections(&self) -> Answer<Arc<Vec<Object<Connection>>>> {
        let ask = || async { self.api.connections(None).await.map(Arc::new) };
        self.reads.all.read(Freshness::Now, ask).await
    }
}

/// What was being done when a read failed.
pub(super) fn reading(id: &ConnectionId) -> String {
    format!("read the connection `{id}`")
}
