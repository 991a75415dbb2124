//! What AWS shows of the connection's event source while the connection is refreshed: a bus without rules, which drops
//! the events that Scalr holds, or no bus at all, which no waiting changes.

use std::time::Duration;

use scalr_api::{Connection as Wire, Object};
use tfplugin::{ClientOf, Operation};
use tokio::time::Instant;

use crate::client::Client;
use crate::resources::messages::not_received;
use crate::resources::receiving::{Bus, Place, Receiver};

/// How long a bus that this configuration does not make may take to appear.
const BUS_WITHIN: Duration = Duration::from_secs(15);

/// Whether AWS can be asked.
enum Side {
    NotAsked,
    Reached(Receiver),
    /// There are no credentials for the account, or AWS gave no answer: it is not asked again.
    Silent,
}

/// AWS's side during one refreshing.
pub(super) struct Watch<'a, 'o, T> {
    operation: &'a Operation<'o, T>,
    targets_first: &'static str,
    since: Instant,
    side: Side,
    /// The bus as it was last seen.
    bus: Option<Bus>,
}

impl<'a, 'o, T> Watch<'a, 'o, T> {
    pub(super) fn new(operation: &'a Operation<'o, T>, targets_first: &'static str) -> Self {
        Self {
            operation,
            targets_first,
            since: Instant::now(),
            side: Side::NotAsked,
            bus: None,
        }
    }

    /// Looks before a refresh, until there is a bus: the refresh releases the events that Scalr holds.
    pub(super) async fn look<K>(&mut self, found: &Object<Wire>)
    where
        T: ClientOf<K, Client = Client>,
    {
        if !matches!(self.bus, None | Some(Bus::Missing)) {
            return;
        }
        if let Side::NotAsked = self.side {
            let receiver = self.reach(found).await;
            self.side = receiver.map_or(Side::Silent, Side::Reached);
        }
        let Side::Reached(receiver) = &self.side else {
            return;
        };
        self.bus = receiver.bus().await;
        if self.bus.is_none() {
            self.side = Side::Silent;
        }
        let warning = self
            .bus
            .as_ref()
            .and_then(|bus| not_received(bus, &found.attributes, self.targets_first));
        if let Some(warning) = warning {
            self.operation.warn(warning);
        }
    }

    async fn reach<K>(&self, found: &Object<Wire>) -> Option<Receiver>
    where
        T: ClientOf<K, Client = Client>,
    {
        let wire = &found.attributes;
        let place = Place {
            source: wire.event_source.as_deref()?,
            account: &wire.aws_account_id,
            region: &wire.region,
        };
        Receiver::of(self.operation, place).await
    }

    /// Whether there is no bus, and nothing in this apply makes one.
    pub(super) fn is_in_vain<K>(&self, found: &Object<Wire>) -> bool
    where
        T: ClientOf<K, Client = Client>,
    {
        let source = found.attributes.event_source.as_deref().unwrap_or_default();
        self.bus == Some(Bus::Missing)
            && self.since.elapsed() >= BUS_WITHIN
            && !self.operation.client().walk().associates(source)
    }
}
