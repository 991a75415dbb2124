//! `scalr-eventbridge exec -- TOOL …`: no companion has to be started before, none is left after.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use acceptance::ci::Step;
use acceptance::paths;
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, Workdir};
use anyhow::{Context, Result, ensure};
use rustix::process::{Signal, kill_process};

use super::hcl::{self, BUS, CONNECTION};
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("exec::test_of_a_module", test_of_a_module),
        Case::new("exec::apply_run_destroy", apply_run_destroy),
        Case::new("exec::interrupted", interrupted),
    ]
}

const ENDS_WITHIN: Duration = Duration::from_mins(2);
const STARTS_WITHIN: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Passes where events can be received.
pub(crate) const TEST: &str = r#"
run "a_source_is_made" {
  assert {
    condition     = scalr_eventbridge_bus.scalr.source_state == "ACTIVE"
    error_message = "There is no source."
  }
}
"#;

/// Its code is the test's, whether that passes or fails; the servers that the variables named before are not asked.
fn test_of_a_module(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    for name in ["SCALR_HOSTNAME", "AWS_ENDPOINT_URL"] {
        workdir.set(name, NOWHERE);
    }
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    std::fs::create_dir(workdir.path().join("tests"))?;
    for (test, code, said) in [
        (TEST.to_owned(), 0, "1 passed, 0 failed"),
        (hcl::with(TEST, "ACTIVE", "PENDING"), 1, "There is no source."),
    ] {
        workdir.write("tests/real.tftest.hcl", &test)?;
        let ended = workdir.start_in_exec(&["test", "-no-color"])?.wait(ENDS_WITHIN)?;
        ensure!(
            ended.code() == code && ended.flat().contains(said),
            "{}:\n{}",
            ended.code(),
            ended.text
        );
    }
    Ok(())
}

/// The script of the guide, with the quickstart: the run's event is in its log group.
fn apply_run_destroy(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_files(&paths::example("quickstart"), workdir.path(), ".tf")?;
    let guide = std::fs::read_to_string(paths::root().join("docs/guides/ci.md"))?;
    let script = guide
        .split("```sh\n")
        .filter_map(|rest| rest.split("\n```").next())
        .find(|script| script.contains("terraform destroy"));
    let step = Step {
        script: script.context("the guide has no such script")?.to_owned(),
        environment: BTreeMap::new(),
    };
    let ended = workdir.run_script(&step, &[paths::programs(), workdir.named_terraform()?])?;
    let flat = ended.flat();
    ensure!(
        ended.code() == 0
            && flat.contains("\"detail-type\":\"RunExecuted\"")
            && flat.contains("Destroy complete!"),
        "{}:\n{}",
        ended.code(),
        ended.text
    );
    ensure!(workdir.resources()?.is_empty());
    Ok(())
}

/// The tool waits for a provisioner; an interruption of `exec` reaches it once, so that it ends as after Ctrl-C.
fn interrupted(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let waits = r#"
resource "terraform_data" "waits" {
  depends_on = [scalr_eventbridge_connection.prod]
  provisioner "local-exec" {
    command = "touch started && exec sleep 1000"
  }
}
"#;
    workdir.config(&hcl::all(&[CONNECTION, waits]))?;
    let group = workdir.start_in_exec(&APPLY)?;
    let started = Instant::now();
    while !workdir.path().join("started").exists() && started.elapsed() < STARTS_WITHIN {
        std::thread::park_timeout(POLL_INTERVAL);
    }
    kill_process(group.pid()?, Signal::INT)?;
    let ended = group.wait(ENDS_WITHIN)?;
    let flat = ended.flat();
    ensure!(
        ended.code() == 1 && flat.contains("Interrupt received") && !flat.contains("Two interrupts received"),
        "{}:\n{}",
        ended.code(),
        ended.text
    );
    let (address, _) = &workdir.resources()?[0];
    ensure!(address == "scalr_eventbridge_connection.prod", "{address}");
    Ok(())
}
