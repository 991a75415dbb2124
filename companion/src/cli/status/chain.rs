//! The chain of a connection as it was seen, and which link of it is broken. Data only: a pure function decides.

use scalr_api::Status;
use serde::Serialize;

use super::super::event_source;
use super::super::show::quoted;

/// A connection and what its events pass.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) region: String,
    pub(super) status: Status,
    pub(super) error: Option<String>,
    pub(super) source: Option<String>,
    pub(super) aws: Seen,
    /// Why the last event could not be sent.
    pub(super) last_error: Option<String>,
}

/// AWS's side.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    /// It was not seen.
    Hidden(Hidden),
    Visible(Aws),
}

/// Why AWS's side was not seen.
#[derive(Clone, Debug)]
pub(super) enum Hidden {
    /// The caller wanted it so.
    LeftOut,
    /// There is nothing yet that could be seen.
    NoSource,
    /// AWS's settings are missing or wrong.
    Settings,
    /// The credentials are of another account.
    Account { connection: String, credentials: String },
    /// A call failed.
    Failed(String),
}

impl Hidden {
    fn why(&self) -> String {
        match self {
            Self::LeftOut => "it was left out".to_owned(),
            Self::NoSource => "there is no event source yet".to_owned(),
            Self::Settings => "AWS's settings are missing or cannot be used".to_owned(),
            Self::Account {
                connection,
                credentials,
            } => format!("it is in AWS account {connection}, and the credentials are of {credentials}"),
            Self::Failed(why) => why.clone(),
        }
    }

    /// What to type to see it.
    fn next(&self, region: &str) -> Vec<String> {
        match self {
            Self::LeftOut => vec!["scalr-eventbridge status".to_owned()],
            Self::NoSource => Vec::new(),
            Self::Settings => vec![
                "export AWS_ENDPOINT_URL=URL   # a local AWS: the URL that `scalr-eventbridge dev` printed"
                    .to_owned(),
                "export AWS_PROFILE=PROFILE    # AWS itself: a profile with credentials".to_owned(),
                "scalr-eventbridge status".to_owned(),
            ],
            Self::Account { connection, .. } => vec![
                format!(
                    "export AWS_PROFILE=PROFILE    # one of AWS account {}",
                    quoted(connection)
                ),
                "scalr-eventbridge status".to_owned(),
            ],
            Self::Failed(_) => vec![format!("scalr-eventbridge doctor --region {}", quoted(region))],
        }
    }
}

/// What there is at AWS.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Aws {
    /// The state of the event source; none where there is no such source.
    pub(super) source: Option<String>,
    /// None where there is no bus.
    pub(super) rules: Option<Vec<Rule>>,
}

/// A rule of the bus.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) targets: Vec<Target>,
}

/// A target of a rule.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) arn: String,
    /// The log group that it leads to, and that is not there.
    pub(super) missing_log_group: Option<String>,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Link {
    Connection,
    EventSource,
    Bus,
    Rule,
    Target,
    LogGroup,
}

impl Link {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::EventSource => "event source",
            Self::Bus => "event bus",
            Self::Rule => "rule",
            Self::Target => "target",
            Self::LogGroup => "log group",
        }
    }
}

/// How a chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Working,
    Paused,
    Broken,
    /// Scalr's side is right, and AWS's cannot be seen.
    Unknown,
}

/// How a chain stands, where it is broken, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) link: Option<Link>,
    pub(super) why: Option<String>,
    /// The commands that repair it.
    pub(super) next: Vec<String>,
}

impl Standing {
    fn broken(link: Link, why: impl Into<String>, next: Vec<String>) -> Self {
        Self {
            state: State::Broken,
            link: Some(link),
            why: Some(why.into()),
            next,
        }
    }
}

impl Chain {
    /// The first link that is broken, in the order in which they can be repaired.
    pub(super) fn standing(&self) -> Standing {
        if self.status == Status::Disabled {
            return Standing {
                state: State::Paused,
                link: Some(Link::Connection),
                why: Some("the connection is paused; its events are held".to_owned()),
                next: vec![self.command("resume")],
            };
        }
        let Some(source) = &self.source else {
            let why = self
                .error
                .as_deref()
                .unwrap_or("Scalr has not made the event source yet");
            return Standing::broken(Link::EventSource, why, vec![self.command("refresh")]);
        };
        match &self.aws {
            Seen::Hidden(why) => self.without_aws(why),
            Seen::Visible(aws) => self
                .broken_source(source, aws)
                .or_else(|| self.broken_connection())
                .or_else(|| self.broken_bus(source, aws))
                .unwrap_or(Standing {
                    state: State::Working,
                    link: None,
                    why: None,
                    next: Vec::new(),
                }),
        }
    }

    /// What Scalr's status alone tells. The cause may be on the side that was not seen.
    fn without_aws(&self, hidden: &Hidden) -> Standing {
        let unseen = format!("AWS's side was not seen: {}", hidden.why());
        let next = hidden.next(&self.region);
        let Some(broken) = self.broken_connection() else {
            return Standing {
                state: State::Unknown,
                link: None,
                why: Some(unseen),
                next,
            };
        };
        let why = broken.why.unwrap_or_default();
        Standing {
            why: Some(format!("{}. {unseen}", why.trim_end_matches('.'))),
            // A refresh changes nothing as long as no bus is there.
            next: if self.status == Status::Pending && !next.is_empty() {
                next
            } else {
                [broken.next, next].concat()
            },
            ..broken
        }
    }

    fn broken_connection(&self) -> Option<Standing> {
        let why = match &self.status {
            Status::Active | Status::Disabled => return self.not_sent(),
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
        Some(Standing::broken(
            Link::Connection,
            why,
            vec![self.command("refresh")],
        ))
    }

    fn not_sent(&self) -> Option<Standing> {
        let error = self.last_error.as_deref()?;
        let why = format!("the last event could not be sent: {error}");
        Some(Standing::broken(
            Link::Connection,
            why,
            vec![format!(
                "scalr-eventbridge deliveries list --connection {}",
                quoted(&self.id)
            )],
        ))
    }

    fn broken_source(&self, source: &str, aws: &Aws) -> Option<Standing> {
        let region = quoted(&self.region);
        match aws.source.as_deref() {
            Some("ACTIVE") => None,
            Some("PENDING") => Some(Standing::broken(
                Link::Bus,
                format!("no event bus is associated with the event source `{source}`"),
                vec![
                    event_source::create_bus(&self.region, source),
                    self.command("refresh"),
                ],
            )),
            Some(state) => Some(Standing::broken(
                Link::EventSource,
                format!("the event source `{source}` is {state} at AWS"),
                vec![self.command("refresh")],
            )),
            None => Some(Standing::broken(
                Link::EventSource,
                format!("AWS has no event source `{source}` in {region}: it was deleted, or has expired"),
                vec![self.command("refresh")],
            )),
        }
    }

    fn broken_bus(&self, source: &str, aws: &Aws) -> Option<Standing> {
        let (region, bus) = (quoted(&self.region), quoted(source));
        let Some(rules) = &aws.rules else {
            return Some(Standing::broken(
                Link::Bus,
                format!("there is no event bus `{source}`"),
                vec![event_source::create_bus(&self.region, source)],
            ));
        };
        if rules.is_empty() {
            return Some(Standing::broken(
                Link::Rule,
                "the event bus has no rule: its events are dropped",
                vec![format!(
                    "aws events put-rule --region {region} --event-bus-name {bus} --name scalr --event-pattern \
                     '{{\"source\":[{{\"prefix\":\"aws.partner/scalr.com\"}}]}}'"
                )],
            ));
        }
        let enabled: Vec<&Rule> = rules.iter().filter(|rule| rule.enabled).collect();
        if enabled.is_empty() {
            let rule = rules.first().map_or("", |rule| rule.name.as_str());
            return Some(Standing::broken(
                Link::Rule,
                "every rule of the event bus is disabled",
                vec![format!(
                    "aws events enable-rule --region {region} --event-bus-name {bus} --name {}",
                    quoted(rule)
                )],
            ));
        }
        enabled.into_iter().find_map(|rule| self.broken_rule(&bus, rule))
    }

    fn broken_rule(&self, bus: &str, rule: &Rule) -> Option<Standing> {
        let (region, name) = (quoted(&self.region), quoted(&rule.name));
        if rule.targets.is_empty() {
            return Some(Standing::broken(
                Link::Target,
                format!("the rule `{}` has no target", rule.name),
                vec![format!(
                    "aws events put-targets --region {region} --event-bus-name {bus} --rule {name} --targets Id=logs,Arn=ARN"
                )],
            ));
        }
        let group = rule
            .targets
            .iter()
            .find_map(|target| target.missing_log_group.as_ref())?;
        Some(Standing::broken(
            Link::LogGroup,
            format!(
                "the rule `{}` leads to the log group `{group}`, which is not there",
                rule.name
            ),
            vec![format!(
                "aws logs create-log-group --region {region} --log-group-name {}",
                quoted(group)
            )],
        ))
    }

    fn command(&self, verb: &str) -> String {
        format!("scalr-eventbridge connections {verb} {}", quoted(&self.id))
    }
}

#[cfg(test)]
mod tests {
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

    #[track_caller]
    fn check(chain: &Chain, state: State, link: Option<Link>, next: &str) {
        let standing = chain.standing();
        assert_eq!((standing.state, standing.link), (state, link), "{standing:?}");
        let commands = standing.next.join("\n");
        assert!(commands.contains(next), "{next} is not in {commands}");
    }

    #[test]
    fn the_first_broken_link_is_named_with_the_command_that_repairs_it() {
        let seen = |source: Option<&str>, rules: Option<Vec<Rule>>| {
            Seen::Visible(Aws {
                source: source.map(str::to_owned),
                rules,
            })
        };
        let active = |rules| chain(Status::Active, seen(Some("ACTIVE"), rules));
        let whole = || Some(vec![rule(true, &[None]), rule(false, &[])]);
        check(&active(whole()), State::Working, None, "");
        let paused = chain(Status::Disabled, seen(Some("ACTIVE"), whole()));
        check(
            &paused,
            State::Paused,
            Some(Link::Connection),
            "connections resume in-1",
        );
        let pending = chain(Status::Pending, seen(Some("PENDING"), None));
        check(&pending, State::Broken, Some(Link::Bus), "create-event-bus");
        let not_refreshed = chain(Status::Pending, seen(Some("ACTIVE"), whole()));
        check(
            &not_refreshed,
            State::Broken,
            Some(Link::Connection),
            "connections refresh in-1",
        );
        let deleted = chain(Status::Active, seen(Some("DELETED"), whole()));
        check(&deleted, State::Broken, Some(Link::EventSource), "refresh");
        check(
            &chain(Status::Active, seen(None, None)),
            State::Broken,
            Some(Link::EventSource),
            "refresh",
        );
        check(&active(None), State::Broken, Some(Link::Bus), "create-event-bus");
        check(&active(Some(vec![])), State::Broken, Some(Link::Rule), "put-rule");
        let disabled = active(Some(vec![rule(false, &[None])]));
        check(
            &disabled,
            State::Broken,
            Some(Link::Rule),
            r"enable-rule --region us-east-1",
        );
        check(&disabled, State::Broken, Some(Link::Rule), r"--name 'it'\''s'");
        let no_target = active(Some(vec![rule(true, &[])]));
        check(&no_target, State::Broken, Some(Link::Target), "put-targets");
        let no_group = active(Some(vec![rule(true, &[None, Some("/a b")])]));
        check(
            &no_group,
            State::Broken,
            Some(Link::LogGroup),
            "--log-group-name '/a b'",
        );
    }

    #[test]
    fn what_cannot_be_seen_is_not_called_broken() {
        let hidden = || {
            Seen::Hidden(Hidden::Account {
                connection: "111111111111".to_owned(),
                credentials: "222222222222".to_owned(),
            })
        };
        check(
            &chain(Status::Active, hidden()),
            State::Unknown,
            None,
            "one of AWS account 111111111111",
        );
        for (why, next) in [
            (Hidden::Settings, "export AWS_ENDPOINT_URL=URL"),
            (Hidden::LeftOut, "scalr-eventbridge status"),
            (Hidden::Failed("no".to_owned()), "doctor --region us-east-1"),
        ] {
            let pending = chain(Status::Pending, Seen::Hidden(why));
            check(&pending, State::Broken, Some(Link::Connection), next);
            let standing = pending.standing();
            assert!(!standing.next.concat().contains("refresh"), "{standing:?}");
            assert!(standing.why.unwrap().contains("AWS's side was not seen"));
        }
        check(
            &chain(Status::Failed, hidden()),
            State::Broken,
            Some(Link::Connection),
            "refresh",
        );
        let failing = Chain {
            last_error: Some("AWS answers 503".to_owned()),
            ..chain(Status::Active, hidden())
        };
        check(&failing, State::Broken, Some(Link::Connection), "deliveries list");
        let no_source = Chain {
            source: None,
            ..chain(Status::Pending, hidden())
        };
        check(&no_source, State::Broken, Some(Link::EventSource), "refresh");
    }
}
