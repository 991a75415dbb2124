//! Checks that several groups of cases share.

use std::time::{Duration, Instant};

use acceptance::group::Ended;
use acceptance::workdir::Workdir;
use anyhow::{Result, bail, ensure};
use aws_sdk_eventbridge::types::EventSourceState;
use serde_json::Value;

const WITHIN: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Removes the whole state and imports everything with import blocks: nothing may change, every attribute must come
/// back (but those in `client_only`, which nothing remote holds), and the next plan must be empty.
pub(crate) fn import(workdir: &Workdir, ids: &[(&str, String)], client_only: &[&str]) -> Result<()> {
    let keys: Vec<_> = ids
        .iter()
        .map(|(to, id)| (*to, format!("id = \"{id}\"")))
        .collect();
    reimport(workdir, &keys, client_only)
}

/// [`import`], by the attributes of each resource's identity.
pub(crate) fn import_by_identity(
    workdir: &Workdir,
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
    reimport(workdir, &keys, client_only)
}

fn reimport(workdir: &Workdir, keys: &[(&str, String)], client_only: &[&str]) -> Result<()> {
    let before = workdir.resources()?;
    std::fs::rename(workdir.state_file(), workdir.path().join("forgotten.json"))?;
    let block = |(to, key): &(&str, String)| format!("import {{\n  to = {to}\n  {key}\n}}\n");
    workdir.write("import.tf", &keys.iter().map(block).collect::<String>())?;
    let ended = workdir.apply()?;
    let wanted = format!("{} imported, 0 added, 0 changed, 0 destroyed", keys.len());
    ensure!(
        ended.flat().contains(&wanted),
        "wanted `{wanted}`:\n{}",
        ended.text
    );
    workdir.remove("import.tf");
    for (address, old) in before {
        let new = workdir.attributes(&address)?;
        same(&address, &old, &new, client_only)?;
    }
    workdir.plan_empty()?;
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

/// Polls until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    while started.elapsed() < WITHIN {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::park_timeout(POLL_INTERVAL);
    }
    bail!("{what}: not within {WITHIN:?}")
}

/// A command warned of nothing but the development overrides under which all cases run.
pub(crate) fn without_warnings(ended: &Ended) -> Result<()> {
    let warnings = ended.text.lines().filter(|line| line.contains("Warning: "));
    let ours: Vec<_> = warnings
        .filter(|line| !line.contains("development overrides"))
        .collect();
    ensure!(ours.is_empty(), "{ours:?}:\n{}", ended.text);
    Ok(())
}

/// Waits until a log group holds an event of this type, and returns it.
pub(crate) fn arrives(workdir: &Workdir, group: &str, detail_type: &str) -> Result<Value> {
    until(&format!("a {detail_type} in {group}"), || {
        let messages = workdir.aws().messages(group)?;
        Ok(messages
            .into_iter()
            .find(|message| message["detail-type"] == detail_type))
    })
}

/// Starts a run, as Scalr's interface would.
pub(crate) fn start_run(workdir: &Workdir) -> Result<()> {
    let workspace = serde_json::json!({"type": "workspaces", "id": workdir.companion.line.workspace()});
    let body = serde_json::json!({"data": {
        "type": "runs",
        "attributes": {"message": "acceptance", "is-dry": true},
        "relationships": {"workspace": {"data": workspace}},
    }});
    let (status, answer) = workdir.companion.scalr().call("POST", "/runs", Some(&body))?;
    ensure!(status == 201, "POST /runs: {status} {answer}");
    Ok(())
}

/// Has AWS refuse the next events, each for good, and starts as many runs; waits until their deliveries have failed.
pub(crate) fn fail_runs(workdir: &Workdir, runs: usize) -> Result<()> {
    for run in 1..=runs {
        workdir.companion.fault_in_aws(&serde_json::json!({
            "operation": "events:PutPartnerEvents", "kind": "error", "status": 400, "code": "ValidationException", "times": 1,
        }))?;
        start_run(workdir)?;
        until("the event to fail", || {
            let listed = workdir.run_companion(&["deliveries", "list", "--state", "failed", "--table"])?;
            Ok((listed.text.matches("ValidationException").count() == run).then_some(()))
        })?;
    }
    Ok(())
}

/// AWS holds nothing but these log groups, and Scalr has no connection.
pub(crate) fn nothing_left(workdir: &Workdir, region: &str, groups: &[&str]) -> Result<()> {
    let aws = workdir.companion.aws_in(region);
    let connections = workdir.companion.scalr().connections()?;
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
