//! Looks at every link of the chain, once, after an event did not arrive.

use aws_sdk_eventbridge::types::{RuleState, Target};
use scalr_api::{Connection, Object, Run, WorkspaceId};
use serde_json::Value;
use tfplugin::Result;

use super::DeliveryCheck;
use super::chain::{BusFacts, ConnectionFacts, Facts, RuleFacts, RunFacts};
use super::event::{self, Match, Place};
use crate::aws::policy::{Need, Verdict};
use crate::aws::{Error, Regional, arn, log_policy};
use crate::client::Scalr;

/// All that can be found out.
pub(super) async fn facts(
    aws: &Regional,
    scalr: &Scalr,
    plan: &DeliveryCheck,
    started: &Object<Run>,
) -> Result<Facts> {
    let looking = |e: Error| e.during("the event did not arrive, and cannot tell why");
    let run = scalr.api.run(&started.id).await;
    let run = run.map_err(|e| scalr.failed(format!("read the run `{}`", started.id), e))?;
    let run = run.unwrap_or_else(|| started.clone());
    let account = aws.account().await.map_err(looking)?.to_owned();
    let connections = scalr.api.connections(None).await;
    let connections = connections.map_err(|e| scalr.failed("list the connections", e))?;
    let connection = connections
        .into_iter()
        .find(|held| held.attributes.aws_account_id == account && held.attributes.region == aws.name);
    let group_arn = arn::of_log_group(&aws.name, &account, &plan.log_group);
    let bus = bus_name(aws, connection.as_ref(), &group_arn)
        .await
        .map_err(looking)?;
    let workspace = workspace_name(scalr, &plan.workspace_id).await;
    let place = Place {
        source: bus.as_deref().unwrap_or_default(),
        aws_account: &account,
        region: &aws.name,
        workspace: workspace.as_deref(),
    };
    let event = event::of_run(&run, &place);
    Ok(Facts {
        group: plan.log_group.clone(),
        group_exists: aws.log_group(&plan.log_group).await.map_err(looking)?.is_some(),
        bus: match &bus {
            Some(name) => Some(
                bus_facts(aws, name, &group_arn, &account, &event)
                    .await
                    .map_err(looking)?,
            ),
            None => None,
        },
        connection: connection.map(|held| ConnectionFacts {
            name: held.attributes.name,
            status: held.attributes.status.as_str().to_owned(),
            message: held.attributes.err_message,
        }),
        place: format!("account {account}, region {}", aws.name),
        run: RunFacts {
            id: run.id.to_string(),
            status: run.attributes.status.to_string(),
            is_over: run.attributes.status.is_final(),
        },
    })
}

/// The bus that the connection names; without one, a bus of Scalr's whose rules lead to the log group.
async fn bus_name(
    aws: &Regional,
    connection: Option<&Object<Connection>>,
    group_arn: &str,
) -> std::result::Result<Option<String>, Error> {
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

async fn workspace_name(scalr: &Scalr, id: &str) -> Option<String> {
    let workspace = scalr.api.workspace(&WorkspaceId::new(id).ok()?).await.ok()??;
    Some(workspace.attributes.name)
}

async fn bus_facts(
    aws: &Regional,
    name: &str,
    group_arn: &str,
    account: &str,
    event: &Value,
) -> std::result::Result<BusFacts, Error> {
    let source = aws.source(name).await?;
    let mut facts = BusFacts {
        name: name.to_owned(),
        exists: aws.bus(name).await?.is_some(),
        source_state: source
            .and_then(|source| source.state)
            .map(|state| state.as_str().to_owned()),
        rules_count: 0,
        rules: Vec::new(),
    };
    if !facts.exists {
        return Ok(facts);
    }
    facts.rules_count = aws.rule_names(name, None).await?.len();
    for rule in rules_to(aws, name, group_arn).await? {
        let Some(held) = aws.rule(name, &rule).await? else {
            continue;
        };
        let targets = aws.targets(name, &rule).await?.unwrap_or_default();
        let rule_arn = held
            .arn()
            .map_or_else(|| arn::of_rule(&aws.name, account, name, &rule), str::to_owned);
        facts.rules.push(RuleFacts {
            enabled: held.state() != Some(&RuleState::Disabled),
            pattern: held
                .event_pattern()
                .map_or_else(no_pattern, |pattern| event::judge(pattern, event)),
            verdict: verdict(aws, group_arn, rule_arn, account).await?,
            transforms: targets
                .iter()
                .filter(|target| leads_to(target, group_arn))
                .all(transforms),
            name: rule,
        });
    }
    Ok(facts)
}

fn no_pattern() -> Match {
    Match::No("it has no event pattern".to_owned())
}

async fn verdict(
    aws: &Regional,
    group_arn: &str,
    rule_arn: String,
    account: &str,
) -> std::result::Result<Verdict, Error> {
    let need = Need {
        log_group_arn: group_arn.to_owned(),
        rule_arn,
        account: account.to_owned(),
        target_id: String::new(),
    };
    log_policy::verdict(aws, &need).await
}

/// The rules of a bus that lead to the log group; its ARN is written with and without `:*`.
async fn rules_to(aws: &Regional, bus: &str, group_arn: &str) -> std::result::Result<Vec<String>, Error> {
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
