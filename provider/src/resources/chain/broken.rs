//! Which link of the chain broke: decided from what was found, without asking anybody.
//!
//! The walk goes from the log group backwards. A link that is gone only because one further back is gone is not named:
//! a bus takes its rules with it, a rule its targets.

use super::event::{Match, Mismatch};
use super::facts::{BusFacts, ConnectionFacts, Facts, Lookup, RuleFacts};
use super::forwarded_broken as forwarded;
use crate::aws::policy::Verdict;

/// The link that broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Scalr sends the event when a run ends, and this one has not.
    RunNotOver,
    LogGroupGone,
    /// No resource policy allows these.
    PermissionMissing {
        actions: Vec<&'static str>,
    },
    /// A statement denies it; its `Sid`.
    PermissionDenied {
        sid: Option<String>,
    },
    TargetMissing {
        bus: String,
    },
    RuleGone {
        bus: String,
    },
    RuleDisabled {
        bus: String,
        rules: Vec<String>,
    },
    /// Rules, and why the event does not match.
    PatternMisses {
        bus: String,
        rules: Vec<(String, Mismatch)>,
    },
    BusGone {
        bus: String,
        source_state: Option<String>,
        connection: String,
    },
    /// The bus of an earlier connection may be there still, with its source in some state.
    ConnectionGone {
        left: Option<(String, Option<String>)>,
    },
    SourceNotAssociated {
        source: String,
        /// Its event source on a custom event bus.
        custom: Option<String>,
    },
    SourceGone {
        source: String,
        state: Option<String>,
        /// Its event source on a custom event bus.
        custom: Option<String>,
    },
    ConnectionPaused {
        name: String,
    },
    ConnectionFailed {
        name: String,
        message: Option<String>,
    },
    ConnectionNotActive {
        name: String,
        status: String,
    },
    /// One between the Classic bus that AWS manages and a custom event bus's subscribers.
    Forwarded(forwarded::Link),
}

/// The link that broke, if one is seen to.
pub(super) fn link(facts: &Facts) -> Option<Link> {
    (!facts.run.is_over)
        .then_some(Link::RunNotOver)
        .or_else(|| (!facts.group_exists).then_some(Link::LogGroupGone))
        .or_else(|| downstream(facts))
        .or_else(|| connection_gone(facts))
        .or_else(|| source(facts.bus.found()?))
        .or_else(|| connection(facts.connection.found()?))
}

/// From the log group back to the bus.
fn downstream(facts: &Facts) -> Option<Link> {
    // No bus of Scalr's is there, and no connection says which it should be: the connection is what is missing.
    let bus = facts.bus.found()?;
    if let Some(custom) = &bus.custom {
        return forwarded::link(bus, custom).map(Link::Forwarded);
    }
    if !bus.exists {
        let connection = facts.connection.found()?;
        return Some(Link::BusGone {
            bus: bus.name.clone(),
            source_state: bus.source_state.clone(),
            connection: connection.name.clone(),
        });
    }
    match &bus.rules {
        Lookup::Found(rules) => of_rules(bus, rules),
        Lookup::Gone => of_rules(bus, &[]),
        Lookup::Unseen => None,
    }
}

fn of_rules(bus: &BusFacts, rules: &[RuleFacts]) -> Option<Link> {
    let fitting = |rule: &&RuleFacts| !matches!(rule.pattern, Match::No(_));
    let live: Vec<_> = rules.iter().filter(fitting).filter(|rule| rule.enabled).collect();
    if live.iter().any(|rule| rule.verdict == Verdict::Granted) {
        return None;
    }
    if let Some(rule) = live.first() {
        return permission(&rule.verdict);
    }
    let name = bus.name.clone();
    if rules.is_empty() {
        return Some(if bus.rules_count == 0 {
            Link::RuleGone { bus: name }
        } else {
            Link::TargetMissing { bus: name }
        });
    }
    let disabled: Vec<_> = rules
        .iter()
        .filter(fitting)
        .map(|rule| rule.name.clone())
        .collect();
    if !disabled.is_empty() {
        return Some(Link::RuleDisabled {
            bus: name,
            rules: disabled,
        });
    }
    let missed = rules.iter().filter_map(|rule| match &rule.pattern {
        Match::No(why) => Some((rule.name.clone(), why.clone())),
        _ => None,
    });
    Some(Link::PatternMisses {
        bus: name,
        rules: missed.collect(),
    })
}

fn permission(verdict: &Verdict) -> Option<Link> {
    match verdict {
        Verdict::Granted => None,
        Verdict::Missing(actions) => Some(Link::PermissionMissing {
            actions: actions.clone(),
        }),
        Verdict::Denied { sid } => Some(Link::PermissionDenied { sid: sid.clone() }),
    }
}

fn connection_gone(facts: &Facts) -> Option<Link> {
    let left = |bus: &BusFacts| (bus.name.clone(), bus.source_state.clone());
    matches!(facts.connection, Lookup::Gone).then(|| Link::ConnectionGone {
        left: facts.bus.found().map(left),
    })
}

/// A source that is not there makes the connection fail, and not the other way round: it is looked at first.
fn source(bus: &BusFacts) -> Option<Link> {
    let source = bus.name.clone();
    let custom = bus.custom.as_ref().map(forwarded::source_name);
    match bus.source_state.as_deref() {
        Some("ACTIVE") => None,
        Some("PENDING") => Some(Link::SourceNotAssociated { source, custom }),
        state => Some(Link::SourceGone {
            source,
            state: state.map(str::to_owned),
            custom,
        }),
    }
}

/// Bus and source are whole: what does Scalr say?
fn connection(connection: &ConnectionFacts) -> Option<Link> {
    let name = connection.name.clone();
    match connection.status.as_str() {
        "active" => None,
        "disabled" => Some(Link::ConnectionPaused { name }),
        "failed" => Some(Link::ConnectionFailed {
            name,
            message: connection.message.clone(),
        }),
        other => Some(Link::ConnectionNotActive {
            name,
            status: other.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::RunFacts;
    use super::super::messages;
    use super::*;
    use crate::tests::snapshot;

    const BUS: &str = "aws.partner/scalr.com/a/b";

    fn whole() -> Facts {
        let rule = RuleFacts {
            name: "runs".to_owned(),
            enabled: true,
            pattern: Match::Yes,
            verdict: Verdict::Granted,
            transforms: false,
        };
        let connection = ConnectionFacts {
            name: "b".to_owned(),
            status: "active".to_owned(),
            message: None,
        };
        let bus = BusFacts {
            name: BUS.to_owned(),
            exists: true,
            source_state: Some("ACTIVE".to_owned()),
            rules_count: 1,
            rules: Lookup::Found(vec![rule]),
            custom: None,
        };
        Facts {
            run: RunFacts {
                id: "run-1".to_owned(),
                status: "planned_and_finished".to_owned(),
                is_over: true,
            },
            group: "/g".to_owned(),
            group_exists: true,
            connection: Lookup::Found(connection),
            bus: Lookup::Found(bus),
            whereabouts: "account 123456789012, region us-east-1".to_owned(),
            unseen: Vec::new(),
        }
    }

    fn rules(bus: &mut BusFacts) -> &mut Vec<RuleFacts> {
        let Lookup::Found(rules) = &mut bus.rules else {
            panic!("the bus has no rules");
        };
        rules
    }

    fn rule(bus: &mut BusFacts) -> &mut RuleFacts {
        &mut rules(bus)[0]
    }

    fn source_gone(state: Option<String>) -> Link {
        Link::SourceGone {
            source: BUS.to_owned(),
            state,
            custom: None,
        }
    }

    fn mismatch() -> Mismatch {
        Mismatch::Field {
            path: "x".to_owned(),
            expected: "[1]".to_owned(),
            found: Vec::new(),
            nearest: None,
        }
    }

    #[track_caller]
    fn check(link: impl Into<Option<Link>>, breaks: impl FnOnce(&mut Facts, &mut BusFacts)) {
        let mut facts = whole();
        let mut bus = facts.bus.found().expect("the whole chain has a bus").clone();
        breaks(&mut facts, &mut bus);
        facts.bus = Lookup::Found(bus);
        assert_eq!(super::link(&facts), link.into());
    }

    fn bus() -> String {
        BUS.to_owned()
    }

    fn of_rule(link: fn(String, Vec<String>) -> Link, names: &[&str]) -> Link {
        link(bus(), names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn disabled(bus: String, rules: Vec<String>) -> Link {
        Link::RuleDisabled { bus, rules }
    }

    #[test]
    fn each_link_by_itself() {
        check(None, |_, _| {});
        check(Some(Link::RunNotOver), |f, _| f.run.is_over = false);
        check(Some(Link::LogGroupGone), |f, _| f.group_exists = false);
        let actions = vec!["logs:PutLogEvents"];
        check(
            Some(Link::PermissionMissing {
                actions: actions.clone(),
            }),
            |_, b| {
                rule(b).verdict = Verdict::Missing(actions);
            },
        );
        check(Some(Link::PermissionDenied { sid: None }), |_, b| {
            rule(b).verdict = Verdict::Denied { sid: None };
        });
        check(Some(Link::TargetMissing { bus: bus() }), |_, b| {
            b.rules = Lookup::Gone;
        });
        check(of_rule(disabled, &["runs"]), |_, b| rule(b).enabled = false);
        let rules = vec![("runs".to_owned(), mismatch())];
        check(Some(Link::PatternMisses { bus: bus(), rules }), |_, b| {
            rule(b).pattern = Match::No(mismatch());
        });
        let name = || "b".to_owned();
        check(Some(Link::ConnectionPaused { name: name() }), |f, _| {
            set_status(f, "disabled");
        });
        let message = None;
        check(
            Some(Link::ConnectionFailed {
                name: name(),
                message,
            }),
            |f, _| set_status(f, "failed"),
        );
        let status = "pending".to_owned();
        check(
            Some(Link::ConnectionNotActive { name: name(), status }),
            |f, _| set_status(f, "pending"),
        );
        let pending = Link::SourceNotAssociated {
            source: bus(),
            custom: None,
        };
        check(Some(pending), |_, b| {
            b.source_state = Some("PENDING".to_owned());
        });
        check(Some(source_gone(None)), |_, b| {
            b.source_state = None;
        });
    }

    #[test]
    fn a_link_that_takes_others_with_it() {
        check(Some(Link::RuleGone { bus: bus() }), |_, b| {
            (b.rules_count, b.rules) = (0, Lookup::Gone);
        });
        let source_state = Some("PENDING".to_owned());
        let gone = Link::BusGone {
            bus: bus(),
            source_state: source_state.clone(),
            connection: "b".to_owned(),
        };
        check(Some(gone), |_, b| {
            (b.exists, b.source_state, b.rules_count, b.rules) = (false, source_state, 0, Lookup::Gone);
        });
        let deleted = || Some("DELETED".to_owned());
        let left = Some((bus(), deleted()));
        check(Some(Link::ConnectionGone { left }), |f, b| {
            f.connection = Lookup::Gone;
            b.source_state = deleted();
        });
        check(Some(source_gone(deleted())), |f, b| {
            set_status(f, "failed");
            b.source_state = deleted();
        });
        let gone = Facts {
            connection: Lookup::Gone,
            bus: Lookup::Gone,
            ..whole()
        };
        assert_eq!(super::link(&gone), Some(Link::ConnectionGone { left: None }));
    }

    #[test]
    fn one_rule_that_works_is_enough() {
        check(Some(Link::ConnectionPaused { name: "b".to_owned() }), |f, b| {
            let mut other = rule(b).clone();
            other.enabled = false;
            rules(b).insert(0, other);
            set_status(f, "disabled");
        });
        check(of_rule(disabled, &["runs"]), |_, b| {
            let mut other = rule(b).clone();
            other.pattern = Match::No(mismatch());
            rule(b).enabled = false;
            rules(b).insert(0, other);
        });
    }

    /// What is not known is not blamed; what is seen to be broken is.
    #[test]
    fn what_cannot_be_judged_is_not_blamed() {
        check(None, |_, b| {
            rule(b).pattern = Match::Open(vec!["detail.event.duration".to_owned()]);
        });
        check(None, |f, b| {
            f.connection = Lookup::Unseen;
            b.rules = Lookup::Unseen;
        });
        check(of_rule(disabled, &["runs"]), |f, b| {
            f.connection = Lookup::Unseen;
            rule(b).enabled = false;
        });
    }

    /// What a user reads of each link.
    #[test]
    fn every_link_has_its_sentence() {
        type Breaks = fn(&mut Facts, &mut BusFacts);
        let breaks: [Breaks; 20] = [
            |_, _| {},
            |f, _| f.run.is_over = false,
            |f, _| f.group_exists = false,
            |_, b| rule(b).verdict = Verdict::Missing(vec!["logs:CreateLogStream", "logs:PutLogEvents"]),
            |_, b| rule(b).verdict = Verdict::Denied { sid: None },
            |_, b| {
                rule(b).verdict = Verdict::Denied {
                    sid: Some("No".to_owned()),
                }
            },
            |_, b| b.rules = Lookup::Gone,
            |_, b| (b.rules_count, b.rules) = (0, Lookup::Gone),
            |_, b| rule(b).enabled = false,
            |_, b| rule(b).pattern = Match::No(mismatch()),
            |_, b| {
                rule(b).pattern = Match::Open(vec!["a".to_owned(), "b".to_owned()]);
                rule(b).transforms = true;
            },
            |_, b| b.exists = false,
            |_, b| b.source_state = Some("PENDING".to_owned()),
            |_, b| b.source_state = Some("DELETED".to_owned()),
            |_, b| b.source_state = None,
            |f, b| {
                f.connection = Lookup::Gone;
                b.source_state = Some("DELETED".to_owned());
            },
            |f, _| set_status(f, "disabled"),
            |f, _| set_status(f, "failed"),
            |f, _| set_status(f, "pending"),
            |f, b| {
                b.rules = Lookup::Unseen;
                f.unseen = vec!["the rules: no answer".to_owned()];
            },
        ];
        let said = breaks.into_iter().map(|breaks| {
            let mut facts = whole();
            let mut bus = facts.bus.found().expect("the whole chain has a bus").clone();
            breaks(&mut facts, &mut bus);
            facts.bus = Lookup::Found(bus);
            (messages::finding(&facts), messages::links(&facts).join("\n"))
        });
        let (said, links): (Vec<_>, Vec<_>) = said.unzip();
        let gone = Facts {
            connection: Lookup::Gone,
            bus: Lookup::Gone,
            ..whole()
        };
        snapshot::check("chain.txt", said.into_iter().chain([messages::finding(&gone)]));
        let gone = messages::links(&gone).join("\n");
        snapshot::check("chain_links.txt", links.into_iter().chain([gone]));
    }

    fn set_status(facts: &mut Facts, status: &str) {
        if let Lookup::Found(connection) = &mut facts.connection {
            status.clone_into(&mut connection.status);
        }
    }
}
