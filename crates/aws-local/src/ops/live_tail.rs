//! A session of StartLiveTail: what has arrived in its log groups since it last looked.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::clock::Millis;
use crate::state::log_group::{LogEvent, LogGroup};
use crate::state::{RealmId, World};

/// The most events of one update.
const EVENTS_MAX: usize = 500;

/// A session: what it was asked for, and how far it has read.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(super) realm: RealmId,
    pub(super) groups: Vec<Tailed>,
    pub(super) streams: Option<Vec<String>>,
    pub(super) prefixes: Option<Vec<String>>,
    pub(super) matches: Matches,
    pub(super) start: Value,
}

/// One group of a session.
#[derive(Debug)]
pub(super) struct Tailed {
    pub(super) name: String,
    /// When the group was made: one of the same name that was made later is another group.
    pub(super) created: Millis,
    /// The number of the next event to show.
    pub(super) next: u64,
}

/// Whether the filter pattern finds a message.
pub(super) struct Matches(pub(super) Box<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for Matches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a filter pattern")
    }
}

/// The events since the last update.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Update {
    session_metadata: Metadata,
    session_results: Vec<Value>,
}

#[derive(Debug, Default, Serialize)]
struct Metadata {
    /// Some events were left out.
    sampled: bool,
}

impl Tail {
    /// What has arrived since the last update.
    pub(crate) fn update(&mut self, world: &World) -> Update {
        let mut update = Update::default();
        let realm = world.realm_at(&self.realm);
        let mut groups = std::mem::take(&mut self.groups);
        for tailed in &mut groups {
            let group = realm.and_then(|realm| realm.log_groups.get(&tailed.name));
            let group = group.filter(|group| group.created == tailed.created);
            if let Some(group) = group {
                self.add(tailed, group, &mut update);
            }
        }
        self.groups = groups;
        update
    }

    fn add(&self, tailed: &mut Tailed, group: &LogGroup, update: &mut Update) {
        let arrived = group.arrived_since(tailed.next);
        update.session_metadata.sampled |= arrived.incomplete;
        tailed.next = group.next();
        let identifier = format!("{}:{}", self.realm.account(), tailed.name);
        for (at, event) in arrived.events {
            if !self.wants(event) {
                continue;
            }
            if update.session_results.len() >= EVENTS_MAX {
                update.session_metadata.sampled = true;
                return;
            }
            update.session_results.push(json!({
                "logStreamName": &*event.stream,
                "logGroupIdentifier": identifier,
                "message": &*event.message,
                "timestamp": at,
                "ingestionTime": event.ingested,
            }));
        }
    }

    fn wants(&self, event: &LogEvent) -> bool {
        let named = |all: &Vec<String>| all.iter().any(|name| **name == *event.stream);
        let begins = |all: &Vec<String>| all.iter().any(|start| event.stream.starts_with(start.as_str()));
        self.streams.as_ref().is_none_or(named)
            && self.prefixes.as_ref().is_none_or(begins)
            && (self.matches.0)(&event.message)
    }
}

/// As the first event of the session shows it.
impl Serialize for Tail {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.start.serialize(to)
    }
}
