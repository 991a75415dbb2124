//! Where the connections lead to, as plans ask for it: each name once in a walk, and for a short time. Where Scalr gives no
//! answer, nothing is known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scalr_api::{Connection, Object};
use tfplugin::CancellationToken;
use tokio::sync::Mutex;

use super::Scalr;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(10);

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
    /// By the connection's name; `None` for all connections.
    answers: BTreeMap<Option<String>, Arc<[Place]>>,
    /// There was no answer once: to ask again would only cost the same time again.
    given_up: bool,
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
            return Some(Arc::clone(known));
        }
        if asked.given_up {
            return None;
        }
        let scalr = scalr.stopping_with(stop);
        let answer = tokio::time::timeout(WITHIN, scalr.api.connections(name.as_deref())).await;
        let Ok(Ok(all)) = answer else {
            asked.given_up = true;
            return None;
        };
        let places: Arc<[Place]> = all.into_iter().filter_map(Place::of).collect();
        asked.answers.insert(name, Arc::clone(&places));
        Some(places)
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
