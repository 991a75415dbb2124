//! `cargo xtask bench plans`: a plan over 500 connections, and a destroy, where each answer of Scalr's API is 50 ms late.
//!
//! The companion's own faults make its answers late, and count the calls. Terraform is the one on the PATH, with its usual
//! parallelism of ten.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::against::median;
use super::delivery_fairness::Companion;
use crate::{places, shell};

const CONNECTIONS: usize = 500;
const LATENCY_MS: u64 = 50;
const PLANS: usize = 3;
/// Calls of a plan, and of a destroy beside one for each connection.
const CALLS_MAX: u64 = 6;
const DESTROY_CALLS_MAX: u64 = CONNECTIONS as u64 + CALLS_MAX;
const FAULTS: &str = "/_companion/faults";

/// What a plan and a destroy of all connections take.
pub(super) struct Taken {
    /// The median of a few plans.
    pub(super) plan: Duration,
    /// Calls of one plan.
    pub(super) plan_calls: u64,
    destroy: Duration,
    destroy_calls: u64,
}

/// Builds both programs, or takes those in the folder that is named; measures, and fails where there are more calls than there may be.
pub(super) fn run(more: &[String]) -> Result<()> {
    let folder = if let Some(folder) = more.first() {
        std::path::absolute(folder)?
    } else {
        let mut build = shell::build_programs();
        build.arg("--release");
        shell::run(build)?;
        places::target().join("release")
    };
    let taken = measure(&folder, &folder)?;
    println!(
        "\n{CONNECTIONS} connections, {LATENCY_MS} ms an answer of Scalr's\n\
         {:<10}{:>10}{:>10}\n{:<10}{:>8.2} s{:>10}  at most {CALLS_MAX}\n{:<10}{:>8.2} s{:>10}  at most {DESTROY_CALLS_MAX}",
        "",
        "time",
        "calls",
        "plan",
        taken.plan.as_secs_f64(),
        taken.plan_calls,
        "destroy",
        taken.destroy.as_secs_f64(),
        taken.destroy_calls,
    );
    if taken.plan_calls > CALLS_MAX || taken.destroy_calls > DESTROY_CALLS_MAX {
        bail!("more calls than there may be");
    }
    Ok(())
}

/// Measures the provider in one folder beside the companion in another.
pub(super) fn measure(provider: &Path, companion: &Path) -> Result<Taken> {
    let mut stage = Stage::start(provider, companion)?;
    stage.terraform(&["apply", "-auto-approve", "-parallelism=50"])?;
    let latency = json!({ "kind": "slow", "delay_ms": LATENCY_MS });
    stage.companion.reconnect()?;
    stage.companion.call("POST", FAULTS, &latency)?;
    let mut plans = Vec::new();
    let mut plan_calls = 0;
    for _ in 0..PLANS {
        let before = stage.calls()?;
        plans.push(stage.terraform(&["plan", "-detailed-exitcode"])?.as_secs_f64());
        plan_calls = stage.calls()? - before;
    }
    let before = stage.calls()?;
    let destroy = stage.terraform(&["destroy", "-auto-approve"])?;
    Ok(Taken {
        plan: Duration::from_secs_f64(median(plans).context("no plan")?),
        plan_calls,
        destroy,
        destroy_calls: stage.calls()? - before,
    })
}

/// A working directory, and a companion with nothing in it.
struct Stage {
    companion: Companion,
    terraform: PathBuf,
    folder: TempDir,
}

impl Stage {
    fn start(provider: &Path, companion: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cli = format!(
            "provider_installation {{\n  dev_overrides {{ \"scalr-eventbridge/scalr\" = \"{}\" }}\n  direct {{}}\n}}\n",
            provider.display()
        );
        std::fs::write(folder.path().join("cli.tfrc"), cli)?;
        std::fs::write(folder.path().join("main.tf"), configuration())?;
        Ok(Self {
            companion: Companion::start(&companion.join("scalr-eventbridge"), None)?,
            terraform: places::terraform()
                .context("Terraform is needed on the PATH, or in ACCEPTANCE_TERRAFORM")?,
            folder,
        })
    }

    /// Runs a command that succeeds, and says how long it took.
    fn terraform(&self, args: &[&str]) -> Result<Duration> {
        let text = |pointer: &str| self.companion.line.pointer(pointer).and_then(Value::as_str);
        let mut command = Command::new(&self.terraform);
        command.args(args).args(["-input=false", "-no-color"]);
        command.current_dir(self.folder.path()).stdout(Stdio::null());
        command
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("cli.tfrc"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("SCALR_HOSTNAME", text("/scalr/hostname").context("no address")?)
            .env("SCALR_TOKEN", text("/scalr/token").context("no token")?);
        println!("$ {}", shell::spell(&command));
        let started = Instant::now();
        let status = command.status()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(started.elapsed())
    }

    /// How many calls have been late so far.
    fn calls(&mut self) -> Result<u64> {
        self.companion.reconnect()?;
        let faults = self.companion.call("GET", FAULTS, &Value::Null)?;
        let seen = faults["faults"][0]["seen"].as_u64();
        seen.context("no fault that counts")
    }
}

fn configuration() -> String {
    format!(
        r#"
terraform {{
  required_providers {{
    scalr = {{ source = "scalr-eventbridge/scalr" }}
  }}
}}

resource "scalr_eventbridge_connection" "all" {{
  for_each       = toset([for n in range({CONNECTIONS}) : format("%012d", 100000000000 + n)])
  name           = "c-${{each.key}}"
  aws_account_id = each.key
  region         = "us-east-1"
}}
"#
    )
}
