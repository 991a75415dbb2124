//! Runs the table for each tool that is there, and sums up.
#![expect(clippy::print_stdout, reason = "the summary is what this program is for")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use acceptance::tools::{Kind, Tool};
use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::cases;

/// What a case needs that not every tool has; `lacks` says who lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// A bare `null` as a dynamic argument reaches the function. OpenTofu answers null without calling it.
    BareNullArgument,
    /// `identity` in import blocks, which Terraform has from 1.12 on.
    ImportByIdentity,
}

fn lacks(tool: Kind) -> &'static [Feature] {
    match tool {
        Kind::Tofu112 => &[Feature::BareNullArgument],
        Kind::Terraform111 => &[Feature::ImportByIdentity],
        Kind::Terraform115 => &[],
    }
}

type Run = Box<dyn Fn(&Tool) -> Result<()> + Send + Sync>;

/// One row of the table.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) needs: Vec<Feature>,
    pub(crate) run: Run,
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

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// How many of them were rows of the table; the others are interruptions.
    rows: usize,
}

type Tallies = Arc<Mutex<BTreeMap<String, Tally>>>;

pub(crate) fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Three at a time, unless told otherwise: each case runs a tool, a provider and a companion, and waits half its time.
    arguments.test_threads = arguments.test_threads.or(Some(3));
    let tools: Vec<Tool> = Kind::ALL.into_iter().filter_map(Tool::find).collect();
    let tallies = Tallies::default();
    let mut trials = Vec::new();
    for case in cases::table() {
        let case = Arc::new(case);
        for tool in &tools {
            if case
                .needs
                .iter()
                .all(|feature| !lacks(tool.kind).contains(feature))
            {
                trials.push(trial(&case, tool, &tallies, true));
            }
        }
    }
    let mut trouble = Vec::new();
    match cases::interruptions(&arguments, &tools) {
        Ok(more) => trials.extend(more.iter().map(|(tool, case)| trial(case, tool, &tallies, false))),
        Err(error) => trouble.push(format!("the interruptions cannot be laid out: {error:?}")),
    }
    trouble.extend(missing(&tools));
    let listing = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(filter) = &arguments.filter
        && conclusion.num_passed + conclusion.num_failed == 0
    {
        trouble.push(format!("no case has `{filter}` in its name"));
    }
    if listing {
        return ExitCode::SUCCESS;
    }
    if conclusion.num_filtered_out == 0 {
        trouble.extend(unequal(&tallies, &tools));
    }
    summary(&tallies, &trouble);
    if conclusion.has_failed() || !trouble.is_empty() {
        ExitCode::from(101)
    } else {
        ExitCode::SUCCESS
    }
}

fn trial(case: &Arc<Case>, tool: &Tool, tallies: &Tallies, is_row: bool) -> Trial {
    let (case, tool, tallies) = (Arc::clone(case), tool.clone(), Arc::clone(tallies));
    Trial::test(format!("{}::{}", tool.kind, case.name), move || {
        let result = (case.run)(&tool);
        if let Ok(mut tallies) = tallies.lock() {
            let tally = tallies.entry(tool.kind.to_string()).or_default();
            tally.rows += usize::from(is_row);
            if result.is_ok() {
                tally.passed += 1;
            } else {
                tally.failed += 1;
            }
        }
        result.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// Each tool has run the same rows, except those that need what `lacks` says it lacks.
fn unequal(tallies: &Tallies, tools: &[Tool]) -> Vec<String> {
    let table = cases::table();
    let Ok(tallies) = tallies.lock() else {
        return vec!["the tallies are lost".to_owned()];
    };
    let mut found = Vec::new();
    for tool in tools {
        let ran = tallies.get(tool.kind.name()).map_or(0, |tally| tally.rows);
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
    let lines: Vec<_> = absent
        .map(|kind| format!("{kind} is missing: `cargo xtask tools` gets it"))
        .collect();
    if std::env::var_os("ACCEPTANCE_REQUIRE_ALL").is_some() || tools.is_empty() {
        return lines;
    }
    for line in lines {
        println!("{line}");
    }
    Vec::new()
}

fn summary(tallies: &Tallies, trouble: &[String]) {
    let Ok(tallies) = tallies.lock() else { return };
    println!("acceptance cases per tool:");
    let (mut passed, mut failed) = (0, 0);
    for (tool, tally) in tallies.iter() {
        println!("  {tool:<15} {} passed, {} failed", tally.passed, tally.failed);
        passed += tally.passed;
        failed += tally.failed;
    }
    for line in trouble {
        println!("  error: {line}");
    }
    println!("{passed} passed, {} failed", failed + trouble.len());
}
