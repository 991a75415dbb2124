//! Whether the event of a run can arrive in a log group, as far as both sides show: a run that is started in vain is a run too many.

use std::cmp::Reverse;

use aws_config::SdkConfig;
use scalr_api::{Client, Connection, Object, Status};

use super::chain::{self, Aws, Chain, Finding, Link, Region, Seen};
use super::exit::Failure;
use super::show;
use crate::export::log_group_name;

/// Connections that are looked at. With more of them, what was not looked at may lead there.
const LOOKED_AT_MAX: usize = 50;
/// Findings and commands that a message has.
const SAID_MAX: usize = 3;

/// The log group in which an event is to arrive.
pub(super) struct Place<'a> {
    pub(super) group: &'a str,
    pub(super) region: &'a str,
}

impl Place<'_> {
    /// Whether this is the ARN of the log group.
    fn is(&self, arn: &str) -> bool {
        log_group_name(arn) == Some(self.group) && arn.split(':').nth(3) == Some(self.region)
    }
}

/// Fails where no connection's events can arrive there.
pub(super) async fn check(client: &Client, config: &SdkConfig, place: &Place<'_>) -> anyhow::Result<()> {
    let mut listed = client.connections(None).await?;
    if listed.is_empty() {
        return Err(Failure::FoundWrong {
            what: format!("{}: there are no connections", cannot(place)),
            next: "scalr-eventbridge connections create --help".to_owned(),
        }
        .into());
    }
    listed.sort_by_key(|one| rank(one, place));
    let more = listed.len().saturating_sub(LOOKED_AT_MAX);
    let mut regions: Vec<Region> = Vec::new();
    let mut kept_from = Vec::new();
    for object in listed.into_iter().take(LOOKED_AT_MAX) {
        let name = &object.attributes.region;
        if !regions.iter().any(|region| region.name == *name) {
            regions.push(chain::region(config, name.clone()).await);
        }
        let chain = chain::connection(client, &regions, object).await?.chain;
        let findings = why_not(&chain, place);
        if findings.is_empty() {
            return Ok(());
        }
        kept_from.push((chain, findings));
    }
    if more > 0 {
        return Ok(());
    }
    kept_from.sort_by_key(|(chain, _)| Reverse(nearness(chain, place)));
    Err(refusal(place, &kept_from).into())
}

/// Those that may lead there first: of the same region, and active.
fn rank(one: &Object<Connection>, place: &Place<'_>) -> (bool, bool) {
    let wire = &one.attributes;
    (wire.status != Status::Active, wire.region != place.region)
}

/// How likely it is that a connection is meant by a log group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Elsewhere,
    SameRegion,
    /// A rule leads there, if it is enabled.
    Leads,
}

fn nearness(chain: &Chain, place: &Place<'_>) -> Nearness {
    let rules = match &chain.aws {
        Seen::Visible(aws) => aws.rules.as_deref().unwrap_or_default(),
        Seen::Hidden(_) | Seen::OwnBus => &[],
    };
    let mut targets = rules.iter().flat_map(|rule| &rule.targets);
    if targets.any(|target| place.is(&target.arn)) {
        Nearness::Leads
    } else if chain.region == place.region {
        Nearness::SameRegion
    } else {
        Nearness::Elsewhere
    }
}

/// What keeps a connection's events from arriving; nothing where they may arrive.
fn why_not(chain: &Chain, place: &Place<'_>) -> Vec<Finding> {
    let findings = chain.standing().findings;
    let is_off = matches!(chain.status, Status::Pending | Status::Disabled | Status::Failed);
    match &chain.aws {
        // Where the source is not made yet, that was found.
        Seen::Hidden(_) if is_off || chain.source.is_none() => findings,
        Seen::Hidden(_) | Seen::OwnBus => Vec::new(),
        Seen::Visible(aws) if may_lead(aws, &findings, place) => {
            if is_off || aws.source.as_deref() != Some("ACTIVE") {
                findings
            } else {
                Vec::new()
            }
        }
        Seen::Visible(aws) => {
            let leads = leads_elsewhere(aws, place);
            let of_this = |finding: &Finding| finding.link != Some(Link::LogGroup);
            let mut all: Vec<Finding> = findings.into_iter().filter(of_this).collect();
            let is_known = all
                .iter()
                .any(|one| !matches!(one.link, Some(Link::Connection) | None));
            if !is_known {
                all.insert(0, leads);
            }
            all
        }
    }
}

/// Whether an enabled rule has a target that is the log group, or something that may pass events on to it; or a custom event bus has a
/// subscriber.
fn may_lead(aws: &Aws, findings: &[Finding], place: &Place<'_>) -> bool {
    if aws.managed_by.is_some() {
        // Where a subscriber of a custom event bus leads to may be known at a delivery only.
        let is_broken = |finding: &Finding| {
            matches!(
                finding.link,
                Some(Link::EventSource | Link::Bus | Link::Subscriber)
            )
        };
        return aws.feeds().is_some() && !findings.iter().any(is_broken);
    }
    let rules = aws.rules.iter().flatten().filter(|rule| rule.enabled);
    let mut targets = rules.flat_map(|rule| &rule.targets);
    targets.any(|target| match log_group_name(&target.arn) {
        None => true,
        Some(_) => place.is(&target.arn),
    })
}

/// That the targets are other log groups.
fn leads_elsewhere(aws: &Aws, place: &Place<'_>) -> Finding {
    let rules = aws.rules.iter().flatten().filter(|rule| rule.enabled);
    let targets = rules.flat_map(|rule| &rule.targets);
    let mut others: Vec<&str> = targets.filter_map(|target| log_group_name(&target.arn)).collect();
    others.sort_unstable();
    others.dedup();
    others.truncate(SAID_MAX);
    let quoted: Vec<String> = others.iter().map(|group| format!("`{group}`")).collect();
    Finding::broken(
        Link::Target,
        format!(
            "no target of an enabled rule leads to it, but to {}",
            quoted.join(", ")
        ),
        others
            .iter()
            .filter(|group| **group != place.group)
            .map(|group| format!("the same command with `--log-group {}`", show::quoted(group)))
            .collect(),
    )
}

fn cannot(place: &Place<'_>) -> String {
    format!(
        "no run was started: its event cannot arrive in the log group `{}`",
        show::escaped(place.group)
    )
}

fn refusal(place: &Place<'_>, kept_from: &[(Chain, Vec<Finding>)]) -> Failure {
    let said = |(chain, findings): &(Chain, Vec<Finding>)| {
        let whys: Vec<&str> = findings.iter().map(|one| one.why.as_str()).collect();
        format!(
            "{} ({}): {}",
            show::escaped(&chain.name),
            chain.id,
            show::escaped(&whys.join("; "))
        )
    };
    let mut lines: Vec<String> = kept_from.iter().take(SAID_MAX).map(said).collect();
    let more = kept_from.len().saturating_sub(SAID_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Failure::FoundWrong {
        what: format!("{}.\n  {}", cannot(place), lines.join("\n  ")),
        next: next(place, kept_from).join("\n      "),
    }
}

/// The commands for the connection that is meant; where several may be, those of each under its name. The nearest come first.
fn next(place: &Place<'_>, kept_from: &[(Chain, Vec<Finding>)]) -> Vec<String> {
    let nearest = kept_from.first().map(|(chain, _)| nearness(chain, place));
    let is_meant = |(chain, _): &&(Chain, Vec<Finding>)| Some(nearness(chain, place)) == nearest;
    let meant: Vec<_> = kept_from.iter().take_while(is_meant).collect();
    let commands = |findings: &[Finding]| -> Vec<String> {
        findings.iter().flat_map(|finding| finding.next.clone()).collect()
    };
    let mut next = Vec::new();
    match meant.as_slice() {
        [(_, findings)] => next.extend(commands(findings)),
        several => {
            let shown = several.iter().take(SAID_MAX);
            let shown = shown.map(|(chain, findings)| (chain, commands(findings)));
            for (chain, commands) in shown.filter(|(_, commands)| !commands.is_empty()) {
                next.push(format!("for {} ({}):", show::escaped(&chain.name), chain.id));
                next.extend(commands.into_iter().map(|command| format!("  {command}")));
            }
            if !next.is_empty() {
                next.insert(
                    0,
                    "choose the connection whose events are to arrive there".to_owned(),
                );
            }
        }
    }
    if next.is_empty() || meant.len() > SAID_MAX {
        next.push("scalr-eventbridge status".to_owned());
    }
    next
}

#[cfg(test)]
mod tests {
    use super::super::chain::{Hidden, Rule, Target};
    use super::*;

    const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/g";
    const OTHER: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/other:*";
    const ABROAD: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:/g";
    const CUSTOM: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/mine/0a1b";
    const ARCHIVE: &str = "arn:aws:events:us-east-1:123456789012:archive/a";
    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:q";

    fn rules(enabled: bool, arns: &[&str]) -> Seen {
        let target = |arn: &&str| Target {
            id: "t".to_owned(),
            arn: (*arn).to_owned(),
            missing_log_group: None,
        };
        let rule = Rule {
            name: "r".to_owned(),
            enabled,
            targets: arns.iter().map(target).collect(),
        };
        Seen::Visible(Aws {
            source: Some("ACTIVE".to_owned()),
            managed_by: None,
            rules: Some(vec![rule]),
            custom_event_bus: None,
        })
    }

    /// The same on a bus that AWS manages.
    fn managed(arns: &[&str]) -> Seen {
        match rules(true, arns) {
            Seen::Visible(aws) => Seen::Visible(Aws {
                managed_by: Some("events.amazonaws.com".to_owned()),
                ..aws
            }),
            other => other,
        }
    }

    /// A connection, and one finding of it whose command is its name.
    fn kept_from(name: &str, region: &str, aws: Seen) -> (Chain, Vec<Finding>) {
        let chain = Chain {
            name: name.to_owned(),
            id: format!("in-{name}"),
            region: region.to_owned(),
            status: Status::Active,
            error: None,
            source: None,
            aws,
            last_error: None,
            failed: 0,
        };
        let finding = Finding::broken(Link::Rule, "no", vec![format!("repair {name}")]);
        (chain, vec![finding])
    }

    #[test]
    fn commands_are_for_the_connection_that_is_meant() {
        const CHOOSE: &str = "choose the connection whose events are to arrive there";
        let place = Place {
            group: "/g",
            region: "us-east-1",
        };
        let leads = |name| kept_from(name, "us-east-1", rules(false, &[GROUP]));
        let near = |name| kept_from(name, "us-east-1", rules(false, &[OTHER]));
        let far = |name| kept_from(name, "eu-west-1", rules(false, &[ABROAD]));
        for (kept_from, want) in [
            (vec![leads("a"), near("b"), far("c")], &["repair a"][..]),
            (vec![near("b"), far("c")], &["repair b"]),
            (vec![far("c")], &["repair c"]),
            (
                vec![leads("a"), leads("b"), near("c")],
                &[
                    CHOOSE,
                    "for a (in-a):",
                    "  repair a",
                    "for b (in-b):",
                    "  repair b",
                ],
            ),
            (
                ["a", "b", "c", "d"].map(far).into(),
                &[
                    CHOOSE,
                    "for a (in-a):",
                    "  repair a",
                    "for b (in-b):",
                    "  repair b",
                    "for c (in-c):",
                    "  repair c",
                    "scalr-eventbridge status",
                ],
            ),
        ] {
            assert_eq!(next(&place, &kept_from), want);
        }
    }

    #[test]
    fn only_what_was_seen_to_lead_nowhere_keeps_a_run_from_being_started() {
        let place = Place {
            group: "/g",
            region: "us-east-1",
        };
        let (active, paused) = (Status::Active, Status::Disabled);
        let hidden = || Seen::Hidden(Hidden::Failed("no".to_owned()));
        for (status, aws, want) in [
            (&active, rules(true, &[GROUP]), &[][..]),
            (&active, rules(true, &[OTHER, GROUP]), &[]),
            (&active, rules(true, &[QUEUE]), &[]),
            (&active, hidden(), &[]),
            (&active, managed(&[CUSTOM]), &[]),
            (&active, managed(&[ARCHIVE]), &["no rule of it leads there"]),
            (&active, managed(&[]), &["has no target"]),
            (&Status::Other("new".to_owned()), rules(true, &[GROUP]), &[]),
            (&active, rules(true, &[OTHER]), &["but to `/other`"]),
            (&active, rules(true, &[ABROAD]), &["but to `/g`"]),
            (&active, rules(true, &[]), &["has no target"]),
            (&active, rules(false, &[GROUP]), &["is disabled"]),
            (&paused, rules(true, &[GROUP]), &["is paused"]),
            (&paused, rules(true, &[OTHER]), &["but to `/other`", "is paused"]),
            (&paused, hidden(), &["not seen: no", "is paused"]),
            (&Status::Pending, rules(true, &[GROUP]), &["is pending"]),
            (&Status::Failed, rules(true, &[GROUP]), &["has failed"]),
        ] {
            let chain = Chain {
                name: "prod".to_owned(),
                id: "in-1".to_owned(),
                region: "us-east-1".to_owned(),
                status: status.clone(),
                error: None,
                source: Some("aws.partner/scalr.com/acme/prod".to_owned()),
                aws,
                last_error: None,
                failed: 0,
            };
            let found = why_not(&chain, &place);
            let fits =
                found.len() == want.len() && found.iter().zip(want).all(|(one, part)| one.why.contains(part));
            assert!(fits, "{chain:?}: {found:?}");
        }
    }
}
