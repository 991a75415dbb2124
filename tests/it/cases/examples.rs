//! Every example under `examples/` applies and then plans empty; their own tests pass, mocked and real.

use std::path::{Path, PathBuf};

use acceptance::paths;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::verify;
use crate::runner::{Case, Feature};

pub(crate) fn cases() -> Vec<Case> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for kind in [
        "resources",
        "data-sources",
        "functions",
        "actions",
        "ephemeral-resources",
    ] {
        for folder in folders(&paths::example(kind)) {
            let name = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            found.push((format!("examples::{kind}::{name}"), folder));
        }
    }
    found.sort();
    let examples = found.into_iter().map(|(name, folder)| {
        let of_actions = name.starts_with("examples::actions");
        let case = Case::new(name, move |tool| example(tool, &folder));
        if of_actions {
            case.needs(Feature::Actions)
        } else {
            case
        }
    });
    let queries = folders(&paths::example("list-resources"))
        .into_iter()
        .map(|folder| {
            let name = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Case::new(format!("examples::list-resources::{name}"), move |tool| {
                query(tool, &folder)
            })
            .needs(Feature::Query)
        });
    let tested = TESTED.map(|folder| {
        Case::new(format!("examples::tests::{folder}"), move |tool| {
            own_tests(tool, folder)
        })
    });
    examples
        .chain(queries)
        .chain([Case::new("examples::modules", modules)])
        .chain(tested)
        .collect()
}

/// The examples that are modules, with tests of their own.
const TESTED: [&str; 7] = [
    "modules/audit-trail",
    "modules/event-stream",
    "modules/monitoring-alerts",
    "modules/rule-to-arn",
    "modules/workflow-automation",
    "quickstart",
    "quickstart-custom-bus",
];

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn example(tool: &Tool, folder: &Path) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_files(folder, workdir.path(), ".tf")?;
    // It imports what is not there; the import cases do what it shows.
    workdir.remove("import-by-identity.tf");
    // The topic is somebody else's.
    workdir.aws().make_topic("on-call", false)?;
    workdir.apply()?;
    workdir.plan_empty()?;
    Ok(())
}

fn query(tool: &Tool, folder: &Path) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_tree(folder, workdir.path())?;
    workdir.succeed(&["query", "-no-color"])?;
    Ok(())
}

/// `terraform test`, as a reader would run it in the folder.
fn own_tests(tool: &Tool, folder: &str) -> Result<()> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_tree(&paths::example(folder), workdir.path())?;
    workdir.succeed(&["get", "-no-color"])?;
    let ended = workdir.succeed(&["test", "-no-color"])?;
    for file in ["tests/mocked.tftest.hcl", "tests/real.tftest.hcl"] {
        ensure!(
            ended.flat().contains(&format!("{file}... pass")),
            "{file}:\n{}",
            ended.text
        );
    }
    for region in ["us-east-1", "eu-west-1"] {
        let here = workdir.companion.aws_in(region);
        ensure!(
            here.buses()?.is_empty() && here.custom_buses()?.is_empty(),
            "{region}"
        );
    }
    let roles = workdir.aws().roles()?;
    ensure!(roles.is_empty(), "roles are left: {roles:?}");
    Ok(())
}

/// The modules, used together; a module that no root uses would go untried.
fn modules(tool: &Tool) -> Result<()> {
    const GROUPS: [&str; 3] = ["/platform/audit", "/platform/failures", "/platform/runs"];
    const RULES: [&str; 9] = [
        "audit",
        "failures",
        "page",
        "runs",
        "scalr-alerts-destroyed",
        "scalr-alerts-errored",
        "scalr-audit-trail",
        "scalr-workflow",
        "workspaces",
    ];
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    paths::copy_tree(&paths::example("modules"), workdir.path())?;
    let root = std::fs::read_to_string(workdir.path().join("main.tf"))?;
    for folder in folders(workdir.path()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        ensure!(
            root.contains(&format!("\"./{name}\"")),
            "no module call uses `{name}`"
        );
    }
    workdir.succeed(&["get", "-no-color"])?;
    workdir.apply_counts(30, 0, 0)?;
    ensure!(workdir.output("status")? == "active");
    workdir.plan_empty()?;

    let here = workdir.companion.aws_in("eu-west-1");
    let bus = here.buses()?;
    ensure!(bus.len() == 1, "{bus:?}");
    ensure!(here.rules(&bus[0])? == RULES);
    ensure!(here.messages("/platform/failures")?.is_empty(), "no run failed");
    ensure!(
        !here.messages("/platform/runs")?.is_empty(),
        "the checked run's event"
    );
    workdir.destroy()?;
    verify::nothing_left(&workdir, "eu-west-1", &GROUPS)
}
