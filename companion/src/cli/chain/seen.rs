//! The chain of a connection as it was seen. Data only.

use scalr_api::Status;
use serde::Serialize;

use super::super::aws::Origin;
use super::super::show::quoted;
use crate::export::custom_bus_name;

/// A connection and what its events pass.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Chain {
    pub(in crate::cli) name: String,
    pub(in crate::cli) id: String,
    pub(in crate::cli) region: String,
    pub(in crate::cli) status: Status,
    pub(in crate::cli) error: Option<String>,
    pub(in crate::cli) source: Option<String>,
    pub(in crate::cli) aws: Seen,
    /// Why the last event could not be sent.
    pub(in crate::cli) last_error: Option<String>,
    /// Events that AWS does not take.
    pub(in crate::cli) failed: i64,
}

/// AWS's side.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Seen {
    /// It was not seen.
    Hidden(Hidden),
    Visible(Aws),
    /// Events are put to an event bus of the service's own, which looks at it by itself; what is behind it is not looked at.
    OwnBus,
}

/// Why AWS's side was not seen.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Hidden {
    /// The caller wanted it so.
    LeftOut,
    /// There is nothing yet that could be seen.
    NoSource,
    /// AWS's settings are missing or wrong.
    Settings,
    /// Nothing answers at the address that is set.
    Unanswered,
    /// The credentials are of another account.
    Account {
        connection: String,
        credentials: String,
        origin: Origin,
    },
    /// A call failed.
    Failed(String),
}

impl Hidden {
    pub(super) fn why(&self) -> String {
        match self {
            Self::LeftOut => "it was left out".to_owned(),
            Self::NoSource => "there is no event source yet".to_owned(),
            Self::Settings => "AWS's settings are missing or cannot be used".to_owned(),
            Self::Unanswered => "nothing answers at AWS's address".to_owned(),
            Self::Account {
                connection,
                credentials,
                ..
            } => format!("it is in AWS account {connection}, and the credentials are of {credentials}"),
            Self::Failed(why) => why.clone(),
        }
    }

    /// What to type to see it.
    pub(super) fn next(&self, region: &str) -> Vec<String> {
        match self {
            Self::LeftOut => vec!["scalr-eventbridge status".to_owned()],
            Self::NoSource => Vec::new(),
            Self::Settings => vec![
                "export AWS_ENDPOINT_URL=URL   # a local AWS: the URL that `scalr-eventbridge dev` printed"
                    .to_owned(),
                "export AWS_PROFILE=PROFILE    # AWS itself: a profile with credentials".to_owned(),
                "scalr-eventbridge status".to_owned(),
            ],
            Self::Unanswered => vec![
                "scalr-eventbridge dev         # a local AWS: export AWS_ENDPOINT_URL as it prints it"
                    .to_owned(),
                "unset AWS_ENDPOINT_URL        # AWS itself".to_owned(),
                "scalr-eventbridge status".to_owned(),
            ],
            Self::Account {
                connection, origin, ..
            } => {
                let account = quoted(connection);
                let profile = format!("export AWS_PROFILE=PROFILE    # one of AWS account {account}");
                let mut next = match origin {
                    Origin::Local => vec![format!(
                        "export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=none   # in a local AWS the access key is the account"
                    )],
                    Origin::Variables => vec![
                        "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN   # they win over AWS_PROFILE"
                            .to_owned(),
                        profile,
                    ],
                    Origin::Profile => vec![profile],
                };
                next.push("scalr-eventbridge status".to_owned());
                next
            }
            Self::Failed(_) => vec![format!("scalr-eventbridge doctor --region {}", quoted(region))],
        }
    }
}

/// What there is at AWS.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct Aws {
    /// The state of the event source; none where there is no such source.
    pub(in crate::cli) source: Option<String>,
    /// The service that made the bus and manages it; none where it is the account's own. EventBridge does so for a custom event bus.
    pub(in crate::cli) managed_by: Option<String>,
    /// None where there is no bus. Of a managed bus those that AWS manages, of another the others.
    pub(in crate::cli) rules: Option<Vec<Rule>>,
    /// What has the events of a managed bus, or of one that was managed and is gone.
    pub(in crate::cli) custom_event_bus: Option<CustomBus>,
}

/// A custom event bus, as far as it was seen.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::cli) struct CustomBus {
    /// None where nothing leads to it.
    pub(in crate::cli) arn: Option<String>,
    /// None where it is not there.
    pub(in crate::cli) state: Option<String>,
    pub(in crate::cli) event_source: Option<EventSource>,
    pub(in crate::cli) subscribers: Vec<Subscriber>,
    /// Why something of it was not seen.
    pub(in crate::cli) not_seen: Option<String>,
}

/// The event source of a custom event bus.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct EventSource {
    pub(in crate::cli) name: String,
    pub(in crate::cli) arn: String,
    pub(in crate::cli) state: String,
    /// The owner of the bus has taken the bus from it, for good.
    pub(in crate::cli) revoked: bool,
}

/// A subscriber of a custom event bus.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct Subscriber {
    pub(in crate::cli) name: String,
    pub(in crate::cli) arn: String,
    pub(in crate::cli) state: String,
    /// The owner of the bus has taken it off the bus, for good.
    pub(in crate::cli) revoked: bool,
    pub(in crate::cli) target_arn: Option<String>,
    /// Why its filters match none of Scalr's events; empty where they may match one.
    pub(in crate::cli) matches_none: Vec<String>,
    /// The log group that it writes to, and that is not there.
    pub(in crate::cli) missing_log_group: Option<String>,
    /// The log stream that it writes to, and that is not there: the group, and the stream.
    pub(in crate::cli) missing_log_stream: Option<(String, String)>,
}

impl Subscriber {
    /// Whether it delivers, if what it delivers to is there.
    pub(in crate::cli) fn runs(&self) -> bool {
        self.state == "RUNNING" && !self.revoked
    }

    /// Whether it may take an event of Scalr's.
    pub(super) fn may_match(&self) -> bool {
        self.matches_none.is_empty()
    }
}

impl Aws {
    /// The ARN of the custom event bus that a managed bus feeds.
    pub(in crate::cli) fn feeds(&self) -> Option<&str> {
        self.managed_by.as_ref()?;
        let rules = self.rules.iter().flatten().filter(|rule| rule.enabled);
        rules.into_iter().find_map(Rule::custom_bus)
    }
}

impl Rule {
    /// The ARN of the custom event bus that it leads to.
    pub(super) fn custom_bus(&self) -> Option<&str> {
        let mut arns = self.targets.iter().map(|target| target.arn.as_str());
        arns.find(|arn| custom_bus_name(arn).is_some())
    }
}

/// A rule of the bus.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct Rule {
    pub(in crate::cli) name: String,
    pub(in crate::cli) enabled: bool,
    pub(in crate::cli) targets: Vec<Target>,
}

/// A target of a rule.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct Target {
    pub(in crate::cli) id: String,
    pub(in crate::cli) arn: String,
    /// The log group that it leads to, and that is not there.
    pub(in crate::cli) missing_log_group: Option<String>,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Link {
    Connection,
    EventSource,
    Bus,
    Rule,
    Target,
    Subscriber,
    LogGroup,
    LogStream,
}

impl Link {
    pub(in crate::cli) const fn text(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::EventSource => "event source",
            Self::Bus => "event bus",
            Self::Rule => "rule",
            Self::Target => "target",
            Self::Subscriber => "subscriber",
            Self::LogGroup => "log group",
            Self::LogStream => "log stream",
        }
    }
}
