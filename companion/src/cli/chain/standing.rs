//! How the chain of a connection stands: what of it is broken, and what repairs that. A pure function of what was seen.

use scalr_api::Status;

use super::super::event_source;
use super::super::show::quoted;
use super::custom;
use super::finding::{Finding, Standing, State};
use super::seen::{Aws, Chain, Hidden, Link, Rule, Seen};

impl Chain {
    /// What of it is not as it should be.
    pub(in crate::cli) fn standing(&self) -> Standing {
        let mut findings = Vec::new();
        match (&self.source, &self.aws) {
            (None, _) => {
                let why = self.error.as_deref();
                let why = why.unwrap_or("Scalr has not made the event source yet");
                findings.push(Finding::broken(Link::EventSource, why, self.refresh()));
            }
            (Some(_), Seen::Hidden(hidden)) => {
                findings.extend(self.connection(Some(hidden)));
                findings.push(Finding {
                    state: State::Unknown,
                    link: None,
                    why: format!("AWS's side was not seen: {}", hidden.why()),
                    next: hidden.next(&self.region),
                });
            }
            (Some(_), Seen::OwnBus) => {
                findings.extend(self.connection(None));
                findings.push(Finding {
                    state: State::Unknown,
                    link: None,
                    why: "events are put to an event bus of the service's own, and what is behind that is not looked at".to_owned(),
                    next: Vec::new(),
                });
            }
            (Some(source), Seen::Visible(aws)) => {
                if let Some(broken) = self.event_source(source, aws) {
                    // As long as that lasts, the connection cannot be otherwise.
                    findings.push(broken);
                } else {
                    findings.extend(self.bus(source, aws));
                    findings.extend(self.connection(None));
                }
            }
        }
        findings.extend(self.failed_events());
        if self.status == Status::Disabled {
            findings.push(Finding {
                state: State::Paused,
                link: Some(Link::Connection),
                why: "the connection is paused; its events are held".to_owned(),
                next: vec![self.command("resume")],
            });
        }
        let worst = findings.iter().map(|finding| finding.state).max();
        Standing {
            state: worst.unwrap_or(State::Working),
            findings,
        }
    }

    /// What Scalr's status alone tells. The cause may be on the side that was not seen.
    fn connection(&self, hidden: Option<&Hidden>) -> Option<Finding> {
        let why = match &self.status {
            Status::Disabled => return None,
            Status::Active => return self.not_sent(),
            Status::Pending if matches!(self.aws, Seen::OwnBus) => {
                "the connection is pending: the service has not looked yet whether its event bus is there"
                    .to_owned()
            }
            Status::Pending => {
                "the connection is pending: Scalr has not seen that its event source is associated with a bus"
                    .to_owned()
            }
            Status::Failed => {
                let why = self.error.as_deref().unwrap_or("Scalr gives no reason");
                format!("the connection has failed: {why}")
            }
            Status::Other(status) => {
                format!("the connection has the status `{status}`, which this version does not know")
            }
        };
        // A refresh changes nothing as long as no bus is there.
        let is_to_be_seen = hidden.is_some_and(|hidden| !hidden.next(&self.region).is_empty());
        let next = if self.status == Status::Pending && is_to_be_seen {
            Vec::new()
        } else {
            self.refresh()
        };
        Some(Finding::broken(Link::Connection, why, next))
    }

    fn not_sent(&self) -> Option<Finding> {
        let error = self.last_error.as_deref()?;
        let why = format!("the last event could not be sent: {error}");
        Some(Finding::broken(
            Link::Connection,
            why,
            vec![format!(
                "scalr-eventbridge deliveries list --connection {}",
                quoted(&self.id)
            )],
        ))
    }

    fn failed_events(&self) -> Option<Finding> {
        let why = match self.failed {
            0 => return None,
            1 => {
                "1 event has failed: AWS does not take it. Send it again once the cause is gone, or purge it"
                    .to_owned()
            }
            more => format!(
                "{more} events have failed: AWS does not take them. Send them again once the cause is gone, or purge them"
            ),
        };
        let id = quoted(&self.id);
        let next = vec![
            format!("scalr-eventbridge deliveries list --state failed --connection {id}"),
            format!("scalr-eventbridge deliveries redeliver --failed --connection {id}"),
            format!("scalr-eventbridge deliveries purge --all --connection {id}"),
        ];
        Some(Finding::broken(Link::Connection, why, next))
    }

    fn event_source(&self, source: &str, aws: &Aws) -> Option<Finding> {
        let region = quoted(&self.region);
        match aws.source.as_deref() {
            Some("ACTIVE") => None,
            Some("PENDING") => {
                let mut next = vec![event_source::create_bus(&self.region, source)];
                next.extend(self.refresh());
                Some(Finding::broken(
                    Link::Bus,
                    format!("no event bus is associated with the event source `{source}`"),
                    next,
                ))
            }
            Some(state) => Some(Finding::broken(
                Link::EventSource,
                format!("the event source `{source}` is {state} at AWS"),
                self.refresh(),
            )),
            None => Some(Finding::broken(
                Link::EventSource,
                format!("AWS has no event source `{source}` in {region}: it was deleted, or has expired"),
                self.refresh(),
            )),
        }
    }

    fn bus(&self, source: &str, aws: &Aws) -> Vec<Finding> {
        let (region, bus) = (quoted(&self.region), quoted(source));
        let Some(rules) = &aws.rules else {
            if let Some(gone) = custom::managed_bus_gone(&self.region, source, aws) {
                return vec![gone];
            }
            return vec![Finding::broken(
                Link::Bus,
                format!("there is no event bus `{source}`"),
                vec![event_source::create_bus(&self.region, source)],
            )];
        };
        if let Some(service) = &aws.managed_by {
            return custom::findings(&self.region, source, service, aws);
        }
        let Some(first) = rules.first() else {
            return vec![Finding::broken(
                Link::Rule,
                "the event bus has no rule: its events are dropped",
                vec![format!(
                    "aws events put-rule --region {region} --event-bus-name {bus} --name scalr --event-pattern \
                     '{{\"source\":[{{\"prefix\":\"aws.partner/scalr.com\"}}]}}'"
                )],
            )];
        };
        if rules.iter().all(|rule| !rule.enabled) {
            return vec![Finding::broken(
                Link::Rule,
                "every rule of the event bus is disabled",
                vec![format!(
                    "aws events enable-rule --region {region} --event-bus-name {bus} --name {}",
                    quoted(&first.name)
                )],
            )];
        }
        let enabled = rules.iter().filter(|rule| rule.enabled);
        enabled.flat_map(|rule| self.rule(&bus, rule)).collect()
    }

    fn rule(&self, bus: &str, rule: &Rule) -> Vec<Finding> {
        let (region, name) = (quoted(&self.region), quoted(&rule.name));
        if rule.targets.is_empty() {
            return vec![Finding::broken(
                Link::Target,
                format!("the rule `{}` has no target", rule.name),
                vec![format!(
                    "aws events put-targets --region {region} --event-bus-name {bus} --rule {name} --targets Id=logs,Arn=ARN"
                )],
            )];
        }
        let missing = rule
            .targets
            .iter()
            .filter_map(|target| target.missing_log_group.as_ref());
        let broken = |group: &String| {
            Finding::broken(
                Link::LogGroup,
                format!(
                    "the rule `{}` leads to the log group `{group}`, which is not there",
                    rule.name
                ),
                vec![format!(
                    "aws logs create-log-group --region {region} --log-group-name {}",
                    quoted(group)
                )],
            )
        };
        missing.map(broken).collect()
    }

    /// None for a paused connection: a refresh would resume it.
    fn refresh(&self) -> Vec<String> {
        match self.status {
            Status::Disabled => Vec::new(),
            _ => vec![self.command("refresh")],
        }
    }

    fn command(&self, verb: &str) -> String {
        format!("scalr-eventbridge connections {verb} {}", quoted(&self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::aws::Origin;
    use super::super::seen::Target;
    use super::*;

    fn chain(status: Status, aws: Seen) -> Chain {
        Chain {
            name: "prod".to_owned(),
            id: "in-1".to_owned(),
            region: "us-east-1".to_owned(),
            status,
            error: Some("a reason".to_owned()),
            source: Some("aws.partner/scalr.com/acme/prod".to_owned()),
            aws,
            last_error: None,
            failed: 0,
        }
    }

    fn rule(enabled: bool, groups: &[Option<&str>]) -> Rule {
        let target = |missing: Option<&str>| Target {
            id: "t".to_owned(),
            arn: "arn".to_owned(),
            missing_log_group: missing.map(str::to_owned),
        };
        Rule {
            name: "it's".to_owned(),
            enabled,
            targets: groups.iter().copied().map(target).collect(),
        }
    }

    const REPLACED: [(&str, &str); 2] = [
        ("aws.partner/scalr.com/acme/prod", "SOURCE"),
        ("scalr-eventbridge ", ""),
    ];

    /// The findings as lines: link, `:`, the beginnings of their commands.
    #[track_caller]
    fn check(chain: &Chain, state: State, want: &[&str]) {
        let standing = chain.standing();
        let shown = |finding: &Finding| {
            let link = finding.link.map_or("unseen", Link::text);
            let whole = format!("{link}: {}", finding.next.join("; "));
            REPLACED
                .iter()
                .fold(whole, |text, (long, short)| text.replace(long, short))
        };
        let lines: Vec<String> = standing.findings.iter().map(shown).collect();
        assert_eq!(standing.state, state, "{standing:?}");
        assert_eq!(lines, want, "{standing:?}");
    }

    fn seen(source: Option<&str>, rules: Option<Vec<Rule>>) -> Seen {
        Seen::Visible(Aws {
            source: source.map(str::to_owned),
            managed_by: None,
            rules,
            custom_event_bus: None,
        })
    }

    const CREATE_BUS: &str =
        "event bus: aws events create-event-bus --region us-east-1 --name SOURCE --event-source-name SOURCE";
    const REFRESH: &str = "connection: connections refresh in-1";
    const RESUME: &str = "connection: connections resume in-1";

    #[test]
    fn each_break_is_named_with_the_command_that_repairs_it() {
        let active = |rules| chain(Status::Active, seen(Some("ACTIVE"), rules));
        let put_rule = "rule: aws events put-rule --region us-east-1 --event-bus-name SOURCE --name scalr --event-pattern \
                        '{\"source\":[{\"prefix\":\"aws.partner/scalr.com\"}]}'";
        let whole = || Some(vec![rule(true, &[None]), rule(false, &[])]);
        let broken = |chain: &Chain, want: &[&str]| check(chain, State::Broken, want);
        check(&active(whole()), State::Working, &[]);
        let paused = |source, rules| chain(Status::Disabled, seen(source, rules));
        check(&paused(Some("ACTIVE"), whole()), State::Paused, &[RESUME]);
        // A refresh would resume it, which comes last.
        broken(&paused(Some("PENDING"), None), &[CREATE_BUS, RESUME]);
        broken(&paused(None, None), &["event source: ", RESUME]);
        broken(&paused(Some("ACTIVE"), Some(vec![])), &[put_rule, RESUME]);
        // What is behind an event bus of the service's own is not looked at.
        check(
            &chain(Status::Active, Seen::OwnBus),
            State::Unknown,
            &["unseen: "],
        );
        broken(&chain(Status::Pending, Seen::OwnBus), &[REFRESH, "unseen: "]);
        broken(&chain(Status::Failed, Seen::OwnBus), &[REFRESH, "unseen: "]);
        let pending = |source, rules| chain(Status::Pending, seen(source, rules));
        let and_refresh = format!("{CREATE_BUS}; connections refresh in-1");
        broken(&pending(Some("PENDING"), None), &[&and_refresh]);
        broken(&pending(Some("ACTIVE"), whole()), &[REFRESH]);
        broken(&pending(Some("ACTIVE"), Some(vec![])), &[put_rule, REFRESH]);
        let source_refresh = ["event source: connections refresh in-1"];
        let deleted = chain(Status::Active, seen(Some("DELETED"), whole()));
        broken(&deleted, &source_refresh);
        broken(&chain(Status::Active, seen(None, None)), &source_refresh);
        broken(&active(None), &[CREATE_BUS]);
        broken(&active(Some(vec![])), &[put_rule]);
        broken(
            &active(Some(vec![rule(false, &[None])])),
            &[r"rule: aws events enable-rule --region us-east-1 --event-bus-name SOURCE --name 'it'\''s'"],
        );
        let rules = vec![rule(true, &[]), rule(true, &[None, Some("/a b"), Some("/c")])];
        broken(
            &active(Some(rules)),
            &[
                r"target: aws events put-targets --region us-east-1 --event-bus-name SOURCE --rule 'it'\''s' --targets Id=logs,Arn=ARN",
                "log group: aws logs create-log-group --region us-east-1 --log-group-name '/a b'",
                "log group: aws logs create-log-group --region us-east-1 --log-group-name /c",
            ],
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_called_broken() {
        let other = |origin| Hidden::Account {
            connection: "111111111111".to_owned(),
            credentials: "222222222222".to_owned(),
            origin,
        };
        for (why, next) in [
            (
                Hidden::Settings,
                "unseen: export AWS_ENDPOINT_URL=URL   # a local AWS: the URL that `dev` printed; export AWS_PROFILE=PROFILE    # AWS \
                 itself: a profile with credentials; status",
            ),
            (
                Hidden::Unanswered,
                "unseen: dev         # a local AWS: export AWS_ENDPOINT_URL as it prints it; unset AWS_ENDPOINT_URL        # AWS itself; \
                 status",
            ),
            (Hidden::LeftOut, "unseen: status"),
            (
                Hidden::Failed("no".to_owned()),
                "unseen: doctor --region us-east-1",
            ),
            (
                other(Origin::Profile),
                "unseen: export AWS_PROFILE=PROFILE    # one of AWS account 111111111111; status",
            ),
            (
                other(Origin::Variables),
                "unseen: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN   # they win over AWS_PROFILE; export \
                 AWS_PROFILE=PROFILE    # one of AWS account 111111111111; status",
            ),
            (
                other(Origin::Local),
                "unseen: export AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=none   # in a local AWS the access key is the \
                 account; status",
            ),
        ] {
            let of = |status| chain(status, Seen::Hidden(why.clone()));
            check(&of(Status::Active), State::Unknown, &[next]);
            check(&of(Status::Disabled), State::Paused, &[next, RESUME]);
            // What it waits for is to be seen first.
            check(&of(Status::Pending), State::Broken, &["connection: ", next]);
            check(&of(Status::Failed), State::Broken, &[REFRESH, next]);
        }
        let failing = Chain {
            last_error: Some("AWS answers 503".to_owned()),
            ..chain(Status::Active, Seen::Hidden(Hidden::LeftOut))
        };
        let list = "connection: deliveries list --connection in-1";
        check(&failing, State::Broken, &[list, "unseen: status"]);
        let with_failed = Chain {
            failed: 2,
            ..chain(Status::Active, Seen::Hidden(Hidden::LeftOut))
        };
        let list = "connection: deliveries list --state failed --connection in-1; deliveries redeliver --failed --connection in-1; deliveries purge --all --connection in-1";
        check(&with_failed, State::Broken, &["unseen: status", list]);
        let no_source = Chain {
            source: None,
            ..chain(Status::Pending, Seen::Hidden(Hidden::NoSource))
        };
        check(
            &no_source,
            State::Broken,
            &["event source: connections refresh in-1"],
        );
    }
}
