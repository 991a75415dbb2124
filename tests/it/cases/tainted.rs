//! Tainted objects: a creation that failed half way, and a whole one that somebody tainted. The plan of what replaces one gets nothing of
//! it, neither state nor private state. The next apply replaces it cleanly, with and without a refresh; nothing stays behind, nothing of
//! another resource is adopted, and the plan says nothing that is not so.

use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, PLAN, Workdir};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::eventbridge_event_source::SOURCE;
use super::eventbridge_subscriber::SUBSCRIBER;
use super::hcl::{self, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

const CUSTOM_BUS: &str = r#"
resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}
"#;
const EVENT_SOURCE: &str = "scalr_eventbridge_event_source.prod";
const RUNS: &str = "scalr_eventbridge_subscriber.runs";
const LOGS: &str = "scalr_eventbridge_target.logs";
/// What a plan says of an object that is in the way.
const FALSE_ALARMS: [&str; 5] = [
    "exists already",
    "will be refused",
    "go elsewhere",
    "belongs to",
    "made by two",
];

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("tainted::event_source", |tool| {
            whole(tool, &hcl::all(&[CONNECTION, SOURCE]), EVENT_SOURCE)
        }),
        Case::new("tainted::subscriber", |tool| {
            whole(tool, &hcl::all(&[CUSTOM_BUS, SUBSCRIBER]), RUNS)
        }),
        Case::new("tainted::subscriber_with_role_and_log_group", |tool| {
            whole(tool, &hcl::all(&[CUSTOM_BUS, &subscriber()]), RUNS)
        }),
        Case::new("tainted::target", |tool| whole(tool, &chain(), LOGS)),
        Case::new("tainted::connection", |tool| {
            whole(tool, CONNECTION, "scalr_eventbridge_connection.prod")
        }),
        Case::new("tainted::half_a_subscriber", |tool| {
            half(
                tool,
                &hcl::all(&[CUSTOM_BUS, &subscriber()]),
                RUNS,
                "eventsv2:CreateSubscriber",
            )
        }),
        Case::new("tainted::half_a_target", |tool| {
            half(tool, &chain(), LOGS, "events:PutTargets")
        }),
    ]
}

/// One that makes its role and its log group.
fn subscriber() -> String {
    let role = hcl::with(
        SUBSCRIBER,
        "role_arn        = \"arn:aws:iam::123456789012:role/deliver\"",
        "role            = { create = true }",
    );
    hcl::with(
        &role,
        "target_arn      = \"arn:aws:sqs:us-east-1:123456789012:runs\"",
        "log_group       = { name = \"/scalr/runs\", create = true, delete_on_destroy = true }",
    )
}

fn chain() -> String {
    let target = hcl::with(TARGET, "retention_in_days = 30", "delete_on_destroy = true");
    hcl::all(&[CONNECTION, BUS, RULE, &target])
}

/// A creation that fails after it has made the first of several objects.
fn half(tool: &Tool, configuration: &str, address: &str, fails: &str) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(configuration)?;
    let fault = json!({
        "operation": fails, "kind": "error", "status": 400, "code": "ValidationException",
        "message": "Not today",
    });
    workdir.companion.fault_in_aws(&fault)?;
    workdir.apply_fails(&["Not today"])?;
    ensure!(is_tainted(&workdir, address)?, "{address} is not tainted");
    ensure!(workdir.aws().groups()? == [GROUP]);
    // It fails again in the same way, and is not made twice.
    workdir.apply_fails(&["Not today"])?;
    workdir.companion.clear_faults()?;
    replaced(&workdir, address, &[])?;
    left_nothing(&workdir)
}

/// One that is whole: what replaces it is made after it is gone.
fn whole(tool: &Tool, configuration: &str, address: &str) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(configuration)?;
    workdir.apply()?;
    for more in [&[][..], &["-refresh=false"]] {
        workdir.succeed(&["taint", address])?;
        replaced(&workdir, address, more)?;
    }
    // Destroyed while it is tainted.
    workdir.succeed(&["taint", address])?;
    left_nothing(&workdir)
}

fn replaced(workdir: &Workdir, address: &str, more: &[&str]) -> Result<()> {
    let plan = workdir.run(&[&PLAN[..], more].concat())?;
    let said = plan.flat();
    ensure!(
        plan.code() == 2,
        "the plan ended with {}:\n{}",
        plan.code(),
        plan.text
    );
    ensure!(
        said.contains("1 to add, 0 to change, 1 to destroy"),
        "{}",
        plan.text
    );
    for alarm in FALSE_ALARMS {
        // Without a refresh nothing tells that the one that is there goes.
        let is_known = more.is_empty();
        ensure!(!is_known || !said.contains(alarm), "`{alarm}`:\n{}", plan.text);
    }
    let applied = workdir.succeed(&[&APPLY[..], more].concat())?;
    ensure!(
        applied.flat().contains("1 added, 0 changed, 1 destroyed"),
        "{}",
        applied.text
    );
    ensure!(!is_tainted(workdir, address)?, "{address} is still tainted");
    workdir.plan_empty()?;
    Ok(())
}

fn is_tainted(workdir: &Workdir, address: &str) -> Result<bool> {
    let state = workdir.state()?;
    let (kind, name) = address.split_once('.').context("no address")?;
    let resources = state["resources"].as_array().context("no resources")?;
    let found = resources
        .iter()
        .find(|one| one["type"] == kind && one["name"] == name && one["mode"] == "managed");
    let found = found.with_context(|| format!("{address} is not in the state"))?;
    Ok(found["instances"][0]["status"] == "tainted")
}

fn left_nothing(workdir: &Workdir) -> Result<()> {
    workdir.destroy()?;
    ensure!(workdir.aws().roles()?.is_empty(), "a role is left");
    ensure!(workdir.aws().subscribers()?.is_empty(), "a subscriber is left");
    ensure!(
        workdir.aws().custom_buses()?.is_empty(),
        "a custom event bus is left"
    );
    verify::nothing_left(workdir, "us-east-1", &[])
}
