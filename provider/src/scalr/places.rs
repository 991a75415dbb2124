//! Where the connections lead to, as plans ask for it: each name once in a walk, and for a short time. Where Scalr gives no
//! answer, nothing is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use scalr_api::{Connection, Object};
use tfplugin::CancellationToken;
use tokio::sync::Mutex;

use super::Scalr;

/// Where a connection leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The connection's name.
    pub connection: String,
    /// The event source, and so the bus.
    pub source: String,
    /// The AWS account.
    pub account: String,
    /// The region.
    pub region: String,
}

/// What is known since the last Configure.
#[derive(Debug, Default)]
pub struct Places(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    /// By the connection's name; `None` for all connections. Where Scalr refuses or gives no answer, nothing is known until
    /// connections change.
    answers: BTreeMap<Option<String>, Option<Arc<[Place]>>>,
}

impl Places {
    /// The places of the connections of this name, or of all.
    pub async fn of(
        &self,
        scalr: &Scalr,
        name: Option<&str>,
        stop: &CancellationToken,
    ) -> Option<Arc<[Place]>> {
        // Held while Scalr is asked: many rules are planned at once, on one bus.
        let mut asked = self.0.lock().await;
        let name = name.map(str::to_owned);
        if let Some(known) = asked.answers.get(&name) {
            return known.clone();
        }
        let scalr = scalr.stopping_with(stop);
        let all = scalr.in_time(scalr.api.connections(name.as_deref()), stop).await;
        let places: Option<Arc<[Place]>> = all.map(|all| all.into_iter().filter_map(Place::of).collect());
        asked.answers.insert(name, places.clone());
        places
    }

    /// Connections are made, changed or deleted.
    pub async fn forget(&self) {
        self.0.lock().await.answers.clear();
    }
}

impl Place {
    fn of(held: Object<Connection>) -> Option<Self> {
        let wire = held.attributes;
        Some(Self {
            connection: wire.name,
            source: wire.event_source?,
            account: wire.aws_account_id,
            region: wire.region,
        })
    }
}
