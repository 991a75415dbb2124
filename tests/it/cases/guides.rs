//! What the guides say of the tools themselves.

use acceptance::guide::Guide;
use acceptance::mirror::Mirror;
use acceptance::tools::{Kind, Tool};
use acceptance::workdir::{PLAN, Workdir};
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION, GROUP, RULE, TARGET};
use super::verify;
use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("guides::state_of_the_other_tool", state_of_the_other_tool),
        Case::new(
            "guides::unknown_attribute_of_an_object",
            unknown_attribute_of_an_object,
        ),
        Case::new("guides::another_local_name", another_local_name),
        Case::new("guides::another_region", another_region),
    ]
}

const INIT: [&str; 3] = ["init", "-input=false", "-no-color"];

/// OpenTofu takes Terraform's state as it is, Terraform takes OpenTofu's after `state replace-provider` (install.md).
fn state_of_the_other_tool(tool: &Tool) -> Result<()> {
    let other = match tool.kind {
        Kind::Tofu112 => Kind::Terraform111,
        Kind::Terraform111 | Kind::Terraform115 => Kind::Tofu112,
    };
    let Some(other) = Tool::find(other) else {
        // The run says that it is missing.
        return Ok(());
    };
    let mut workdir = Workdir::new(&other)?;
    workdir.write("cli.tfrc", &Mirror::of_provider()?.cli_config)?;
    workdir.config(CONNECTION)?;
    workdir.succeed(&INIT)?;
    workdir.apply_counts(1, 0, 0)?;

    workdir.tool = tool.clone();
    if tool.kind != Kind::Tofu112 {
        let [from, to] =
            [&other, tool].map(|tool| format!("{}/scalr-eventbridge/scalr", tool.kind.registry()));
        workdir.succeed(&["state", "replace-provider", "-auto-approve", &from, &to])?;
    }
    workdir.succeed(&INIT)?;
    workdir.plan_empty()?;
    Ok(())
}

/// The tools drop it without a word, so that no provider can refuse it (the pages of `log_group`).
fn unknown_attribute_of_an_object(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    let misspelt = hcl::with(TARGET, "retention_in_days", "retention_in_day");
    workdir.config(&hcl::all(&[CONNECTION, BUS, RULE, &misspelt]))?;
    let ended = workdir.run(&PLAN)?;
    ensure!(
        ended.code() == 2 && !ended.text.contains("retention_in_day "),
        "{}",
        ended.text
    );
    Ok(())
}

/// Beside Scalr's own provider this one has another local name, in resources and functions alike (works-with.md).
fn another_local_name(tool: &Tool) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.write("provider.tf", EVENTBRIDGE)?;
    let named = |part: &str| part.replacen("{\n", "{\n  provider = eventbridge\n", 1);
    let rule = hcl::with(&named(RULE), "provider::scalr::", "provider::eventbridge::");
    workdir.config(&hcl::all(&[&named(CONNECTION), &named(BUS), &rule]))?;
    workdir.apply_counts(3, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// Two regions, then the other one alone: each run arrives in a region that is configured at the time (recipes.md).
fn another_region(tool: &Tool) -> Result<()> {
    const BOTH: &str = "[\"us-east-1\", \"eu-west-1\"]";
    let guide = Guide::read("recipes")?;
    let section = "Two regions";
    let whole = guide.blocks(section, "locals")? + &guide.blocks(section, "resource")?;
    let workdir = Workdir::new(tool)?;
    let arrive = |region: &str, count: usize| {
        verify::until("the run's event", || {
            let here = workdir.companion.aws_in(region).messages(GROUP)?.len();
            Ok((here == count).then_some(()))
        })
    };
    workdir.config(&whole)?;
    workdir.apply_counts(11, 0, 0)?;
    verify::start_run(&workdir)?;
    arrive("us-east-1", 1)?;
    arrive("eu-west-1", 1)?;

    let swapped = "[\"eu-west-1\", \"us-east-1\"]";
    workdir.config(&hcl::with(&whole, BOTH, swapped))?;
    workdir.apply_counts(0, 1, 0)?;
    workdir.config(&hcl::with(&whole, BOTH, "[\"eu-west-1\"]"))?;
    workdir.apply_counts(0, 0, 5)?;
    verify::start_run(&workdir)?;
    arrive("eu-west-1", 2)?;
    workdir.plan_empty()?;
    Ok(())
}

const EVENTBRIDGE: &str = r#"terraform {
  required_providers {
    eventbridge = { source = "scalr-eventbridge/scalr" }
  }
}
"#;
