//! Which link broke where a custom event bus has the events, from its subscribers back to the Classic bus that AWS manages.
//!
//! Subscribers and bus stay when what leads the events to them is gone: each is judged by itself.

use super::event::{Match, Mismatch};
use super::facts::{BusFacts, CustomBusFacts, CustomFacts, Lookup, SubscriberFacts};

/// The link that broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The bus has none.
    SubscriberGone {
        bus: String,
    },
    /// It has some, and none leads to the log group.
    SubscriberElsewhere {
        bus: String,
        others: Vec<String>,
    },
    SubscriberRevoked {
        bus: String,
        subscribers: Vec<String>,
    },
    SubscriberStopped {
        bus: String,
        subscribers: Vec<String>,
    },
    /// Subscribers in another state that delivers nothing.
    SubscriberNotRunning {
        bus: String,
        /// Names and states.
        subscribers: Vec<(String, String)>,
    },
    StreamGone {
        bus: String,
        subscriber: String,
        stream: String,
    },
    /// Subscribers, and why the event does not match.
    FiltersMiss {
        bus: String,
        subscribers: Vec<(String, Mismatch)>,
    },
    BusGone {
        source: String,
    },
    BusNotActive {
        bus: String,
        arn: String,
        state: String,
    },
    /// The owner of the bus has taken it from the event source.
    SourceRevoked {
        source: String,
    },
    SourcePatternMisses {
        source: String,
        why: Mismatch,
    },
    SourceNotActive {
        source: String,
        state: String,
    },
    /// Somebody deleted the Classic bus.
    ManagedBusGone {
        partner: String,
        source: String,
    },
    /// Somebody deleted the rule on it.
    ManagedRuleGone {
        partner: String,
        source: String,
        /// The event source's, where it is known.
        arn: Option<String>,
    },
}

/// The link that broke, if one is seen to.
pub(super) fn link(bus: &BusFacts, custom: &CustomFacts) -> Option<Link> {
    subscribers(custom)
        .or_else(|| target(custom))
        .or_else(|| source(custom))
        .or_else(|| managed(bus, custom))
}

/// The name of the event source, as far as it is seen.
pub(super) fn source_name(custom: &CustomFacts) -> String {
    let source = custom.source.found();
    source.map_or_else(String::new, |source| source.name.clone())
}

fn subscribers(custom: &CustomFacts) -> Option<Link> {
    let held = custom.bus.found()?;
    let all = held.subscribers.found()?;
    let bus = held.name.clone();
    if all.is_empty() {
        return Some(none(held));
    }
    let fitting: Vec<_> = all
        .iter()
        .filter(|one| !matches!(one.filters, Match::No(_)))
        .collect();
    if fitting.iter().any(|one| works(one)) {
        return None;
    }
    let named = |is_so: fn(&SubscriberFacts) -> bool| -> Vec<String> {
        let so = fitting.iter().filter(|one| is_so(one));
        so.map(|one| one.name.clone()).collect()
    };
    let live = fitting.iter().find(|one| delivers(one));
    if let Some((subscriber, stream)) = live.and_then(|one| Some((&one.name, one.stream_gone.as_ref()?))) {
        return Some(Link::StreamGone {
            bus,
            subscriber: subscriber.clone(),
            stream: stream.clone(),
        });
    }
    let stopped = named(|one| !one.revoked && one.state == "STOPPED");
    if !stopped.is_empty() {
        return Some(Link::SubscriberStopped {
            bus,
            subscribers: stopped,
        });
    }
    let revoked = named(|one| one.revoked);
    if !revoked.is_empty() {
        return Some(Link::SubscriberRevoked {
            bus,
            subscribers: revoked,
        });
    }
    if !fitting.is_empty() {
        let states = fitting.iter().map(|one| (one.name.clone(), one.state.clone()));
        return Some(Link::SubscriberNotRunning {
            bus,
            subscribers: states.collect(),
        });
    }
    let missed = all.iter().filter_map(|one| match &one.filters {
        Match::No(why) => Some((one.name.clone(), why.clone())),
        _ => None,
    });
    Some(Link::FiltersMiss {
        bus,
        subscribers: missed.collect(),
    })
}

fn none(held: &CustomBusFacts) -> Link {
    let bus = held.name.clone();
    if held.others.is_empty() {
        return Link::SubscriberGone { bus };
    }
    Link::SubscriberElsewhere {
        bus,
        others: held.others.clone(),
    }
}

fn delivers(one: &SubscriberFacts) -> bool {
    !one.revoked && one.state == "RUNNING"
}

fn works(one: &SubscriberFacts) -> bool {
    delivers(one) && one.stream_gone.is_none()
}

/// The custom event bus.
fn target(custom: &CustomFacts) -> Option<Link> {
    match &custom.bus {
        Lookup::Gone => Some(Link::BusGone {
            source: source_name(custom),
        }),
        Lookup::Found(bus) if !matches!(&*bus.state, "ACTIVE" | "UPDATING" | "UPDATE_FAILED") => {
            Some(Link::BusNotActive {
                bus: bus.name.clone(),
                arn: bus.arn.clone(),
                state: bus.state.clone(),
            })
        }
        _ => None,
    }
}

fn source(custom: &CustomFacts) -> Option<Link> {
    let held = custom.source.found()?;
    let source = held.name.clone();
    if held.revoked {
        return Some(Link::SourceRevoked { source });
    }
    if let Match::No(why) = &held.pattern {
        return Some(Link::SourcePatternMisses {
            source,
            why: why.clone(),
        });
    }
    (held.state != "ACTIVE").then(|| Link::SourceNotActive {
        source,
        state: held.state.clone(),
    })
}

fn managed(bus: &BusFacts, custom: &CustomFacts) -> Option<Link> {
    let (partner, source) = (bus.name.clone(), source_name(custom));
    // Without the partner's source, AWS makes neither again: that link is further back.
    if !matches!(bus.source_state.as_deref(), Some("ACTIVE" | "PENDING")) {
        return None;
    }
    if !bus.exists {
        return Some(Link::ManagedBusGone { partner, source });
    }
    let arn = custom.source.found().map(|held| held.arn.clone());
    (!custom.forwards).then_some(Link::ManagedRuleGone { partner, source, arn })
}

#[cfg(test)]
mod tests {
    use super::super::facts::{ConnectionFacts, EventSourceFacts, Facts, RunFacts};
    use super::super::messages;
    use super::*;
    use crate::tests::snapshot;

    const PARTNER: &str = "aws.partner/scalr.com/a/b";
    const SOURCE_ARN: &str = "arn:aws:events:us-east-1:123456789012:event-sourcev2/aws.partner/prod/i";
    const BUS_ARN: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/scalr/i";

    fn bus() -> BusFacts {
        BusFacts {
            name: PARTNER.to_owned(),
            exists: true,
            source_state: Some("ACTIVE".to_owned()),
            rules_count: 0,
            rules: Lookup::Gone,
            custom: None,
        }
    }

    fn subscriber() -> SubscriberFacts {
        SubscriberFacts {
            name: "runs".to_owned(),
            state: "RUNNING".to_owned(),
            revoked: false,
            filters: Match::Yes,
            role_arn: "arn:aws:iam::123456789012:role/deliver".to_owned(),
            stream_gone: None,
            transforms: false,
        }
    }

    fn whole() -> (CustomFacts, CustomBusFacts, EventSourceFacts) {
        let source = EventSourceFacts {
            name: "prod".to_owned(),
            arn: SOURCE_ARN.to_owned(),
            state: "ACTIVE".to_owned(),
            revoked: false,
            pattern: Match::Yes,
        };
        let bus = CustomBusFacts {
            name: "scalr".to_owned(),
            arn: BUS_ARN.to_owned(),
            state: "ACTIVE".to_owned(),
            others: Vec::new(),
            subscribers: Lookup::Found(vec![subscriber()]),
        };
        let custom = CustomFacts {
            source: Lookup::Unseen,
            forwards: true,
            bus: Lookup::Unseen,
        };
        (custom, bus, source)
    }

    type Breaks = fn(&mut BusFacts, &mut CustomFacts, &mut CustomBusFacts, &mut EventSourceFacts);

    fn broken(breaks: Breaks) -> (BusFacts, CustomFacts) {
        let (mut classic, (mut custom, mut bus, mut source)) = (bus(), whole());
        breaks(&mut classic, &mut custom, &mut bus, &mut source);
        if matches!(custom.bus, Lookup::Unseen) {
            custom.bus = Lookup::Found(bus);
        }
        if matches!(custom.source, Lookup::Unseen) {
            custom.source = Lookup::Found(source);
        }
        (classic, custom)
    }

    #[track_caller]
    fn check(want: impl Into<Option<Link>>, breaks: Breaks) {
        let (classic, custom) = broken(breaks);
        assert_eq!(link(&classic, &custom), want.into());
    }

    fn first(bus: &mut CustomBusFacts) -> &mut SubscriberFacts {
        let Lookup::Found(all) = &mut bus.subscribers else {
            panic!("the bus has no subscribers");
        };
        &mut all[0]
    }

    fn scalr() -> String {
        "scalr".to_owned()
    }

    fn runs() -> Vec<String> {
        vec!["runs".to_owned()]
    }

    #[test]
    fn each_link_by_itself() {
        check(None, |_, _, _, _| {});
        check(Link::SubscriberGone { bus: scalr() }, |_, _, b, _| {
            b.subscribers = Lookup::Found(Vec::new());
        });
        let others = vec!["queue".to_owned()];
        check(
            Link::SubscriberElsewhere { bus: scalr(), others },
            |_, _, b, _| {
                b.subscribers = Lookup::Found(Vec::new());
                b.others = vec!["queue".to_owned()];
            },
        );
        let (bus, subscribers) = (scalr(), runs());
        check(Link::SubscriberStopped { bus, subscribers }, |_, _, b, _| {
            first(b).state = "STOPPED".to_owned();
        });
        let (bus, subscribers) = (scalr(), runs());
        check(Link::SubscriberRevoked { bus, subscribers }, |_, _, b, _| {
            first(b).revoked = true;
        });
        let (bus, subscribers) = (scalr(), vec![("runs".to_owned(), "CREATE_FAILED".to_owned())]);
        check(Link::SubscriberNotRunning { bus, subscribers }, |_, _, b, _| {
            first(b).state = "CREATE_FAILED".to_owned();
        });
        let gone = Link::StreamGone {
            bus: scalr(),
            subscriber: "runs".to_owned(),
            stream: "events".to_owned(),
        };
        check(gone, |_, _, b, _| {
            first(b).stream_gone = Some("events".to_owned());
        });
        let (bus, subscribers) = (scalr(), vec![("runs".to_owned(), Mismatch::NoMetadata)]);
        check(Link::FiltersMiss { bus, subscribers }, |_, _, b, _| {
            first(b).filters = Match::No(Mismatch::NoMetadata);
        });
    }

    #[test]
    fn what_leads_the_events_to_the_bus() {
        let (source, partner) = (|| "prod".to_owned(), || PARTNER.to_owned());
        check(Link::BusGone { source: source() }, |_, c, _, _| {
            c.bus = Lookup::Gone;
        });
        let (bus, state) = (scalr(), "DELETING".to_owned());
        let arn = BUS_ARN.to_owned();
        check(Link::BusNotActive { bus, arn, state }, |_, _, b, _| {
            b.state = "DELETING".to_owned();
        });
        check(None, |_, _, b, _| b.state = "UPDATE_FAILED".to_owned());
        let why = Mismatch::NothingToMatch;
        check(
            Link::SourcePatternMisses {
                source: source(),
                why,
            },
            |_, _, _, s| {
                s.pattern = Match::No(Mismatch::NothingToMatch);
            },
        );
        // A source that is revoked stays as it was otherwise.
        check(Link::SourceRevoked { source: source() }, |_, _, _, s| {
            (s.revoked, s.pattern) = (true, Match::No(Mismatch::NothingToMatch));
        });
        let state = "UPDATE_FAILED".to_owned();
        check(
            Link::SourceNotActive {
                source: source(),
                state,
            },
            |_, _, _, s| {
                s.state = "UPDATE_FAILED".to_owned();
            },
        );
        let (partner, source) = (partner(), source());
        let gone = Link::ManagedBusGone {
            partner: partner.clone(),
            source: source.clone(),
        };
        check(gone, |b, c, _, _| (b.exists, c.forwards) = (false, false));
        let arn = Some(SOURCE_ARN.to_owned());
        let rule = Link::ManagedRuleGone { partner, source, arn };
        check(rule, |_, c, _, _| {
            c.forwards = false;
        });
        // The partner's source is what is gone, and takes its bus along.
        for state in [Some("DELETED"), None] {
            let (mut classic, mut custom) = broken(|_, _, _, _| {});
            (classic.exists, custom.forwards) = (false, false);
            classic.source_state = state.map(str::to_owned);
            assert_eq!(link(&classic, &custom), None, "{state:?}");
        }
    }

    /// The nearest to the log group is named, one subscriber that works is enough, and what is not seen is not blamed.
    #[test]
    fn of_several_one_is_named() {
        let (bus, subscribers) = (scalr(), runs());
        check(Link::SubscriberStopped { bus, subscribers }, |b, _, bus, _| {
            b.exists = false;
            first(bus).state = "STOPPED".to_owned();
        });
        check(None, |_, _, b, _| {
            let mut all = vec![subscriber(), subscriber()];
            all[0].state = "STOPPED".to_owned();
            b.subscribers = Lookup::Found(all);
        });
        check(None, |_, _, b, _| {
            first(b).filters = Match::Open(vec!["detail.event.environment".to_owned()]);
        });
        check(None, |_, _, b, _| b.subscribers = Lookup::Unseen);
    }

    /// What a user reads of each link.
    #[test]
    fn every_link_has_its_sentence() {
        let breaks: [Breaks; 18] = [
            |_, _, _, _| {},
            |_, _, b, _| b.subscribers = Lookup::Found(Vec::new()),
            |_, _, b, _| {
                b.subscribers = Lookup::Found(Vec::new());
                b.others = vec!["queue".to_owned(), "bus".to_owned()];
            },
            |_, _, b, _| first(b).state = "STOPPED".to_owned(),
            |_, _, b, _| first(b).revoked = true,
            |_, _, b, _| first(b).state = "CREATE_FAILED".to_owned(),
            |_, _, b, _| first(b).stream_gone = Some("events".to_owned()),
            |_, _, b, _| first(b).filters = Match::No(Mismatch::NoMetadata),
            |_, _, b, _| {
                first(b).filters = Match::Open(vec!["a".to_owned(), "b".to_owned()]);
                first(b).transforms = true;
            },
            |_, c, _, _| c.bus = Lookup::Gone,
            |_, _, b, _| b.state = "DELETING".to_owned(),
            |_, _, _, s| s.pattern = Match::No(Mismatch::NothingToMatch),
            |_, _, _, s| s.state = "UPDATE_FAILED".to_owned(),
            |b, c, _, _| (b.exists, c.forwards) = (false, false),
            |_, c, _, _| c.forwards = false,
            |b, _, _, _| b.source_state = Some("PENDING".to_owned()),
            |_, _, _, s| s.revoked = true,
            |b, c, _, _| (b.exists, c.forwards, b.source_state) = (false, false, Some("DELETED".to_owned())),
        ];
        let said = breaks.into_iter().map(|breaks| {
            let (classic, custom) = broken(breaks);
            let facts = facts(BusFacts {
                custom: Some(custom),
                ..classic
            });
            (messages::finding(&facts), messages::links(&facts).join("\n"))
        });
        let (said, links): (Vec<_>, Vec<_>) = said.unzip();
        snapshot::check("chain_forwarded.txt", said);
        snapshot::check("chain_forwarded_links.txt", links);
    }

    fn facts(bus: BusFacts) -> Facts {
        Facts {
            run: RunFacts {
                id: "run-1".to_owned(),
                status: "planned_and_finished".to_owned(),
                is_over: true,
            },
            group: "/g".to_owned(),
            group_exists: true,
            connection: Lookup::Found(ConnectionFacts {
                name: "b".to_owned(),
                status: "active".to_owned(),
                message: None,
            }),
            bus: Lookup::Found(bus),
            whereabouts: "account 123456789012, region us-east-1".to_owned(),
            unseen: Vec::new(),
        }
    }
}
