//! Checks that several groups of cases share.

use std::time::{Duration, Instant};

use acceptance::stage::Stage;
use anyhow::{Result, bail, ensure};
use aws_sdk_eventbridge::types::EventSourceState;
use serde_json::Value;

const UNTIL: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Forgets the whole state and takes everything up again with import blocks: nothing may change, every attribute must
/// come back (but those in `client_only`, which nothing remote holds), and the next plan must be empty.
pub(crate) fn import(stage: &Stage, ids: &[(&str, String)], client_only: &[&str]) -> Result<()> {
    let keys: Vec<_> = ids
        .iter()
        .map(|(to, id)| (*to, format!("id = \"{id}\"")))
        .collect();
    take_up(stage, &keys, client_only)
}

/// [`import`], by the attributes of each resource's identity.
pub(crate) fn import_by_identity(
    stage: &Stage,
    identities: &[(&str, Vec<(&str, &str)>)],
    client_only: &[&str],
) -> Result<()> {
    let key = |(_, identity): &(&'_ str, Vec<(&str, &str)>)| {
        let pairs = identity
            .iter()
            .map(|(name, value)| format!("{name} = \"{value}\""));
        format!("identity = {{ {} }}", pairs.collect::<Vec<_>>().join(", "))
    };
    let keys: Vec<_> = identities.iter().map(|one| (one.0, key(one))).collect();
    take_up(stage, &keys, client_only)
}

fn take_up(stage: &Stage, keys: &[(&str, String)], client_only: &[&str]) -> Result<()> {
    let before = stage.resources()?;
    std::fs::rename(stage.state_file(), stage.dir().join("forgotten.json"))?;
    let block = |(to, key): &(&str, String)| format!("import {{\n  to = {to}\n  {key}\n}}\n");
    stage.write("import.tf", &keys.iter().map(block).collect::<String>())?;
    let ended = stage.apply()?;
    let wanted = format!("{} imported, 0 added, 0 changed, 0 destroyed", keys.len());
    ensure!(
        ended.flat().contains(&wanted),
        "wanted `{wanted}`:\n{}",
        ended.text
    );
    stage.remove("import.tf");
    for (address, old) in before {
        let new = stage.attributes(&address)?;
        same(&address, &old, &new, client_only)?;
    }
    stage.plan_empty()?;
    Ok(())
}

fn same(address: &str, old: &Value, new: &Value, client_only: &[&str]) -> Result<()> {
    for (name, value) in old.as_object().into_iter().flatten() {
        if !client_only.contains(&name.as_str()) {
            ensure!(
                new[name] == *value,
                "{address}.{name}: {} after import, was {value}",
                new[name]
            );
        }
    }
    Ok(())
}

/// Looks again and again until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    while started.elapsed() < UNTIL {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::park_timeout(BETWEEN_LOOKS);
    }
    bail!("{what}: not within {UNTIL:?}")
}

/// Waits until a log group holds an event of this type, and returns it.
pub(crate) fn arrives(stage: &Stage, group: &str, detail_type: &str) -> Result<Value> {
    until(&format!("a {detail_type} in {group}"), || {
        let messages = stage.aws().messages(group)?;
        Ok(messages
            .into_iter()
            .find(|message| message["detail-type"] == detail_type))
    })
}

/// Starts a run, as Scalr's interface would.
pub(crate) fn start_run(stage: &Stage) -> Result<()> {
    let workspace = serde_json::json!({"type": "workspaces", "id": stage.world.line.workspace()});
    let body = serde_json::json!({"data": {
        "type": "runs",
        "attributes": {"message": "acceptance", "is-dry": true},
        "relationships": {"workspace": {"data": workspace}},
    }});
    let (status, answer) = stage.world.scalr().call("POST", "/runs", Some(&body))?;
    ensure!(status == 201, "POST /runs: {status} {answer}");
    Ok(())
}

/// The stage's AWS side holds nothing but these log groups, and Scalr has no connection.
pub(crate) fn nothing_left(stage: &Stage, region: &str, groups: &[&str]) -> Result<()> {
    let aws = stage.world.aws_in(region);
    let connections = stage.world.scalr().connections()?;
    ensure!(connections.is_empty(), "connections are left: {connections:?}");
    let buses = aws.buses()?;
    ensure!(buses.is_empty(), "buses are left: {buses:?}");
    // A source that once had a bus stays visible as DELETED, as it does in AWS.
    let sources = acceptance::block_on(aws.events.list_event_sources().send())?;
    let mut alive = sources
        .event_sources()
        .iter()
        .filter(|source| source.state() != Some(&EventSourceState::Deleted));
    ensure!(alive.next().is_none(), "event sources are left: {sources:?}");
    let mut left = aws.groups()?;
    left.sort();
    ensure!(left == groups, "log groups: {left:?}, wanted {groups:?}");
    for group in groups {
        let policy = aws.group_policy(group)?;
        ensure!(policy.is_none(), "{group} still has a policy: {policy:?}");
    }
    Ok(())
}
