//! What is broken behind a bus that AWS manages for a custom event bus: its rule, the event source, the bus, the subscribers. Each is
//! judged by itself, since subscribers and bus stay when what leads the events to them is gone.

use super::super::show::quoted;
use super::finding::{Finding, State};
use super::seen::{Aws, CustomBus, EventSource, Link, Subscriber};
use crate::export::custom_bus_name;

/// More subscribers than these are not named.
const SAID_MAX: usize = 3;

/// What of it is not as it should be, in the order in which the events pass it.
pub(super) fn findings(region: &str, source: &str, service: &str, aws: &Aws) -> Vec<Finding> {
    let mut all: Vec<Finding> = not_forwarded(region, source, service, aws).into_iter().collect();
    let Some(custom) = &aws.custom_event_bus else {
        return all;
    };
    let arn = custom.arn.as_deref().or_else(|| aws.feeds());
    if let Some(held) = &custom.event_source {
        all.extend(event_source(region, held));
    }
    if let Some(why) = &custom.not_seen {
        all.extend(arn.map(|arn| not_seen(region, arn, why)));
    } else if let Some(arn) = arn {
        let at = Place { region, arn };
        all.extend(
            at.bus(custom)
                .map_or_else(|| at.subscribers(custom), |broken| vec![broken]),
        );
    }
    all
}

/// Somebody deleted the bus that AWS managed for a custom event bus.
pub(super) fn managed_bus_gone(region: &str, source: &str, aws: &Aws) -> Option<Finding> {
    let held = aws.custom_event_bus.as_ref()?.event_source.as_ref()?;
    Some(Finding::broken(
        Link::Bus,
        format!(
            "the event bus that AWS managed for the event source `{}` of a custom event bus is gone: events are dropped. An update of the \
             event source with its whole configuration makes it again",
            held.name
        ),
        made_again(region, source, Some(held)),
    ))
}

/// Nobody but AWS can change the rules of a managed bus: an update of the event source makes again what is missing.
fn not_forwarded(region: &str, source: &str, service: &str, aws: &Aws) -> Option<Finding> {
    if aws.feeds().is_some() {
        return None;
    }
    let rules = aws.rules.as_deref().unwrap_or_default();
    let forwarding = rules.iter().find(|rule| rule.custom_bus().is_some());
    let (link, what) = match (forwarding, rules.first()) {
        (Some(rule), _) => (Link::Rule, format!("its rule `{}` is disabled", rule.name)),
        (None, Some(rule)) if rules.iter().all(|rule| rule.targets.is_empty()) => {
            (Link::Target, format!("its rule `{}` has no target", rule.name))
        }
        (None, _) => (Link::Rule, "no rule of it leads there".to_owned()),
    };
    let held = aws.custom_event_bus.as_ref();
    let held = held.and_then(|custom| custom.event_source.as_ref());
    Some(Finding::broken(
        link,
        format!(
            "{service} manages the event bus for a custom event bus, and {what}: its events are dropped. An update of the event \
             source with its whole configuration makes it again"
        ),
        made_again(region, source, held),
    ))
}

fn made_again(region: &str, source: &str, held: Option<&EventSource>) -> Vec<String> {
    let configuration = format!(
        "{{\"PartnerEventsConfiguration\":{{\"PartnerEventSourceArn\":\"arn:aws:events:{region}::event-source/{source}\"}}}}"
    );
    let quoted_region = quoted(region);
    let mut next = Vec::new();
    let arn = if let Some(held) = held {
        quoted(&held.arn)
    } else {
        next.push(format!(
            "aws eventsv2 list-event-sources --region {quoted_region}   # shows its EventSourceArn"
        ));
        "ARN".into()
    };
    next.push(format!(
        "aws eventsv2 update-event-source --region {quoted_region} --event-source-arn {arn} --configuration {}",
        quoted(&configuration)
    ));
    next
}

fn event_source(region: &str, held: &EventSource) -> Option<Finding> {
    let EventSource { name, arn, state, .. } = held;
    let why = if held.revoked {
        format!(
            "the event source `{name}` is revoked: the owner of the custom event bus has taken the bus from it, for good. Make another one"
        )
    } else if state == "ACTIVE" {
        return None;
    } else {
        format!("the event source `{name}` of the custom event bus is {state}")
    };
    let next = format!(
        "aws eventsv2 describe-event-source --region {} --event-source-arn {}",
        quoted(region),
        quoted(arn)
    );
    Some(Finding::broken(Link::EventSource, why, vec![next]))
}

fn not_seen(region: &str, arn: &str, why: &str) -> Finding {
    Finding {
        state: State::Unknown,
        link: None,
        why: format!(
            "it feeds the custom event bus `{}`, and what follows there was not seen: {why}",
            custom_bus_name(arn).unwrap_or(arn)
        ),
        next: vec![format!(
            "aws eventsv2 list-subscribers --region {} --event-bus-arn {}",
            quoted(region),
            quoted(arn)
        )],
    }
}

/// A custom event bus.
struct Place<'a> {
    region: &'a str,
    arn: &'a str,
}

impl Place<'_> {
    fn name(&self) -> &str {
        custom_bus_name(self.arn).unwrap_or(self.arn)
    }

    fn command(&self, verb: &str, arguments: &str) -> String {
        format!("aws eventsv2 {verb} --region {} {arguments}", quoted(self.region))
    }

    fn bus(&self, custom: &CustomBus) -> Option<Finding> {
        let (name, arn) = (self.name(), quoted(self.arn));
        match custom.state.as_deref() {
            Some("ACTIVE" | "UPDATING" | "UPDATE_FAILED") => None,
            Some(state) => Some(Finding::broken(
                Link::Bus,
                format!("the custom event bus `{name}` is {state}, and takes no events"),
                vec![self.command("describe-event-bus", &format!("--event-bus-arn {arn}"))],
            )),
            None => Some(Finding::broken(
                Link::Bus,
                format!("there is no custom event bus `{name}`, to which the event source leads"),
                vec![self.command("create-event-bus", &format!("--name {}", quoted(name)))],
            )),
        }
    }

    fn subscribers(&self, custom: &CustomBus) -> Vec<Finding> {
        let (all, name) = (&custom.subscribers, self.name());
        if all.is_empty() {
            return vec![Finding::broken(
                Link::Subscriber,
                format!(
                    "the custom event bus `{name}` has no subscriber: it keeps its events and delivers none"
                ),
                vec![self.command(
                    "create-subscriber",
                    &format!(
                        "--name scalr --event-bus-arn {} --invoke-configuration TargetArn=ARN,RoleArn=ARN",
                        quoted(self.arn)
                    ),
                )],
            )];
        }
        let fitting: Vec<_> = all.iter().filter(|one| one.may_match()).collect();
        if fitting.is_empty() {
            return all
                .iter()
                .take(SAID_MAX)
                .map(|one| self.matches_none(one))
                .collect();
        }
        if fitting.iter().any(|one| one.runs()) {
            let running = fitting.iter().filter(|one| one.runs());
            return running.filter_map(|one| self.log(one)).collect();
        }
        fitting
            .iter()
            .take(SAID_MAX)
            .map(|one| self.not_running(one))
            .collect()
    }

    fn matches_none(&self, one: &Subscriber) -> Finding {
        Finding::broken(
            Link::Subscriber,
            format!(
                "no filter of the subscriber `{}` of the custom event bus `{}` matches an event of Scalr's: {}",
                one.name,
                self.name(),
                one.matches_none.join("; ")
            ),
            vec![self.command(
                "describe-subscriber",
                &format!("--subscriber-arn {}", quoted(&one.arn)),
            )],
        )
    }

    fn not_running(&self, one: &Subscriber) -> Finding {
        let (name, bus, arn) = (&one.name, self.name(), quoted(&one.arn));
        let (how, next) = if one.revoked {
            (
                "is revoked: the owner of the bus has taken it off the bus, for good. Delete it, and make one that the bus's policy allows"
                    .to_owned(),
                self.command("delete-subscriber", &format!("--subscriber-arn {arn}")),
            )
        } else if one.state == "STOPPED" {
            (
                "is stopped: the bus keeps its events, and delivers them once it runs".to_owned(),
                self.command(
                    "update-subscriber",
                    &format!("--subscriber-arn {arn} --state RUNNING"),
                ),
            )
        } else {
            (
                format!("is {}", one.state),
                self.command("describe-subscriber", &format!("--subscriber-arn {arn}")),
            )
        };
        Finding::broken(
            Link::Subscriber,
            format!("the subscriber `{name}` of the custom event bus `{bus}` {how}"),
            vec![next],
        )
    }

    /// PutLogEvents makes neither a log group nor a log stream.
    fn log(&self, one: &Subscriber) -> Option<Finding> {
        let region = quoted(self.region);
        if let Some(group) = &one.missing_log_group {
            return Some(Finding::broken(
                Link::LogGroup,
                format!(
                    "the subscriber `{}` writes to the log group `{group}`, which is not there",
                    one.name
                ),
                vec![format!(
                    "aws logs create-log-group --region {region} --log-group-name {}",
                    quoted(group)
                )],
            ));
        }
        let (group, stream) = one.missing_log_stream.as_ref()?;
        Some(Finding::broken(
            Link::LogStream,
            format!(
                "the subscriber `{}` writes to the log stream `{stream}` of the log group `{group}`, which is not there",
                one.name
            ),
            vec![format!(
                "aws logs create-log-stream --region {region} --log-group-name {} --log-stream-name {}",
                quoted(group),
                quoted(stream)
            )],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::{Rule, Target};
    use super::*;

    const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/mine/0a1b";
    const ARCHIVE: &str = "arn:aws:events:us-east-1:123456789012:archive/a";

    fn rule(enabled: bool, arns: &[&str]) -> Rule {
        let target = |arn: &&str| Target {
            id: "t".to_owned(),
            arn: (*arn).to_owned(),
            missing_log_group: None,
        };
        Rule {
            name: "f".to_owned(),
            enabled,
            targets: arns.iter().map(target).collect(),
        }
    }

    fn subscriber(name: &str) -> Subscriber {
        Subscriber {
            name: name.to_owned(),
            arn: format!("arn:{name}"),
            state: "RUNNING".to_owned(),
            revoked: false,
            target_arn: None,
            matches_none: Vec::new(),
            missing_log_group: None,
            missing_log_stream: None,
        }
    }

    fn whole() -> CustomBus {
        CustomBus {
            arn: Some(BUS.to_owned()),
            state: Some("ACTIVE".to_owned()),
            event_source: Some(EventSource {
                name: "scalr".to_owned(),
                arn: "arn:source".to_owned(),
                state: "ACTIVE".to_owned(),
                revoked: false,
            }),
            subscribers: vec![subscriber("a"), subscriber("b")],
            not_seen: None,
        }
    }

    fn managed(rules: Vec<Rule>, custom: Option<CustomBus>) -> Aws {
        Aws {
            source: Some("ACTIVE".to_owned()),
            managed_by: Some("events.amazonaws.com".to_owned()),
            rules: Some(rules),
            custom_event_bus: custom,
        }
    }

    /// The findings as lines: link, `:`, the beginnings of their commands.
    #[track_caller]
    fn check(aws: &Aws, want: &[&str]) {
        let found = findings("us-east-1", "SOURCE", "events.amazonaws.com", aws);
        let shown = |finding: &Finding| {
            let link = finding.link.map_or("unseen", Link::text);
            format!("{link}: {}", finding.next.join("; "))
                .replace("aws eventsv2 ", "")
                .replace(" --region us-east-1", "")
                .replace(BUS, "BUS")
        };
        let lines: Vec<String> = found.iter().map(shown).collect();
        assert_eq!(lines, want, "{found:?}");
    }

    #[track_caller]
    fn breaks(change: impl Fn(&mut CustomBus), want: &[&str]) {
        let mut custom = whole();
        change(&mut custom);
        check(&managed(vec![rule(true, &[BUS])], Some(custom)), want);
    }

    #[test]
    fn a_managed_bus_is_no_bus_of_the_users() {
        let rules = || vec![rule(true, &[ARCHIVE]), rule(true, &[BUS])];
        check(&managed(rules(), Some(whole())), &[]);
        let rebuild = |link, arn| {
            format!(
                "{link}: {arn} --configuration '{{\"PartnerEventsConfiguration\":{{\"PartnerEventSourceArn\":\"arn:aws:events:us-east-1::event-source/SOURCE\"}}}}'"
            )
        };
        for (rules, link) in [
            (vec![], "rule"),
            (vec![rule(true, &[ARCHIVE])], "rule"),
            (vec![rule(false, &[BUS])], "rule"),
            (vec![rule(true, &[])], "target"),
        ] {
            let known = rebuild(link, "update-event-source --event-source-arn arn:source");
            check(&managed(rules.clone(), Some(whole())), &[&known]);
            let unknown = rebuild(
                link,
                "list-event-sources   # shows its EventSourceArn; update-event-source --event-source-arn ARN",
            );
            check(&managed(rules, None), &[&unknown]);
        }
    }

    #[test]
    fn each_link_behind_it_is_named_with_the_command_that_repairs_it() {
        let source = "event source: describe-event-source --event-source-arn arn:source";
        let of = |custom: &mut CustomBus, change: fn(&mut EventSource)| {
            change(custom.event_source.as_mut().unwrap());
        };
        breaks(|custom| of(custom, |source| source.revoked = true), &[source]);
        breaks(
            |custom| of(custom, |source| source.state = "PENDING".to_owned()),
            &[source],
        );
        // Both ends at once.
        breaks(
            |custom| {
                of(custom, |source| source.revoked = true);
                custom.state = None;
            },
            &[source, "event bus: create-event-bus --name mine"],
        );
        breaks(
            |custom| custom.state = Some("DELETING".to_owned()),
            &["event bus: describe-event-bus --event-bus-arn BUS"],
        );
        breaks(|custom| custom.state = Some("UPDATE_FAILED".to_owned()), &[]);
        breaks(
            |custom| custom.subscribers.clear(),
            &[
                "subscriber: create-subscriber --name scalr --event-bus-arn BUS --invoke-configuration TargetArn=ARN,RoleArn=ARN",
            ],
        );
        breaks(
            |custom| custom.not_seen = Some("no".to_owned()),
            &["unseen: list-subscribers --event-bus-arn BUS"],
        );
    }

    #[test]
    fn one_subscriber_that_runs_is_enough() {
        let first = |custom: &mut CustomBus, change: fn(&mut Subscriber)| change(&mut custom.subscribers[0]);
        let both = |custom: &mut CustomBus, change: fn(&mut Subscriber)| {
            custom.subscribers.iter_mut().for_each(change);
        };
        let stop = |one: &mut Subscriber| one.state = "STOPPED".to_owned();
        let revoke = |one: &mut Subscriber| one.revoked = true;
        let miss = |one: &mut Subscriber| one.matches_none = vec!["why".to_owned()];
        for change in [stop, revoke, miss] {
            breaks(|custom| first(custom, change), &[]);
        }
        breaks(
            |custom| both(custom, stop),
            &[
                "subscriber: update-subscriber --subscriber-arn arn:a --state RUNNING",
                "subscriber: update-subscriber --subscriber-arn arn:b --state RUNNING",
            ],
        );
        // One that does not match is not blamed for those that do.
        breaks(
            |custom| {
                first(custom, miss);
                revoke(&mut custom.subscribers[1]);
            },
            &["subscriber: delete-subscriber --subscriber-arn arn:b"],
        );
        breaks(
            |custom| {
                both(custom, miss);
                custom.subscribers.truncate(1);
            },
            &["subscriber: describe-subscriber --subscriber-arn arn:a"],
        );
        breaks(
            |custom| {
                custom.subscribers.truncate(1);
                custom.subscribers[0].state = "CREATE_FAILED".to_owned();
            },
            &["subscriber: describe-subscriber --subscriber-arn arn:a"],
        );
        breaks(
            |custom| {
                custom.subscribers[0].missing_log_group = Some("/a b".to_owned());
                custom.subscribers[1].missing_log_stream = Some(("/g".to_owned(), "events".to_owned()));
            },
            &[
                "log group: aws logs create-log-group --log-group-name '/a b'",
                "log stream: aws logs create-log-stream --log-group-name /g --log-stream-name events",
            ],
        );
    }

    #[test]
    fn a_managed_bus_that_is_gone_is_told_from_one_that_was_never_there() {
        let gone = |custom| {
            let aws = Aws {
                managed_by: None,
                rules: None,
                ..managed(Vec::new(), custom)
            };
            managed_bus_gone("us-east-1", "SOURCE", &aws).is_some()
        };
        assert!(gone(Some(whole())));
        assert!(!gone(None) && !gone(Some(CustomBus::default())));
    }
}
