//! `cargo xtask bench --against COMMIT`: this tree beside an earlier commit. Old and new are measured by turns, so that
//! whatever else the machine does slows both; what counts are the medians.
//!
//! The old programs are only ever driven from outside, by programs of this tree: how the old crates were laid
//! out does not matter.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{SCALR, measure, plans, put_events, server};
use crate::{places, shell};

/// More than this is worse, not noise.
const WORSE_MAX: f64 = 0.10;
/// How long events are put.
const PUT: Duration = Duration::from_secs(3);
const PROGRAMS: [&str; 2] = [SCALR.program, "scalr-eventbridge"];

/// What to compare with, and how.
#[derive(clap::Args)]
pub(super) struct Comparison {
    /// Compares with this commit, and fails where this tree is more than 10 % worse.
    #[arg(long, value_name = "COMMIT")]
    pub(super) against: Option<String>,
    /// The profile that both are built with.
    #[arg(long, default_value = "release", requires = "against")]
    profile: String,
    /// How often each is measured.
    #[arg(long, default_value_t = 5, requires = "against")]
    rounds: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Better {
    Less,
    More,
}

struct Figure {
    name: &'static str,
    key: &'static str,
    unit: &'static str,
    better: Better,
}

const fn figure(name: &'static str, key: &'static str, unit: &'static str, better: Better) -> Figure {
    Figure {
        name,
        key,
        unit,
        better,
    }
}

const FIGURES: [Figure; 8] = [
    figure("start to handshake", "handshake_ms", "ms", Better::Less),
    figure("start to schema", "schema_ms", "ms", Better::Less),
    figure(
        "resident after the schema",
        "resident_kib_after_schema",
        "KiB",
        Better::Less,
    ),
    figure("PlanResourceChange", "plans_per_second", "/s", Better::More),
    figure(
        "PutPartnerEvents, events",
        "events_per_second",
        "/s",
        Better::More,
    ),
    figure("CPU of a put event", "cpu_us_per_event", "us", Better::Less),
    figure("plan of 500 connections", "plan_ms", "ms", Better::Less),
    figure("calls of that plan", "plan_calls", "", Better::Less),
];

/// Builds both, measures, prints the table, and fails if something is worse.
pub(super) fn run(commit: &str, options: &Comparison) -> Result<()> {
    ensure!(options.rounds > 0, "no rounds");
    let commit = resolve(commit)?;
    let old = old_programs(&commit, &options.profile)?;
    let new = new_programs(&options.profile)?;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        let mut turns = [(&old, &mut before), (&new, &mut after)];
        if round % 2 == 1 {
            turns.reverse();
        }
        for (programs, reports) in turns {
            reports.push(report(programs, &new)?);
        }
    }
    let rows = FIGURES
        .iter()
        .map(|figure| Row::of(figure, &before, &after))
        .collect::<Result<Vec<_>>>()?;
    println!("{}", table(&commit[..commit.len().min(12)], &rows));
    let worse: Vec<&str> = rows
        .iter()
        .filter(|row| row.is_worse())
        .map(|row| row.figure.name)
        .collect();
    if !worse.is_empty() {
        bail!("more than {:.0} % worse: {}", WORSE_MAX * 100.0, worse.join(", "));
    }
    Ok(())
}

/// The companion of a commit, for a measurement of its own.
pub(super) fn companion_of(commit: &str, options: &Comparison) -> Result<PathBuf> {
    Ok(old_programs(&resolve(commit)?, &options.profile)?.join("scalr-eventbridge"))
}

/// The commit's whole hash.
fn resolve(commit: &str) -> Result<String> {
    let commit = format!("{commit}^{{commit}}");
    let hash = shell::read(git(&["rev-parse", "--verify", "--quiet", &commit]));
    Ok(hash.context("no such commit")?.trim().to_owned())
}

fn git(args: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(args).current_dir(places::root());
    git
}

/// The folder of a commit's programs. They are built in a worktree of that commit, beside what cargo has built of this
/// tree, so that dependencies are compiled once; then they are copied, since the next build takes their place.
fn old_programs(commit: &str, profile: &str) -> Result<PathBuf> {
    let kept = places::target()
        .join("against")
        .join(format!("{commit}-{profile}"));
    if kept.is_dir() {
        return Ok(kept);
    }
    let tree = places::target().join("against/tree");
    let path = tree.to_str().context("the path of `target` is not UTF-8")?;
    if tree.exists() {
        shell::run(git(&["worktree", "remove", "--force", path]))?;
    }
    shell::run(git(&["worktree", "add", "--detach", "--force", path, commit]))?;
    let built = shell::run(build(&tree, profile));
    shell::run(git(&["worktree", "remove", "--force", path]))?;
    built?;
    // Renamed when it is whole: what an interrupted run left is not taken for it.
    let part = kept.with_extension("part");
    std::fs::create_dir_all(&part)?;
    for program in PROGRAMS {
        std::fs::copy(built_in(profile).join(program), part.join(program))?;
    }
    std::fs::rename(&part, &kept)?;
    Ok(kept)
}

/// The folder of this tree's programs and of the measuring one.
fn new_programs(profile: &str) -> Result<PathBuf> {
    shell::run(build(&places::root(), profile))?;
    let mut command = cargo(&places::root(), profile);
    command.args(["-p", "tfplugin", "--example", "bench"]);
    shell::run(command)?;
    Ok(built_in(profile))
}

fn build(tree: &Path, profile: &str) -> Command {
    let mut command = cargo(tree, profile);
    command.args(["-p", SCALR.program, "-p", "scalr-eventbridge", "--bins"]);
    command
}

fn cargo(tree: &Path, profile: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(["build", "--locked", "--profile", profile]);
    command
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", places::target());
    command
}

fn built_in(profile: &str) -> PathBuf {
    places::target().join(if profile == "dev" { "debug" } else { profile })
}

/// One measurement of everything.
fn report(programs: &Path, measuring: &Path) -> Result<Value> {
    let bench = measuring.join("examples/bench");
    let mut report = measure(&bench, &programs.join(SCALR.program), &SCALR)?;
    let server = server::start(&programs.join("scalr-eventbridge"), None)?;
    let taken = put_events::measure(&server.endpoint, PUT, || server.cpu())?;
    report["events_per_second"] = taken.events_per_second.into();
    report["cpu_us_per_event"] = taken.cpu_us_per_event.into();
    let taken = plans::measure(programs, measuring)?;
    report["plan_ms"] = (taken.plan.as_secs_f64() * 1_000.0).into();
    report["plan_calls"] = taken.plan_calls.into();
    Ok(report)
}

/// A figure of both.
struct Row<'a> {
    figure: &'a Figure,
    old: f64,
    new: f64,
}

impl<'a> Row<'a> {
    fn of(figure: &'a Figure, before: &[Value], after: &[Value]) -> Result<Self> {
        let median = |reports: &[Value]| {
            let values = reports.iter().map(|report| report[figure.key].as_f64());
            let values: Option<Vec<f64>> = values.collect();
            median(values?)
        };
        let missing = || format!("a report without `{}`", figure.key);
        Ok(Self {
            figure,
            old: median(before).with_context(missing)?,
            new: median(after).with_context(missing)?,
        })
    }

    fn ratio(&self) -> f64 {
        self.new / self.old
    }

    fn is_worse(&self) -> bool {
        match self.figure.better {
            Better::Less => self.ratio() > 1.0 + WORSE_MAX,
            Better::More => self.ratio() < 1.0 - WORSE_MAX,
        }
    }
}

/// The middle of the values, of two the greater one.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn table(commit: &str, rows: &[Row<'_>]) -> String {
    let mut table = format!(
        "\n{:<32}{commit:>14}{:>14}{:>8}\n",
        "medians", "this tree", "ratio"
    );
    for row in rows {
        let name = format!("{} ({})", row.figure.name, row.figure.unit);
        let verdict = if row.is_worse() { "  WORSE" } else { "" };
        let _ = writeln!(
            table,
            "{name:<32}{:>14.2}{:>14.2}{:>8.2}{verdict}",
            row.old,
            row.new,
            row.ratio()
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FIGURES, Row, table};

    fn reports(key: &str, values: &[f64]) -> Vec<Value> {
        values.iter().map(|value| json!({ key: value })).collect()
    }

    #[test]
    fn more_than_a_tenth_is_worse() {
        let check = |key: &str, old: f64, new: f64, worse: bool| {
            let figure = FIGURES.iter().find(|figure| figure.key == key).unwrap();
            let row = Row::of(figure, &reports(key, &[old]), &reports(key, &[new])).unwrap();
            assert_eq!(row.is_worse(), worse, "{key}: {old} {new}");
            assert_eq!(table("abc", &[row]).contains("WORSE"), worse);
        };
        check("handshake_ms", 10.0, 10.9, false);
        check("handshake_ms", 10.0, 11.1, true);
        check("handshake_ms", 10.0, 2.0, false);
        check("plans_per_second", 1000.0, 910.0, false);
        check("plans_per_second", 1000.0, 890.0, true);
        check("plans_per_second", 1000.0, 5000.0, false);
    }

    #[test]
    fn medians_are_compared() {
        let figure = &FIGURES[0];
        let (old, new) = (
            reports(figure.key, &[1.0, 9.0, 2.0]),
            reports(figure.key, &[3.0, 3.0, 0.0]),
        );
        let row = Row::of(figure, &old, &new).unwrap();
        assert_eq!((row.old, row.new), (2.0, 3.0));
        assert!(
            Row::of(figure, &old, &[json!({})]).is_err(),
            "a figure is missing"
        );
    }
}
