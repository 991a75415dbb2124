//! `scalr_eventbridge_refresh`, `scalr_eventbridge_replay` and `scalr_eventbridge_send_test_event`: invoked by hand and by a resource's lifecycle, and
//! unseen where a tool has no actions.

use acceptance::tools::{Kind, Tool};
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::{Case, Feature};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("actions::by_hand", by_hand).needs(Feature::Actions),
        Case::new("actions::by_a_lifecycle", by_a_lifecycle).needs(Feature::Actions),
        Case::new("actions::replay", replay).needs(Feature::Actions),
        Case::new("actions::unseen", unseen),
    ]
}

const REFRESH: &str = r#"
action "scalr_eventbridge_refresh" "prod" {
  config {
    connection_id = scalr_eventbridge_connection.prod.id
  }
}
"#;

const SEND: &str = r#"
variable "workspace_id" {}
action "scalr_eventbridge_send_test_event" "runs" {
  config {
    workspace_id = var.workspace_id
    log_group    = "/scalr/runs"
  }
}
"#;

/// For an event that does not come.
const TIMEOUT: &str = "timeouts { invoke = \"4s\" }\n";

fn invoke(action: &str) -> [String; 5] {
    let invoke = format!("-invoke=action.{action}");
    ["apply", &invoke, "-auto-approve", "-input=false", "-no-color"].map(str::to_owned)
}

fn status(workdir: &Workdir) -> Result<String> {
    let id = workdir.attribute("scalr_eventbridge_connection.prod", "id")?;
    let connection = workdir.companion.scalr().connection(&id)?;
    Ok(connection["status"].as_str().unwrap_or_default().to_owned())
}

fn by_hand(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, REFRESH, SEND]))?;
    workdir.apply_counts(4, 0, 0)?;
    ensure!(status(&workdir)? == "pending");

    let [refresh, send] = [
        "scalr_eventbridge_refresh.prod",
        "scalr_eventbridge_send_test_event.runs",
    ]
    .map(invoke);
    let words = |args: &[String; 5]| -> Result<_> { workdir.run(&args.each_ref().map(String::as_str)) };
    let refreshed = words(&refresh)?;
    ensure!(
        refreshed.code() == 0 && refreshed.flat().contains("`prod`"),
        "{}",
        refreshed.text
    );
    ensure!(
        refreshed.flat().contains("is active"),
        "the progress is not shown:\n{}",
        refreshed.text
    );
    ensure!(status(&workdir)? == "active");

    let followed = words(&send)?;
    ensure!(followed.code() == 0, "{}", followed.text);
    for part in [
        "is started",
        "arrived in `/scalr/runs`",
        "the rule `runs` is enabled",
    ] {
        ensure!(
            followed.flat().contains(part),
            "`{part}` is not shown:\n{}",
            followed.text
        );
    }
    ensure!(!workdir.aws().messages(GROUP)?.is_empty());
    workdir.plan_empty()?;

    workdir.aws().delete_group_policy(GROUP)?;
    let send_soon = hcl::with(
        SEND,
        "\"/scalr/runs\"\n",
        &format!("\"/scalr/runs\"\n    {TIMEOUT}"),
    );
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, REFRESH, &send_soon]))?;
    let missed = words(&send)?;
    ensure!(
        missed.code() == 1 && missed.flat().contains("The permission is missing"),
        "{}",
        missed.text
    );
    Ok(())
}

const REPLAYS: &str = r#"
action "scalr_eventbridge_replay" "failed" {
  config {
    connection_id = scalr_eventbridge_connection.prod.id
  }
}
action "scalr_eventbridge_replay" "delivered" {
  config {
    connection_id = scalr_eventbridge_connection.prod.id
    state         = "delivered"
    accepted_from = "2026-01-01T00:00:00Z"
  }
}
action "scalr_eventbridge_replay" "nothing" {
  config {
    connection_id = scalr_eventbridge_connection.prod.id
    event_ids     = ["run-none"]
  }
}
"#;

/// What has failed is sent again, and then arrives; what was delivered arrives once more.
fn replay(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, TARGET, REFRESH, REPLAYS]))?;
    workdir.apply_counts(4, 0, 0)?;
    let run = |action: &str, code: i32, parts: &[&str]| -> Result<()> {
        let args = invoke(action);
        let ended = workdir.run(&args.each_ref().map(String::as_str))?;
        ensure!(ended.code() == code, "{action}: {}", ended.text);
        for part in parts {
            ensure!(
                ended.flat().contains(part),
                "{action}: `{part}` is not shown:\n{}",
                ended.text
            );
        }
        Ok(())
    };
    run(
        "scalr_eventbridge_replay.failed",
        1,
        &["The connection `prod` is not active", "Nothing was sent again"],
    )?;
    run("scalr_eventbridge_refresh.prod", 0, &[])?;
    verify::fail_runs(&workdir, 2)?;
    ensure!(workdir.aws().messages(GROUP)?.is_empty());
    run(
        "scalr_eventbridge_replay.failed",
        0,
        &[
            "2 failed deliveries of the connection `prod`",
            "are to be sent again",
        ],
    )?;
    let arrived = |count: usize| {
        verify::until("the events to arrive", || {
            Ok((workdir.aws().messages(GROUP)?.len() == count).then_some(()))
        })
    };
    arrived(2)?;
    run(
        "scalr_eventbridge_replay.delivered",
        0,
        &["2 delivered deliveries"],
    )?;
    arrived(4)?;
    run(
        "scalr_eventbridge_replay.nothing",
        1,
        &["no failed delivery of the event `run-none`"],
    )?;
    workdir.plan_empty()?;
    Ok(())
}

/// One apply makes the stream active: the action comes after the target, and before the check.
fn by_a_lifecycle(tool: &Tool) -> Result<()> {
    const TRIGGER: &str = r"lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.scalr_eventbridge_refresh.prod]
    }
  }";
    let workdir = Workdir::new(tool)?;
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        RULE,
        &hcl::more(TARGET, TRIGGER),
        REFRESH,
    ]))?;
    let applied = workdir.apply_counts(4, 0, 0)?;
    ensure!(applied.flat().contains("is active"), "{}", applied.text);
    ensure!(status(&workdir)? == "active");
    workdir.plan_empty()?;

    // A configuration that no invocation could use is refused at plan.
    workdir.config(&hcl::all(&[
        CONNECTION,
        BUS,
        RULE,
        &hcl::more(TARGET, TRIGGER),
        &hcl::with(REFRESH, "scalr_eventbridge_connection.prod.id", "\"ws-1\""),
    ]))?;
    workdir.plan_fails(&["must be the id of an EventBridge connection"])?;
    Ok(())
}

/// A schema with actions says nothing to a tool that has none: what else is configured plans and applies without a word of
/// them, and an `action` block is what it always was there.
fn unseen(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let chain = hcl::all(&[CONNECTION, BUS, RULE, TARGET]);
    workdir.config(&chain)?;
    let applied = workdir.apply_counts(4, 0, 0)?;
    // The one warning is about the development override.
    ensure!(
        !applied.flat().contains("scalr_eventbridge_refresh")
            && applied.text.matches("Warning:").count() == 1,
        "{}",
        applied.text
    );
    workdir.plan_empty()?;
    if tool.kind != Kind::Terraform115 {
        workdir.config(&hcl::all(&[&chain, REFRESH]))?;
        workdir.plan_fails(&["Blocks of type \"action\" are not expected here"])?;
    }
    Ok(())
}
