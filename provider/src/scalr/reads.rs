//! Connections as a refresh reads them: many of them by one list.

use std::collections::BTreeMap;
use std::sync::Arc;

use scalr_api::{ClientError, Connection, ConnectionId, Object};
use tfplugin::Result;

use super::Scalr;
use crate::failure::Cause as _;
use crate::shared_read::{Freshness, Heard, Keyed, Listing, Shared, Writes};

/// A list of more than so many pages (of 100 connections) is left: it would cost more than it saves.
const PAGES_MAX: u32 = 10;

type Listed = BTreeMap<ConnectionId, Object<Connection>>;

/// What reads of connections share, since the configuration.
#[derive(Debug)]
pub(super) struct Reads {
    listing: Listing,
    /// None where the list is too long.
    list: Shared<Option<Arc<Listed>>>,
    one: Keyed<ConnectionId, Option<Object<Connection>>>,
    all: Shared<Arc<Vec<Object<Connection>>>>,
}

impl Reads {
    pub(super) fn new(writes: &Writes) -> Self {
        Self {
            listing: Listing::new(writes.clone()),
            list: Shared::new(writes.clone()),
            one: Keyed::new(writes.clone()),
            all: Shared::new(writes.clone()),
        }
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
        if let Some(listed) = self.listed(id).await.filter(is_known) {
            return Ok(Some(listed));
        }
        let one = self.reads.one.of(id);
        let answer = one.read(Freshness::Walk, || self.api.connection(id)).await;
        answer.map_err(|error| self.failed(error).during(reading(id)))
    }

    /// All connections, as they are now. Those who ask while others wait for an answer share the next one: each bus of an
    /// apply looks for its connection.
    pub async fn connections(&self) -> std::result::Result<Arc<Vec<Object<Connection>>>, ClientError> {
        let ask = || async { self.api.connections(None).await.map(Arc::new) };
        self.reads.all.read(Freshness::Now, ask).await
    }

    /// The connection as a list shows it, where one is worth its requests. A list that fails is no failure: the connection is
    /// then asked for singly.
    async fn listed(&self, id: &ConnectionId) -> Option<Object<Connection>> {
        if !self.reads.listing.is_worth("", id.as_str()) {
            return None;
        }
        match self.reads.list.hear(Freshness::Walk, || self.list()).await {
            Heard::Answer(listed) => listed?.get(id).cloned(),
            Heard::Failed(_) | Heard::NoAnswer => None,
        }
    }

    async fn list(&self) -> std::result::Result<Option<Arc<Listed>>, ClientError> {
        let all = self.api.connections_within(PAGES_MAX).await?;
        let by_id = |all: Vec<Object<Connection>>| all.into_iter().map(|one| (one.id.clone(), one));
        Ok(all.map(|all| Arc::new(by_id(all).collect())))
    }
}

/// What was being done when a read failed.
pub(super) fn reading(id: &ConnectionId) -> String {
    format!("read the connection `{id}`")
}
