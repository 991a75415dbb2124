//! The whole state: partner sources by region, and per account and region a realm of buses, log groups and the rest.
//!
//! Plain data and the transitions on it. Nothing here does I/O, reads a clock or draws random numbers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::assumptions::Assumptions;
use crate::clock::Millis;
use crate::segments::{Lasts, LogId};

pub(crate) mod api_destination;
pub(crate) mod archive;
pub(crate) mod bus;
pub(crate) mod custom_bus;
pub(crate) mod few;
pub(crate) mod log_group;
mod log_limit;
pub(crate) mod metrics;
pub(crate) mod names;
pub(crate) mod outbox;
pub(crate) mod pattern;
pub(crate) mod queue;
mod queue_messages;
pub(crate) mod role;
pub(crate) mod rule;
pub(crate) mod source;
pub(crate) mod story;
pub(crate) mod timers;
pub(crate) mod topic;
pub(crate) mod vended;

use api_destination::{ApiDestination, Connection};
use archive::{Archive, Replay};
use bus::Bus;
use custom_bus::{CustomBuses, Kept, SubscriberId, Wanted};
use log_group::{LogGroup, LogPolicy};
use metrics::Metrics;
pub(crate) use names::{RealmId, Tags};
use outbox::Outbox;
use pattern::EventPattern;
use queue::Queue;
use role::Roles;
use source::Source;
use story::Stories;
use timers::Timers;
use topic::Topic;
use vended::Vended;

/// The whole state of the local AWS.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct World {
    /// Partner sources by region, then name: a source is shared by the partner's and the customer's account.
    pub(crate) sources: BTreeMap<String, BTreeMap<String, Source>>,
    realms: BTreeMap<RealmId, Realm>,
    /// Access keys issued by AssumeRole.
    pub(crate) sessions: BTreeMap<String, Session>,
    /// IAM roles by account: they belong to no region.
    #[serde(default)]
    pub(crate) roles: BTreeMap<String, Roles>,
    pub(crate) timers: Timers,
    pub(crate) outbox: Outbox,
    /// The number of the latest log of events; none is used twice.
    #[serde(default)]
    last_log: u64,
    /// The subscribers that may want events to be read.
    #[serde(skip)]
    pub(crate) wanted: Wanted,
    /// Kept in memory only; a replay of the journal rebuilds them.
    #[serde(skip)]
    pub(crate) stories: Stories,
    /// How far the clock was moved ahead of the machine's.
    pub(crate) clock_offset: Millis,
    /// The URLs that the operator gave for targets which are not emulated, by ARN. They are stored because the result of
    /// a delivery depends on them.
    #[serde(default)]
    pub(crate) targets: BTreeMap<String, String>,
    /// Roles that were never created here allow nothing, as the operator set it; stored for the same reason.
    #[serde(default)]
    pub(crate) unknown_roles_denied: bool,
    /// What the operator assumes where AWS says nothing; stored for the same reason.
    #[serde(default)]
    pub(crate) assumptions: Assumptions,
    /// How many bytes of log events came since the limit on them was last looked at.
    #[serde(skip)]
    pub(crate) log_bytes_added: u64,
    /// The most steps that one turn has taken since the start.
    #[serde(skip)]
    pub(crate) steps_most: usize,
    /// The events of custom event buses that were dropped since the start since their bus kept too many.
    #[serde(skip)]
    pub(crate) custom_events_dropped: u64,
    /// How many log events were dropped because of that limit.
    #[serde(default)]
    pub(crate) log_events_dropped: u64,
}

/// What one account has in one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Realm {
    pub(crate) buses: BTreeMap<String, Bus>,
    pub(crate) log_groups: BTreeMap<String, LogGroup>,
    /// Account-wide policies of the logs service.
    pub(crate) log_policies: BTreeMap<String, LogPolicy>,
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) connections: BTreeMap<String, Connection>,
    pub(crate) api_destinations: BTreeMap<String, ApiDestination>,
    pub(crate) archives: BTreeMap<String, Archive>,
    pub(crate) replays: BTreeMap<String, Replay>,
    #[serde(default)]
    pub(crate) topics: BTreeMap<String, Topic>,
    #[serde(default)]
    pub(crate) vended: Vended,
    #[serde(default)]
    pub(crate) custom_buses: CustomBuses,
    pub(crate) metrics: Metrics,
}

/// 11 July 2019, 00:00 UTC, the launch of EventBridge: the creation time of every default bus.
const DEFAULT_BUS_CREATED: Millis = 1_562_803_200_000;

/// The role that an AssumeRole key belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) account: String,
    pub(crate) role: String,
    pub(crate) name: String,
    /// `aws`, or the partition of another group of regions.
    #[serde(default = "commercial")]
    pub(crate) partition: String,
}

fn commercial() -> String {
    "aws".to_owned()
}

impl World {
    /// Counts what is kept, after it was read from disk.
    pub(crate) fn recount(&mut self) {
        self.outbox.recount();
        let archives = self
            .realms
            .values_mut()
            .flat_map(|realm| realm.archives.values_mut());
        archives.for_each(Archive::recount);
        let realms = self.realms.values_mut();
        realms.for_each(|realm| realm.custom_buses.recount());
        for (realm, here) in &self.realms {
            for (bus, found) in &here.custom_buses.buses {
                for name in found.subscribers.keys() {
                    self.wanted.insert(SubscriberId {
                        realm: realm.clone(),
                        bus: bus.clone(),
                        name: name.clone(),
                    });
                }
            }
        }
    }

    /// An id for the events of a new bus.
    pub(crate) fn new_log(&mut self) -> LogId {
        self.last_log += 1;
        LogId(self.last_log)
    }

    /// Takes the events that an earlier version has in its snapshot, and gives their buses logs.
    pub(crate) fn take_events(&mut self) -> Vec<Kept> {
        let (mut kept, mut last) = (Vec::new(), self.last_log);
        let realms = self.realms.values_mut();
        for bus in realms.flat_map(|realm| realm.custom_buses.buses.values_mut()) {
            if bus.log.id == LogId::default() {
                last += 1;
                bus.log.id = LogId(last);
            }
            let log = bus.log.id;
            let events = bus.log.take_events().into_iter();
            kept.extend(events.map(|event| Kept {
                log,
                event: event.into(),
                origin: None,
            }));
        }
        self.last_log = last;
        kept
    }

    /// The last number of each log of events.
    pub(crate) fn last_events(&self) -> Lasts {
        let realms = self.realms.values();
        let buses = realms.flat_map(|realm| realm.custom_buses.buses.values());
        buses
            .map(|bus| (bus.log.id, bus.log.is_begun.then_some(bus.log.count)))
            .collect()
    }

    /// About how long a snapshot is at least: what there may be much of.
    pub(crate) fn bytes_about(&self) -> u64 {
        let of_realm = |realm: &Realm| {
            let messages = realm.queues.values().map(|queue| queue.messages.bytes());
            let archived = realm.archives.values().map(Archive::bytes);
            messages.chain(archived).sum::<usize>() as u64
        };
        self.log_bytes() + self.realms.values().map(of_realm).sum::<u64>()
    }

    /// A copy for a snapshot, without the stories. Long texts are shared, not copied.
    pub(crate) fn for_snapshot(&self) -> Self {
        Self {
            sources: self.sources.clone(),
            realms: self.realms.clone(),
            sessions: self.sessions.clone(),
            roles: self.roles.clone(),
            timers: self.timers.clone(),
            outbox: self.outbox.clone(),
            last_log: self.last_log,
            wanted: Wanted::default(),
            stories: Stories::default(),
            clock_offset: self.clock_offset,
            targets: self.targets.clone(),
            unknown_roles_denied: self.unknown_roles_denied,
            assumptions: self.assumptions.clone(),
            log_bytes_added: 0,
            steps_most: 0,
            custom_events_dropped: 0,
            log_events_dropped: self.log_events_dropped,
        }
    }

    /// What a reset keeps: the clock, and what the operator configured.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            clock_offset: self.clock_offset,
            targets: self.targets.clone(),
            unknown_roles_denied: self.unknown_roles_denied,
            assumptions: self.assumptions.clone(),
            outbox: self.outbox.emptied(),
            last_log: self.last_log,
            ..Self::default()
        }
    }

    /// The realm, created on first access, with its default bus. Reads are not in the journal, so a new realm does not
    /// depend on when it is created.
    pub(crate) fn realm(&mut self, id: &RealmId) -> &mut Realm {
        self.realms.entry(id.clone()).or_insert_with(Realm::new)
    }

    /// The same, and the stories of events.
    pub(crate) fn realm_and_stories(&mut self, id: &RealmId) -> (&mut Realm, &mut Stories) {
        let realm = self.realms.entry(id.clone()).or_insert_with(Realm::new);
        (realm, &mut self.stories)
    }

    /// The realm, if it was ever accessed.
    pub(crate) fn realm_if_any(&mut self, id: &RealmId) -> Option<&mut Realm> {
        self.realms.get_mut(id)
    }

    /// Sets the timer of a source that has become PENDING.
    pub(crate) fn watch_source(&mut self, region: &str, name: &str) {
        let timer = self
            .sources_in(region)
            .get(name)
            .and_then(|source| source.timer(region));
        if let Some((at, timer)) = timer {
            self.timers.set(at, timer);
        }
    }

    /// The account of an access key: the key itself when it is an account id, or the account of its role.
    pub(crate) fn account_of<'k>(&'k self, key: &'k str) -> Option<&'k str> {
        if key.len() == 12 && key.bytes().all(|b| b.is_ascii_digit()) {
            return Some(key);
        }
        self.sessions.get(key).map(|session| &*session.account)
    }

    /// The patterns that events are matched against: of all rules and archives.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &EventPattern> {
        self.realms.values().flat_map(|realm| {
            let rules = realm.buses.values().flat_map(|bus| bus.rules.values());
            let unmanaged = rules.filter(|rule| rule.managed_by.is_none());
            let archives = realm.archives.values();
            let of_rules = unmanaged.filter_map(|rule| rule.pattern.as_ref());
            of_rules.chain(archives.filter_map(|archive| archive.pattern.as_ref()))
        })
    }

    /// The same, for reading.
    pub(crate) fn realm_at(&self, id: &RealmId) -> Option<&Realm> {
        self.realms.get(id)
    }

    /// All realms that were ever accessed.
    pub(crate) fn realms(&self) -> impl Iterator<Item = (&RealmId, &Realm)> {
        self.realms.iter()
    }

    /// The partner sources of a region.
    pub(crate) fn sources_in(&mut self, region: &str) -> &mut BTreeMap<String, Source> {
        self.sources.entry(region.to_owned()).or_default()
    }
}

impl Realm {
    fn new() -> Self {
        let default = Bus::new("default", DEFAULT_BUS_CREATED);
        Self {
            buses: BTreeMap::from([(default.name.clone(), default)]),
            log_groups: BTreeMap::new(),
            log_policies: BTreeMap::new(),
            queues: BTreeMap::new(),
            connections: BTreeMap::new(),
            api_destinations: BTreeMap::new(),
            archives: BTreeMap::new(),
            replays: BTreeMap::new(),
            topics: BTreeMap::new(),
            vended: Vended::default(),
            custom_buses: CustomBuses::default(),
            metrics: Metrics::default(),
        }
    }
}
