//! How many requests a refresh makes, counted between the tool and the servers, and what becomes of an apply that is throttled.

use std::collections::BTreeMap;

use acceptance::proxy::{Proxy, Script};
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
use anyhow::{Result, ensure};
use serde_json::json;

use super::hcl::{self, BUS, CONNECTION};
use super::verify;
use crate::runner::Case;

/// Connections of the case that counts their requests. Scalr lists them by the hundred.
const CONNECTIONS: usize = 60;
const PAGES: usize = CONNECTIONS.div_ceil(100);
/// Rules of one bus, with a target each; `ACCEPTANCE_RULES` is another number of them.
const RULES: usize = 24;
/// The same where calls are throttled, and wait for it: policies of log groups are written one after the other.
const THROTTLED_RULES: usize = 8;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("speed::requests_for_many_connections", connections),
        Case::new("speed::requests_for_many_rules", rules),
        Case::new("speed::throttled_apply_makes_nothing_twice", throttled),
    ]
}

/// How often each call came: AWS's operations with their service, methods of Scalr's API.
fn counted(proxy: &Proxy, from: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in proxy.log().iter().skip(from) {
        let words: Vec<&str> = line.split(' ').collect();
        let call = words.get(3).or(words.get(1)).copied().unwrap_or_default();
        *counts.entry(call.to_owned()).or_default() += 1;
    }
    counts
}

fn start(tool: &Tool) -> Result<(Workdir, Proxy)> {
    let mut workdir = Workdir::new(tool)?;
    let line = workdir.companion.line.clone();
    let proxy = Proxy::start(&[line.hostname(), line.endpoint()], Script::Forward)?;
    workdir.through(&proxy)?;
    Ok((workdir, proxy))
}

/// The first connection is asked for singly, all others come in one list; a destroy makes no further read.
fn connections(tool: &Tool) -> Result<()> {
    let (workdir, proxy) = start(tool)?;
    workdir.config(&format!(
        r#"
resource "scalr_eventbridge_connection" "all" {{
  for_each       = toset([for n in range({CONNECTIONS}) : format("%012d", 100000000000 + n)])
  name           = "c-${{each.key}}"
  aws_account_id = each.key
  region         = "us-east-1"
}}
"#
    ))?;
    workdir.apply_counts(CONNECTIONS, 0, 0)?;
    let applied = proxy.seen();
    workdir.plan_empty()?;
    let planned = counted(&proxy, applied);
    ensure!(
        planned.values().sum::<usize>() <= 1 + PAGES,
        "a plan over {CONNECTIONS} connections: {planned:?}"
    );
    let before = proxy.seen();
    workdir.destroy()?;
    let destroyed = counted(&proxy, before);
    ensure!(
        destroyed.get("DELETE") == Some(&CONNECTIONS)
            && destroyed.values().sum::<usize>() <= CONNECTIONS + 1 + PAGES,
        "a destroy of {CONNECTIONS} connections: {destroyed:?}"
    );
    verify::nothing_left(&workdir, "us-east-1", &[])
}

fn many_rules(count: usize) -> String {
    let rules = format!(
        r#"
resource "scalr_eventbridge_rule" "all" {{
  for_each       = toset([for n in range({count}) : "r${{n}}"])
  name           = each.key
  event_bus_name = scalr_eventbridge_bus.scalr.name
  event_pattern  = provider::scalr::event_pattern("RunExecuted", {{}})
}}

resource "scalr_eventbridge_target" "all" {{
  for_each       = scalr_eventbridge_rule.all
  rule           = each.value.name
  event_bus_name = each.value.event_bus_name
  log_group      = {{ name = "/scalr/${{each.key}}", create = true, delete_on_destroy = true }}
}}
"#
    );
    hcl::all(&[CONNECTION, BUS, &rules])
}

fn rules(tool: &Tool) -> Result<()> {
    let asked = std::env::var("ACCEPTANCE_RULES");
    let count = asked.map_or(Ok(RULES), |count| count.parse())?;
    let (workdir, proxy) = start(tool)?;
    workdir.config(&many_rules(count))?;
    workdir.apply()?;
    let applied = proxy.seen();
    workdir.plan_empty()?;
    let calls = counted(&proxy, applied);
    let of = |name: &str| calls.get(name).copied().unwrap_or_default();
    let shared = of("AWSEvents.ListRules")
        + of("AWSEvents.DescribeEventBus")
        + of("Logs_20140328.DescribeResourcePolicies");
    // The bus; pages of its rules; policies of the account and of the first log group, and pages of all. 9 for 200 rules.
    let most = 1 + count.div_ceil(100) + 2 + count.div_ceil(50);
    ensure!(shared <= most && of("AWSEvents.DescribeRule") <= 1, "{calls:?}");
    // The bus has tags as well.
    ensure!(
        of("AWSEvents.ListTargetsByRule") <= count && of("AWSEvents.ListTagsForResource") <= count + 1,
        "{calls:?}"
    );
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}

/// Has a share of the calls of both servers throttled.
fn throttle(workdir: &Workdir) -> Result<()> {
    let companion = &workdir.companion;
    for operation in [
        "events:*Rule",
        "events:*Targets",
        "events:List*",
        "events:*EventBus",
        "logs:*",
    ] {
        companion.fault_in_aws(&json!({
            "kind": "error", "operation": operation, "share": 0.2, "status": 400, "code": "ThrottlingException",
            "message": "Rate exceeded",
        }))?;
    }
    companion.fault_in_scalr(&json!({ "kind": "error", "share": 0.2, "status": 429 }))
}

fn throttled(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    throttle(&workdir)?;
    workdir.config(&many_rules(THROTTLED_RULES))?;
    let mut apply = APPLY.to_vec();
    apply.push("-parallelism=50");
    let applied = workdir.succeed(&apply)?;
    let wanted = format!("{} added, 0 changed, 0 destroyed", 2 + 2 * THROTTLED_RULES);
    ensure!(
        applied.flat().contains(&wanted),
        "wanted `{wanted}`:\n{}",
        applied.text
    );
    workdir.companion.clear_faults()?;
    workdir.plan_empty()?;
    ensure!(workdir.companion.scalr().connections()?.len() == 1);
    let bus = workdir.attribute("scalr_eventbridge_bus.scalr", "name")?;
    let (rules, groups) = (workdir.aws().rules(&bus)?, workdir.aws().groups()?);
    ensure!(
        rules.len() == THROTTLED_RULES && groups.len() == THROTTLED_RULES,
        "{rules:?}\n{groups:?}"
    );
    for rule in &rules {
        ensure!(workdir.aws().targets(&bus, rule)?.len() == 1, "{rule}");
    }
    workdir.destroy()?;
    verify::nothing_left(&workdir, "us-east-1", &[])
}
