//! Runs the table for each tool that is there, and sums up.
#![expect(clippy::print_stdout, reason = "the summary is what this program is for")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use acceptance::tools::{Kind, Tool, boto3};
use acceptance::{calls, permissions};
use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::cases;

/// How many of the slowest cases are named.
const SLOWEST: usize = 10;
/// Cases per core: a case waits for the tool's and the provider's polls more than half of its time.
const CASES_PER_CORE: usize = 5;
/// How far from each other in the table those are that start one after the other: further than most groups are long.
const APART: usize = 150;

/// What a case needs that not every tool has; `lacks` says who lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// A bare `null` as a dynamic argument reaches the function. OpenTofu answers null without calling it.
    BareNullArgument,
    /// `identity` in import blocks, which Terraform has from 1.12 on.
    ImportByIdentity,
    /// Actions, which Terraform has from 1.14 on, and OpenTofu not.
    Actions,
    /// `query`, which Terraform has from 1.14 on.
    Query,
}

/// Whether a tool has actions and queries.
pub(crate) fn is_newest(tool: Kind) -> bool {
    [Feature::Actions, Feature::Query]
        .iter()
        .all(|feature| !lacks(tool).contains(feature))
}

fn lacks(tool: Kind) -> &'static [Feature] {
    match tool {
        Kind::Tofu112 => &[Feature::BareNullArgument, Feature::Actions, Feature::Query],
        Kind::Terraform111 => &[Feature::ImportByIdentity, Feature::Actions, Feature::Query],
        Kind::Terraform115 => &[],
    }
}

type Body = Box<dyn Fn(&Tool) -> Result<()> + Send + Sync>;

/// One row of the table.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) needs: Vec<Feature>,
    pub(crate) run: Body,
}

impl Case {
    pub(crate) fn new(
        name: impl Into<String>,
        run: impl Fn(&Tool) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            needs: Vec::new(),
            run: Box::new(run),
        }
    }

    pub(crate) fn needs(mut self, feature: Feature) -> Self {
        self.needs.push(feature);
        self
    }
}

/// One case that has run.
struct Run {
    tool: Kind,
    name: String,
    passed: bool,
    /// A row of the table; the others are interruptions and orders.
    is_row: bool,
    took: Duration,
}

type Runs = Arc<Mutex<Vec<Run>>>;

pub(crate) fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or_else(cases_at_once);
    let tools: Vec<Tool> = Kind::ALL.into_iter().filter_map(Tool::find).collect();
    let started = Instant::now();
    let runs = Runs::default();
    let mut trials = Vec::new();
    for case in cases::table() {
        let case = Arc::new(case);
        for tool in &tools {
            if case
                .needs
                .iter()
                .all(|feature| !lacks(tool.kind).contains(feature))
            {
                trials.push(trial(&case, tool, &runs, true));
            }
        }
    }
    let mut trouble = Vec::new();
    match cases::spread(&arguments, &tools) {
        Ok(more) => trials.extend(more.iter().map(|(tool, case)| trial(case, tool, &runs, false))),
        Err(error) => trouble.push(format!("the interruptions cannot be laid out: {error:?}")),
    }
    trouble.extend(missing(&tools));
    let listing = arguments.list;
    let trials = if listing { trials } else { dealt(trials) };
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(filter) = &arguments.filter
        && conclusion.num_passed + conclusion.num_failed == 0
    {
        trouble.push(format!("no case has `{filter}` in its name"));
    }
    if listing {
        return ExitCode::SUCCESS;
    }
    let Ok(runs) = runs.lock() else {
        println!("error: a case panicked while it was recorded");
        return ExitCode::from(101);
    };
    if conclusion.num_filtered_out == 0 {
        trouble.extend(unequal(&runs, &tools));
        blocks(&mut trouble);
    }
    trouble.extend(permissions_differ(
        conclusion.num_filtered_out == 0 && tools.len() == Kind::ALL.len(),
    ));
    times(&runs, started.elapsed());
    summary(&runs, &trouble);
    if conclusion.has_failed() || !trouble.is_empty() {
        ExitCode::from(101)
    } else {
        ExitCode::SUCCESS
    }
}

fn cases_at_once() -> Option<usize> {
    let cores = std::thread::available_parallelism().ok()?;
    Some(cores.get() * CASES_PER_CORE)
}

/// In another order: the cases of one group mostly wait, or mostly compute, and should not run at the same time.
fn dealt(trials: Vec<Trial>) -> Vec<Trial> {
    let mut numbered: Vec<_> = trials.into_iter().enumerate().collect();
    numbered.sort_by_key(|(number, _)| number % APART);
    numbered.into_iter().map(|(_, trial)| trial).collect()
}

fn trial(case: &Arc<Case>, tool: &Tool, runs: &Runs, is_row: bool) -> Trial {
    let (case, tool, runs) = (Arc::clone(case), tool.clone(), Arc::clone(runs));
    Trial::test(format!("{}::{}", tool.kind, case.name), move || {
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (case.run)(&tool)));
        if let Ok(mut runs) = runs.lock() {
            runs.push(Run {
                tool: tool.kind,
                name: case.name.clone(),
                passed: matches!(result, Ok(Ok(()))),
                is_row,
                took: started.elapsed(),
            });
        }
        match result {
            Ok(result) => result.map_err(|error| Failed::from(format!("{error:#}"))),
            // It failed, and counts as such above.
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Prints how many code blocks of the docs the cases run, and which they do not.
fn blocks(trouble: &mut Vec<String>) {
    match acceptance::blocks::summary() {
        Ok(lines) => lines.iter().for_each(|line| println!("{line}")),
        Err(error) => trouble.push(format!("the docs cannot be read: {error:#}")),
    }
}

/// The calls that were made are those that `provider/permissions.json` declares. Whether all that it declares is called shows
/// in a whole run only.
fn permissions_differ(whole: bool) -> Vec<String> {
    let declared = match permissions::declared() {
        Ok(declared) => declared,
        Err(error) => return vec![format!("{error:#}")],
    };
    let made = calls::made();
    let mut found = permissions::undeclared(&declared, &made);
    if whole {
        found.extend(permissions::never_made(&declared, &made));
    }
    found
}

/// Each tool has run the same rows, except those that need what `lacks` says it lacks.
fn unequal(runs: &[Run], tools: &[Tool]) -> Vec<String> {
    let table = cases::table();
    let mut found = Vec::new();
    for tool in tools {
        let ran = runs
            .iter()
            .filter(|run| run.tool == tool.kind && run.is_row)
            .count();
        let lacks_any = |case: &&Case| {
            case.needs
                .iter()
                .any(|feature| lacks(tool.kind).contains(feature))
        };
        let excused = table.iter().filter(lacks_any).count();
        if ran + excused != table.len() {
            found.push(format!(
                "{} ran {ran} of {} rows and is excused from {excused}",
                tool.kind,
                table.len()
            ));
        }
    }
    found
}

fn missing(tools: &[Tool]) -> Vec<String> {
    let absent = Kind::ALL
        .into_iter()
        .filter(|kind| tools.iter().all(|tool| tool.kind != *kind));
    let absent = absent.map(Kind::name).chain(boto3().is_none().then_some("boto3"));
    let lines: Vec<_> = absent
        .map(|name| format!("{name} is missing: `cargo xtask tools` gets it"))
        .collect();
    if std::env::var_os("ACCEPTANCE_REQUIRE_ALL").is_some() || tools.is_empty() {
        return lines;
    }
    for line in lines {
        println!("{line}");
    }
    Vec::new()
}

/// Where the time goes: the sum over all cases beside the time that passed, and the slowest cases.
fn times(runs: &[Run], passed: Duration) {
    let total: Duration = runs.iter().map(|run| run.took).sum();
    println!(
        "time in cases: {:.0}s, within {:.0}s; the slowest:",
        total.as_secs_f32(),
        passed.as_secs_f32()
    );
    let mut slowest: Vec<_> = runs.iter().collect();
    slowest.sort_by_key(|run| std::cmp::Reverse(run.took));
    for run in slowest.into_iter().take(SLOWEST) {
        println!("  {:>6.1}s  {}::{}", run.took.as_secs_f32(), run.tool, run.name);
    }
}

fn summary(runs: &[Run], trouble: &[String]) {
    let mut tallies: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for run in runs {
        let tally = tallies.entry(run.tool.name()).or_default();
        tally.0 += usize::from(run.passed);
        tally.1 += usize::from(!run.passed);
    }
    println!("acceptance cases per tool:");
    for (tool, (passed, failed)) in &tallies {
        println!("  {tool:<15} {passed} passed, {failed} failed");
    }
    for line in trouble {
        println!("  error: {line}");
    }
    let passed = runs.iter().filter(|run| run.passed).count();
    println!("{passed} passed, {} failed", runs.len() - passed + trouble.len());
}
