//! Which link of the chain broke: decided from what was found, without asking anybody.
//!
//! The walk goes from the log group backwards. A link that is gone only because one further back is gone is not named:
//! a bus takes its rules with it, a rule its targets.

use super::event::Match;
use crate::aws::policy::Verdict;

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) run: RunFacts,
    pub(super) group: String,
    pub(super) group_exists: bool,
    /// The connection for this AWS account and region.
    pub(super) connection: Seen<ConnectionFacts>,
    /// The bus that the events should arrive on; gone means that no bus of Scalr's is there.
    pub(super) bus: Seen<BusFacts>,
    /// Account and region in words.
    pub(super) place: String,
    /// What could not be looked at, and why. It counts as whole elsewhere in the facts, so that it is not blamed.
    pub(super) unseen: Vec<String>,
}

/// A link as it was found.
#[derive(Clone, Debug)]
pub(super) enum Seen<T> {
    /// There.
    Found(T),
    /// Not there.
    Gone,
    /// It could not be looked at.
    Unseen,
}

impl<T> Seen<T> {
    pub(super) fn found(&self) -> Option<&T> {
        if let Self::Found(found) = self {
            Some(found)
        } else {
            None
        }
    }
}

impl<T> From<Option<T>> for Seen<T> {
    fn from(looked: Option<T>) -> Self {
        looked.map_or(Self::Gone, Self::Found)
    }
}

/// The run.
#[derive(Clone, Debug)]
pub(super) struct RunFacts {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) is_over: bool,
}

/// The connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectionFacts {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) message: Option<String>,
}

/// The bus and its source.
#[derive(Clone, Debug)]
pub(super) struct BusFacts {
    pub(super) name: String,
    pub(super) exists: bool,
    /// `None`: AWS shows no such source.
    pub(super) source_state: Option<String>,
    /// All rules of the bus.
    pub(super) rules_count: usize,
    /// Those that have the log group as target.
    pub(super) rules: Seen<Vec<RuleFacts>>,
}

/// A rule that has the log group as target.
#[derive(Clone, Debug)]
pub(super) struct RuleFacts {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) pattern: Match,
    pub(super) verdict: Verdict,
    /// The target sends something else than the whole event.
    pub(super) transforms: bool,
}

/// Names the link that broke, and what to do about it.
pub(super) fn broken(facts: &Facts) -> String {
    let gone = || matches!(facts.connection, Seen::Gone).then(|| connection_gone(facts));
    let found = run(facts)
        .or_else(|| log_group(facts))
        .or_else(|| downstream(facts))
        .or_else(gone)
        .or_else(|| source(facts))
        .or_else(|| connection(facts.connection.found()?));
    let said = found.unwrap_or_else(|| none_broken(facts));
    if facts.unseen.is_empty() {
        return said;
    }
    format!(
        "{said}\n\nThese could not be looked at:\n  {}",
        facts.unseen.join("\n  ")
    )
}

fn run(facts: &Facts) -> Option<String> {
    let RunFacts { id, status, is_over } = &facts.run;
    (!is_over).then(|| {
        format!(
            "The run is not over: `{id}` is `{status}`, and Scalr sends the event when a run ends. Look at the run in Scalr, or \
             give the check more time with `timeouts {{ create = … }}`."
        )
    })
}

fn log_group(facts: &Facts) -> Option<String> {
    let group = &facts.group;
    (!facts.group_exists).then(|| {
        format!(
            "The log group is gone: `{group}` is no longer there in {}.",
            facts.place
        )
    })
}

/// From the log group back to the bus.
fn downstream(facts: &Facts) -> Option<String> {
    // No bus of Scalr's is there, and no connection says which it should be: the connection is what is missing.
    let bus = facts.bus.found()?;
    if !bus.exists {
        return facts
            .connection
            .found()
            .map(|connection| bus_gone(facts, bus, connection));
    }
    let rules = match &bus.rules {
        Seen::Found(rules) => rules.as_slice(),
        Seen::Gone => &[],
        Seen::Unseen => return None,
    };
    let fitting = |rule: &&RuleFacts| !matches!(rule.pattern, Match::No(_));
    let live: Vec<_> = rules.iter().filter(fitting).filter(|rule| rule.enabled).collect();
    if live.iter().any(|rule| rule.verdict == Verdict::Granted) {
        return None;
    }
    if let Some(rule) = live.first() {
        return Some(policy(facts, rule));
    }
    if rules.is_empty() {
        return Some(no_target(facts, bus));
    }
    let names = |rules: &[&RuleFacts]| {
        rules
            .iter()
            .map(|rule| format!("`{}`", rule.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let asleep: Vec<_> = rules.iter().filter(fitting).collect();
    if !asleep.is_empty() {
        let names = names(&asleep);
        return Some(format!(
            "The rule is disabled: {names} on the bus `{}`. Set `enabled = true` on its `scalr_eventbridge_rule`.",
            bus.name
        ));
    }
    Some(no_match(facts, bus, rules))
}

fn policy(facts: &Facts, rule: &RuleFacts) -> String {
    let group = &facts.group;
    match &rule.verdict {
        Verdict::Denied { sid } => {
            let sid = sid.as_ref().map_or_else(String::new, |sid| format!(" `{sid}`"));
            format!(
                "The resource policy denies it: a statement{sid} keeps EventBridge out of the log group `{group}`. Remove the \
                 statement."
            )
        }
        verdict => {
            let actions = if let Verdict::Missing(actions) = verdict {
                actions.join("` and `")
            } else {
                String::new()
            };
            format!(
                "The permission is missing: no resource policy lets EventBridge do `{actions}` in the log group `{group}`. \
                 An apply of the `scalr_eventbridge_target` with this `log_group` puts it back."
            )
        }
    }
}

fn no_target(facts: &Facts, bus: &BusFacts) -> String {
    let (group, name) = (&facts.group, &bus.name);
    if bus.rules_count == 0 {
        return format!(
            "The rule is gone: the bus `{name}` has none. Make a `scalr_eventbridge_rule` on it."
        );
    }
    format!(
        "The target is missing: no rule of the bus `{name}` has the log group `{group}` as target. Make a \
         `scalr_eventbridge_target` with this `log_group`."
    )
}

fn no_match(facts: &Facts, bus: &BusFacts, rules: &[RuleFacts]) -> String {
    let why: Vec<_> = rules
        .iter()
        .filter_map(|rule| match &rule.pattern {
            Match::No(why) => Some(format!("`{}`: {why}", rule.name)),
            _ => None,
        })
        .collect();
    format!(
        "The pattern does not match the event of the run `{}`. Of the rules of the bus `{}` that have the log group as \
         target, {}. Correct `event_pattern`.",
        facts.run.id,
        bus.name,
        why.join("; ")
    )
}

fn bus_gone(facts: &Facts, bus: &BusFacts, connection: &ConnectionFacts) -> String {
    let state = bus.source_state.as_deref().unwrap_or("gone");
    format!(
        "The event bus is gone: in {} there is no bus `{}` for the event source of the connection `{}`, which is {state}. Make \
         it with a `scalr_eventbridge_bus`, and its rules with it.",
        facts.place, bus.name, connection.name
    )
}

fn connection_gone(facts: &Facts) -> String {
    let left = match facts.bus.found() {
        Some(bus) => format!(
            " The bus `{}` is left of an earlier one; its event source is {}.",
            bus.name,
            bus.source_state.as_deref().unwrap_or("gone")
        ),
        None => String::new(),
    };
    format!(
        "The connection is gone: Scalr has none for {}.{left} Make it with a `scalr_eventbridge_connection`.",
        facts.place
    )
}

/// A source that is not there makes the connection fail, and not the other way round: it is looked at first.
fn source(facts: &Facts) -> Option<String> {
    let bus = facts.bus.found()?;
    let (name, place) = (&bus.name, &facts.place);
    match bus.source_state.as_deref() {
        Some("ACTIVE") => None,
        Some("PENDING") => Some(format!(
            "The event source is not associated: `{name}` is PENDING in {place}, though its bus is there. An apply of the \
             `scalr_eventbridge_bus` associates it again."
        )),
        state => Some(format!(
            "The event source is gone: `{name}` is {} in {place}. \"Refresh status\", which an apply of the \
             `scalr_eventbridge_activation` does, has Scalr make it again; if it does not, make the connection again. An apply \
             of the `scalr_eventbridge_bus` then associates its bus.",
            state.unwrap_or("not there"),
        )),
    }
}

/// The bus and its source stand: what does Scalr say?
fn connection(connection: &ConnectionFacts) -> Option<String> {
    let ConnectionFacts {
        name,
        status,
        message,
    } = connection;
    Some(match status.as_str() {
        "active" => return None,
        "disabled" => format!(
            "The connection is paused: `{name}` is `disabled`, and Scalr holds its events back. Set `enabled = true` on its \
             `scalr_eventbridge_connection`."
        ),
        "failed" => format!(
            "The connection has failed: Scalr says of `{name}`: {}. Once that is mended, a `scalr_eventbridge_activation` \
             has Scalr look again.",
            message.as_deref().unwrap_or("nothing more").trim_end_matches('.')
        ),
        other => format!(
            "The connection is not active: `{name}` is `{other}` in Scalr, though its event source is ACTIVE. A \
             `scalr_eventbridge_activation` has Scalr look again (\"Refresh status\")."
        ),
    })
}

fn none_broken(facts: &Facts) -> String {
    let rules = facts.bus.found().and_then(|bus| bus.rules.found());
    let enabled = rules.into_iter().flatten().filter(|rule| rule.enabled);
    let doubts: String = enabled.flat_map(doubts).collect();
    let stand = if facts.unseen.is_empty() {
        ", and connection, event source, bus, rule, target and permission stand"
    } else {
        ", and what could be looked at stands"
    };
    format!(
        "No link is seen to be broken: the run ended as `{}`{stand}. The event may only be late: EventBridge tries for 24 \
         hours. Look at the rule's metrics (`MatchedEvents`, `FailedInvocations`) in CloudWatch, and at the connection's \
         deliveries in Scalr.{doubts}",
        facts.run.status
    )
}

/// What cannot be told of a rule from here.
fn doubts(rule: &RuleFacts) -> Vec<String> {
    let name = &rule.name;
    let mut doubts = Vec::new();
    if let Match::Open(fields) = &rule.pattern {
        let fields = fields.join("`, `");
        doubts.push(format!(
            " The rule `{name}` tests `{fields}`, whose value is not known here."
        ));
    }
    if rule.transforms {
        doubts.push(format!(
            " The target of the rule `{name}` sends something else than the whole event: does it hold the run's id?"
        ));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

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
            rules: Seen::Found(vec![rule]),
        };
        Facts {
            run: RunFacts {
                id: "run-1".to_owned(),
                status: "planned_and_finished".to_owned(),
                is_over: true,
            },
            group: "/g".to_owned(),
            group_exists: true,
            connection: Seen::Found(connection),
            bus: Seen::Found(bus),
            place: "account 123456789012, region us-east-1".to_owned(),
            unseen: Vec::new(),
        }
    }

    /// Each link's sentence begins in a way that no other does.
    const LINKS: [&str; 15] = [
        "The run is not over",
        "The log group is gone",
        "The permission is missing",
        "The resource policy denies",
        "The target is missing",
        "The rule is gone",
        "The rule is disabled",
        "The pattern does not match",
        "The event bus is gone",
        "The event source is not associated",
        "The event source is gone",
        "The connection is gone",
        "The connection is paused",
        "The connection has failed",
        "The connection is not active",
    ];

    fn rules(bus: &mut BusFacts) -> &mut Vec<RuleFacts> {
        let Seen::Found(rules) = &mut bus.rules else {
            panic!("the bus has no rules");
        };
        rules
    }

    fn rule(bus: &mut BusFacts) -> &mut RuleFacts {
        &mut rules(bus)[0]
    }

    /// Each break once: what is said of it.
    #[test]
    fn every_link_is_told_as_committed() {
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
            |_, b| b.rules = Seen::Gone,
            |_, b| (b.rules_count, b.rules) = (0, Seen::Gone),
            |_, b| rule(b).enabled = false,
            |_, b| rule(b).pattern = Match::No("it asks for `x`".to_owned()),
            |_, b| {
                rule(b).pattern = Match::Open(vec!["a".to_owned(), "b".to_owned()]);
                rule(b).transforms = true;
            },
            |_, b| b.exists = false,
            |_, b| b.source_state = Some("PENDING".to_owned()),
            |_, b| b.source_state = Some("DELETED".to_owned()),
            |_, b| b.source_state = None,
            |f, b| {
                f.connection = Seen::Gone;
                b.source_state = Some("DELETED".to_owned());
            },
            |f, _| set_status(f, "disabled"),
            |f, _| set_status(f, "failed"),
            |f, _| set_status(f, "pending"),
            |f, b| {
                b.rules = Seen::Unseen;
                f.unseen = vec!["the rules: no answer".to_owned()];
            },
        ];
        let said = breaks.into_iter().map(|breaks| {
            let mut facts = whole();
            let mut bus = facts.bus.found().expect("the whole chain has a bus").clone();
            breaks(&mut facts, &mut bus);
            facts.bus = Seen::Found(bus);
            broken(&facts)
        });
        let gone = Facts {
            connection: Seen::Gone,
            bus: Seen::Gone,
            ..whole()
        };
        crate::tests::snapshot::check("chain.txt", said.chain([broken(&gone)]));
    }

    fn check(link: &str, breaks: impl FnOnce(&mut Facts, &mut BusFacts)) {
        let mut facts = whole();
        let mut bus = facts.bus.found().expect("the whole chain has a bus").clone();
        breaks(&mut facts, &mut bus);
        facts.bus = Seen::Found(bus);
        let said = broken(&facts);
        let named: Vec<_> = LINKS.into_iter().filter(|link| said.contains(link)).collect();
        assert_eq!(named, if link.is_empty() { vec![] } else { vec![link] }, "{said}");
    }

    #[test]
    fn each_link_by_itself() {
        check("", |_, _| {});
        check("The run is not over", |f, _| f.run.is_over = false);
        check("The log group is gone", |f, _| f.group_exists = false);
        check("The permission is missing", |_, b| {
            rule(b).verdict = Verdict::Missing(vec!["logs:PutLogEvents"]);
        });
        check("The resource policy denies", |_, b| {
            rule(b).verdict = Verdict::Denied { sid: None }
        });
        check("The target is missing", |_, b| b.rules = Seen::Gone);
        check("The rule is disabled", |_, b| rule(b).enabled = false);
        check("The pattern does not match", |_, b| {
            rule(b).pattern = Match::No("x".to_owned());
        });
        check("The connection is paused", |f, _| set_status(f, "disabled"));
        check("The connection has failed", |f, _| set_status(f, "failed"));
        check("The connection is not active", |f, _| set_status(f, "pending"));
        check("The event source is not associated", |_, b| {
            b.source_state = Some("PENDING".to_owned());
        });
        check("The event source is gone", |_, b| b.source_state = None);
    }

    #[test]
    fn a_link_that_takes_others_with_it() {
        check("The rule is gone", |_, b| {
            (b.rules_count, b.rules) = (0, Seen::Gone);
        });
        check("The event bus is gone", |_, b| {
            *b = BusFacts {
                exists: false,
                source_state: Some("PENDING".to_owned()),
                rules_count: 0,
                rules: Seen::Gone,
                ..b.clone()
            };
        });
        check("The connection is gone", |f, b| {
            f.connection = Seen::Gone;
            b.source_state = Some("DELETED".to_owned());
        });
        check("The event source is gone", |f, b| {
            set_status(f, "failed");
            b.source_state = Some("DELETED".to_owned());
        });
        let gone = Facts {
            connection: Seen::Gone,
            bus: Seen::Gone,
            ..whole()
        };
        assert!(broken(&gone).contains("The connection is gone"));
    }

    #[test]
    fn one_rule_that_works_is_enough() {
        check("The connection is paused", |f, b| {
            let mut other = rule(b).clone();
            other.enabled = false;
            rules(b).insert(0, other);
            set_status(f, "disabled");
        });
        check("The rule is disabled", |_, b| {
            let mut other = rule(b).clone();
            other.pattern = Match::No("x".to_owned());
            rule(b).enabled = false;
            rules(b).insert(0, other);
        });
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        check("", |_, b| {
            rule(b).pattern = Match::Open(vec!["detail.event.duration".to_owned()]);
        });
        let mut facts = whole();
        if let Seen::Found(bus) = &mut facts.bus {
            rule(bus).pattern = Match::Open(vec!["detail.event.duration".to_owned()]);
            rule(bus).transforms = true;
        }
        let said = broken(&facts);
        assert!(
            said.contains("`detail.event.duration`") && said.contains("hold the run's id"),
            "{said}"
        );
    }

    /// A link that could not be looked at is told, and not blamed; one that is seen to be broken is.
    #[test]
    fn what_could_not_be_looked_at_is_not_blamed() {
        let unseen = |breaks: fn(&mut BusFacts)| {
            let mut facts = whole();
            facts.connection = Seen::Unseen;
            facts.unseen = vec!["the connections: no answer".to_owned()];
            if let Seen::Found(bus) = &mut facts.bus {
                breaks(bus);
            }
            broken(&facts)
        };
        for (breaks, told) in [
            (
                (|b| b.rules = Seen::Unseen) as fn(&mut BusFacts),
                "No link is seen to be broken",
            ),
            (|b| rule(b).enabled = false, "The rule is disabled"),
        ] {
            let said = unseen(breaks);
            assert!(
                said.starts_with(told) && said.ends_with("\n  the connections: no answer"),
                "{said}"
            );
            assert!(!said.contains("The connection is gone"), "{said}");
        }
    }

    fn set_status(facts: &mut Facts, status: &str) {
        if let Seen::Found(connection) = &mut facts.connection {
            status.clone_into(&mut connection.status);
        }
    }
}
