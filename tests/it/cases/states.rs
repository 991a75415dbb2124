//! States of earlier versions of this provider: `tests/data/states` has one of each resource and version of its schema. It takes
//! the place of what a new apply has written, and the plan is empty.

use std::collections::BTreeMap;

use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use acceptance::{block_on, paths};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::hcl::{self, ACTIVATION, AUDIT_LOGS, BUS, CONNECTION, RULE, TARGET};
use crate::runner::Case;

/// In a stored state: as the object of this run has it.
const MADE: &str = "$made";

const CHECK: &str = r#"
variable "workspace_id" {}

resource "scalr_eventbridge_delivery_check" "runs" {
  workspace_id = var.workspace_id
  log_group    = scalr_eventbridge_target.logs.log_group.name
  depends_on   = [scalr_eventbridge_activation.prod]
}
"#;

const DESTINATIONS: &str = r#"
variable "secret" {
  type      = string
  ephemeral = true
  default   = "s3cret-of-the-hook"
}

resource "scalr_eventbridge_api_destination" "hook" {
  name                = "hook"
  invocation_endpoint = "https://hooks.example.com/scalr"
  api_key             = { name = "x-api-key" }
  secret_wo           = var.secret
  secret_wo_version   = 1
}

resource "scalr_eventbridge_queue" "archive" {
  name      = "archive"
  rule_arns = [scalr_eventbridge_rule.runs.arn]
}

resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}

resource "scalr_eventbridge_event_source" "second" {
  name                     = "second"
  event_bus_arn            = scalr_eventbridge_custom_bus.scalr.arn
  partner_event_source_arn = "arn:aws:events:us-east-1::event-source/aws.partner/scalr.com/acme/second"
}

resource "scalr_eventbridge_subscriber" "runs" {
  name          = "runs"
  event_bus_arn = scalr_eventbridge_custom_bus.scalr.arn
  target_arn    = "arn:aws:sqs:us-east-1:123456789012:archive"
  role_arn      = "arn:aws:iam::123456789012:role/deliver"
}

resource "scalr_eventbridge_topic_permission" "runs" {
  topic_arn = "arn:aws:sns:us-east-1:123456789012:runs"
  rule_arn  = scalr_eventbridge_rule.runs.arn
}
"#;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::new("states::of_earlier_schemas_plan_empty", plan_empty)]
}

fn plan_empty(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let activation = hcl::with(
        ACTIVATION,
        "scalr_eventbridge_bus.scalr",
        "scalr_eventbridge_target.logs",
    );
    workdir.aws().make_topic("runs", false)?;
    let offered = workdir.aws().events.create_partner_event_source();
    let offered = offered
        .name("aws.partner/scalr.com/acme/second")
        .account("123456789012");
    block_on(offered.send())?;
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        RULE,
        TARGET,
        &activation,
        AUDIT_LOGS,
        CHECK,
        DESTINATIONS,
    ]))?;
    workdir.apply_counts(13, 0, 0)?;
    let made = workdir.state()?;
    let stored = stored()?;
    every_schema_has_one(&stored)?;
    let rounds = stored.values().map(BTreeMap::len).max().unwrap_or_default();
    for round in 0..rounds {
        let mut state = made.clone();
        for resource in state["resources"].as_array_mut().into_iter().flatten() {
            let kind = resource["type"].as_str().unwrap_or_default().to_owned();
            let versions = stored.get(&kind).with_context(|| format!("no state of {kind}"))?;
            let instance = versions.values().nth(round).or(versions.values().last());
            let made = resource["instances"][0].take();
            let mut instance = instance.context("no version")?.clone();
            fill(&mut instance, &made);
            resource["instances"][0] = instance;
        }
        workdir.write("terraform.tfstate", &state.to_string())?;
        workdir.plan_empty().with_context(|| format!("round {round}"))?;
    }
    // Terraform before 1.12 writes no identities; Terraform since then asks for them to be upgraded, there or not.
    let mut bare = made;
    for resource in bare["resources"].as_array_mut().into_iter().flatten() {
        if let Some(instance) = resource["instances"][0].as_object_mut() {
            instance.remove("identity");
            instance.remove("identity_schema_version");
        }
    }
    workdir.write("terraform.tfstate", &bare.to_string())?;
    workdir.plan_empty().context("without identities")?;
    Ok(())
}

/// The stored instances, by type and version.
fn stored() -> Result<BTreeMap<String, BTreeMap<u64, Value>>> {
    let mut found: BTreeMap<String, BTreeMap<u64, Value>> = BTreeMap::new();
    for entry in std::fs::read_dir(paths::root().join("tests/data/states"))? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some((kind, version)) = name.rsplit_once('.') else {
            continue;
        };
        let instance: Value =
            serde_json::from_str(&std::fs::read_to_string(&path)?).with_context(|| name.clone())?;
        let version: u64 = version.parse().with_context(|| name.clone())?;
        ensure!(
            instance["schema_version"] == version,
            "{name} is of another version"
        );
        found
            .entry(kind.to_owned())
            .or_default()
            .insert(version, instance);
    }
    Ok(found)
}

/// Each resource has a state of its present schema, which becomes an earlier one.
fn every_schema_has_one(stored: &BTreeMap<String, BTreeMap<u64, Value>>) -> Result<()> {
    let schema = std::fs::read_to_string(paths::root().join("provider/schema.json"))?;
    let schema: Value = serde_json::from_str(&schema)?;
    let resources = find(&schema, "resource_schemas").context("no resources in provider/schema.json")?;
    for (kind, one) in resources.as_object().into_iter().flatten() {
        let version = one["version"].as_u64().unwrap_or_default();
        let has = stored
            .get(kind)
            .is_some_and(|versions| versions.contains_key(&version));
        ensure!(has, "tests/data/states/{kind}.{version}.json is missing");
    }
    Ok(())
}

fn find<'a>(json: &'a Value, key: &str) -> Option<&'a Value> {
    let all = json.as_object()?;
    all.get(key)
        .or_else(|| all.values().find_map(|one| find(one, key)))
}

/// Puts what this run has made in the place of what differs from run to run.
fn fill(stored: &mut Value, made: &Value) {
    match stored {
        Value::String(text) if text == MADE => *stored = made.clone(),
        Value::Object(all) => all
            .iter_mut()
            .for_each(|(name, one)| fill(one, &made[name.as_str()])),
        _ => {}
    }
}
