//! Looks at every link of the chain, once, after an event did not arrive.

use aws_sdk_eventbridge::types::{RuleState, Target};
use scalr_api::{Connection, Object, Run, WorkspaceId};

use super::Probe;
use super::event::{self, Match, Mismatch, Route, RunEvent};
use super::facts::{BusFacts, ConnectionFacts, Facts, Lookup, RuleFacts, RunFacts, Unseen};
use super::forwarded::{self, Sought};
use crate::aws::policy::{Need, Verdict};
use crate::aws::{Error, Regional, arn, log_policy};
use crate::scalr::Scalr;

/// All that can be found out.
pub(super) async fn facts(aws: &Regional, scalr: &Scalr, probe: &Probe<'_>, started: &Object<Run>) -> Facts {
    let mut unseen = Unseen::default();
    let looked = unseen.note(
        format!("the run `{}`", started.id),
        scalr.api.run(&started.id).await,
    );
    let is_over = looked.is_none();
    let run = looked.flatten().unwrap_or_else(|| started.clone());
    let account = unseen.note("the AWS account", aws.account().await);
    let connections = unseen.note("the connections", scalr.api.connections(None).await);
    let connection = connections.map_or(Lookup::Unseen, |all| {
        Lookup::from(all.into_iter().find(|held| {
            let wire = &held.attributes;
            account.is_none_or(|account| wire.aws_account_id == account) && wire.region == aws.name
        }))
    });
    let group = unseen.note("the log group", aws.log_group(probe.log_group).await);
    let bus = match account {
        Some(account) => bus(aws, scalr, probe, (&connection, &run, account), &mut unseen).await,
        None => Lookup::Unseen,
    };
    Facts {
        group: probe.log_group.to_owned(),
        group_exists: group.is_none_or(|group| group.is_some()),
        bus,
        connection: match connection {
            Lookup::Found(held) => Lookup::Found(ConnectionFacts {
                name: held.attributes.name,
                status: held.attributes.status.as_str().to_owned(),
                message: held.attributes.err_message,
            }),
            Lookup::Gone => Lookup::Gone,
            Lookup::Unseen => Lookup::Unseen,
        },
        whereabouts: format!("{}, region {}", aws.account_in_words().await, aws.name),
        run: RunFacts {
            id: run.id.to_string(),
            status: run.attributes.status.to_string(),
            is_over: is_over || run.attributes.status.is_final(),
        },
        unseen: unseen.0,
    }
}

/// The bus that the events of the run should arrive on, and what hangs on it.
async fn bus(
    aws: &Regional,
    scalr: &Scalr,
    probe: &Probe<'_>,
    (connection, run, account): (&Lookup<Object<Connection>>, &Object<Run>, &str),
    unseen: &mut Unseen,
) -> Lookup<BusFacts> {
    let group_arn = arn::of_log_group(&aws.name, account, probe.log_group);
    let looked = bus_name(aws, connection.found(), &group_arn).await;
    let name = match unseen.note("the event buses", looked) {
        Some(Some(name)) => name,
        Some(None) => return Lookup::Gone,
        None => return Lookup::Unseen,
    };
    let workspace = workspace_name(scalr, probe.workspace_id, unseen).await;
    let route = Route {
        source: &name,
        aws_account: account,
        region: &aws.name,
        workspace_id: probe.workspace_id,
        workspace: workspace.as_deref(),
    };
    let (event, noted) = (event::of_run(run, &route), event::noted_of(&route));
    let sought = Sought {
        source: &name,
        group: probe.log_group,
        event: &event,
        noted: &noted,
    };
    Lookup::Found(bus_facts(aws, &sought, &group_arn, account, unseen).await)
}

/// The bus that the connection names; without one, a bus of Scalr's whose rules lead to the log group.
async fn bus_name(
    aws: &Regional,
    connection: Option<&Object<Connection>>,
    group_arn: &str,
) -> Result<Option<String>, Error> {
    if let Some(source) = connection.and_then(|held| held.attributes.event_source.clone()) {
        return Ok(Some(source));
    }
    let names = aws
        .buses(scalr_events::SOURCE_PREFIX)
        .await?
        .into_iter()
        .filter_map(|bus| bus.name);
    let mut first = None;
    for name in names {
        if !rules_to(aws, &name, group_arn).await?.is_empty() {
            return Ok(Some(name));
        }
        first = first.or(Some(name));
    }
    Ok(first)
}

async fn workspace_name(scalr: &Scalr, id: &str, unseen: &mut Unseen) -> Option<String> {
    let workspace = scalr.api.workspace(&WorkspaceId::new(id).ok()?).await;
    let workspace = unseen.note(format!("the workspace `{id}`"), workspace)??;
    Some(workspace.attributes.name)
}

async fn bus_facts(
    aws: &Regional,
    sought: &Sought<'_>,
    group_arn: &str,
    account: &str,
    unseen: &mut Unseen,
) -> BusFacts {
    let (name, event) = (sought.source, sought.event);
    let state = aws.source(name).await.map(|held| {
        held.and_then(|source| source.state)
            .map(|state| state.as_str().to_owned())
    });
    let source_state = unseen
        .note(format!("the event source `{name}`"), state)
        .unwrap_or_else(|| Some("ACTIVE".to_owned()));
    let held = unseen.note(format!("the event bus `{name}`"), aws.bus(name).await);
    let mut facts = BusFacts {
        name: name.to_owned(),
        exists: held.as_ref().is_none_or(Option::is_some),
        source_state,
        rules_count: 0,
        rules: Lookup::Gone,
        custom: None,
    };
    let is_managed = held.flatten().is_some_and(|bus| bus.managed_by().is_some());
    if is_managed || !facts.exists {
        facts.custom = forwarded::facts(aws, sought, is_managed, unseen).await;
        return facts;
    }
    let what = format!("the rules of `{name}`");
    let (all, leading) = (
        unseen.note(&what, aws.rule_names(name, None).await),
        unseen.note(&what, rules_to(aws, name, group_arn).await),
    );
    let (Some(all), Some(leading)) = (all, leading) else {
        facts.rules = Lookup::Unseen;
        return facts;
    };
    facts.rules_count = all.len();
    let mut rules = Vec::new();
    for rule in leading {
        let looked = rule_facts(aws, (name, &rule), group_arn, account, event).await;
        match unseen.note(format!("the rule `{rule}`"), looked) {
            Some(found) => rules.extend(found),
            None => facts.rules = Lookup::Unseen,
        }
    }
    if !matches!(facts.rules, Lookup::Unseen) {
        facts.rules = Lookup::Found(rules);
    }
    facts
}

async fn rule_facts(
    aws: &Regional,
    (bus, rule): (&str, &str),
    group_arn: &str,
    account: &str,
    event: &RunEvent,
) -> Result<Option<RuleFacts>, Error> {
    let Some(held) = aws.rule(bus, rule).await? else {
        return Ok(None);
    };
    let targets = aws.targets(bus, rule).await?.unwrap_or_default();
    let rule_arn = held
        .arn()
        .map_or_else(|| arn::of_rule(&aws.name, account, bus, rule), str::to_owned);
    Ok(Some(RuleFacts {
        name: rule.to_owned(),
        enabled: held.state() != Some(&RuleState::Disabled),
        pattern: held
            .event_pattern()
            .map_or(Match::No(Mismatch::NoPattern), |pattern| {
                event::judge(pattern, event)
            }),
        verdict: verdict(aws, group_arn, rule_arn, account).await?,
        transforms: targets
            .iter()
            .filter(|target| leads_to(target, group_arn))
            .all(transforms),
    }))
}

async fn verdict(aws: &Regional, group_arn: &str, rule_arn: String, account: &str) -> Result<Verdict, Error> {
    let need = Need {
        log_group_arn: group_arn.to_owned(),
        rule_arn,
        account: account.to_owned(),
        target_id: String::new(),
    };
    log_policy::verdict(aws, &need).await
}

/// The rules of a bus that lead to the log group; its ARN is written with and without `:*`.
async fn rules_to(aws: &Regional, bus: &str, group_arn: &str) -> Result<Vec<String>, Error> {
    let mut rules = Vec::new();
    for form in [group_arn.to_owned(), format!("{group_arn}:*")] {
        match aws.rules_with_target(bus, &form).await {
            Ok(names) => rules.extend(names),
            Err(e) if e.is_not_found() => {}
            Err(e) => return Err(e),
        }
    }
    rules.sort();
    rules.dedup();
    Ok(rules)
}

fn leads_to(target: &Target, group_arn: &str) -> bool {
    target.arn().trim_end_matches(":*") == group_arn
}

fn transforms(target: &Target) -> bool {
    target.input().is_some() || target.input_path().is_some() || target.input_transformer().is_some()
}
