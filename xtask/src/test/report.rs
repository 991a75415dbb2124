//! What a step prints while it runs, how it ends, and the summary of all.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::shell;

/// How a step ended.
pub(super) enum StepResult {
    Passed,
    Failed(String),
    Skipped(String),
}

/// A step while it runs.
pub(super) struct Job {
    name: &'static str,
    /// What is printed when the step has ended; none where each line is printed as it comes.
    held: Option<Vec<String>>,
    /// The lines in which the step's own runner sums up.
    summary: Vec<String>,
    started: Instant,
}

/// A step that has ended.
pub(super) struct Report {
    pub(super) name: &'static str,
    result: StepResult,
    took: Duration,
    summary: Vec<String>,
}

impl Job {
    /// Starts the clock. Where lines are held, they are printed together when the step has ended.
    pub(super) fn start(name: &'static str, hold_lines: bool) -> Self {
        let mut job = Self {
            name,
            held: hold_lines.then(Vec::new),
            summary: Vec::new(),
            started: Instant::now(),
        };
        job.say(&format!("\n== {name}"));
        job
    }

    /// Prints a line, now or when the step has ended.
    pub(super) fn say(&mut self, line: &str) {
        match &mut self.held {
            Some(held) => held.push(line.to_owned()),
            None => println!("{line}"),
        }
    }

    /// Adds a line to the summary of all steps.
    pub(super) fn sum_up(&mut self, line: impl Into<String>) {
        self.summary.push(line.into());
    }

    /// Runs a command, prints its output and keeps the lines in which its runner sums up.
    pub(super) fn command(&mut self, command: Command) -> Result<StepResult> {
        let text = shell::spell(&command);
        self.say(&format!("$ {text}"));
        let good = shell::each_line(command, |line| {
            self.say(line);
            if is_summary(line) {
                self.sum_up(line);
            }
        })?;
        Ok(if good {
            StepResult::Passed
        } else {
            StepResult::Failed(format!("`{text}`"))
        })
    }

    pub(super) fn end(self, result: StepResult) -> Report {
        if let Some(held) = self.held {
            // One call: a line of the other lane must not come in between.
            println!("{}", held.join("\n"));
        }
        Report {
            name: self.name,
            result,
            took: self.started.elapsed(),
            summary: self.summary,
        }
    }
}

/// A line of libtest's or of the acceptance runner's that sums up.
fn is_summary(line: &str) -> bool {
    let is_head = [
        "test result:",
        "acceptance cases",
        "blocks of ",
        "demo: ",
        "chaos: ",
    ]
    .iter()
    .any(|head| line.starts_with(head));
    is_head || counts(line)
}

/// `…N passed, N failed`, as the acceptance summary says it.
fn counts(line: &str) -> bool {
    let Some((before, after)) = line.split_once(" passed, ") else {
        return false;
    };
    before.ends_with(|c: char| c.is_ascii_digit()) && after.ends_with(" failed")
}

/// Prints the steps with their times and their runners' summaries; fails if a step failed.
pub(super) fn summary(reports: &[Report]) -> Result<()> {
    println!("\n== summary");
    for report in reports {
        let seconds = report.took.as_secs_f32();
        let (mark, why) = match &report.result {
            StepResult::Passed => ("ok     ", String::new()),
            StepResult::Failed(why) => ("FAILED ", format!(": {why}")),
            StepResult::Skipped(why) => ("skipped", format!(": {why}")),
        };
        println!("{mark} {seconds:>7.1}s  {}{why}", report.name);
    }
    println!();
    for line in reports.iter().flat_map(|report| &report.summary) {
        println!("{line}");
    }
    let failed: Vec<_> = reports
        .iter()
        .filter(|report| matches!(report.result, StepResult::Failed(_)))
        .map(|report| report.name)
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_summary;

    fn check(line: &str, wanted: bool) {
        assert_eq!(is_summary(line), wanted, "{line}");
    }

    #[test]
    fn summaries_are_recognised() {
        check("test result: ok. 3 passed; 0 failed; 0 ignored", true);
        check("acceptance cases per tool:", true);
        check("  opentofu-1.12   206 passed, 0 failed", true);
        check("619 passed, 0 failed", true);
        check("blocks of README and docs: 31 of HCL checked", true);
        check("demo: the whole page ran on this machine in 12.3 s.", true);
        check("chaos: nothing lost, in 10 s", true);
        check("test rule::drift ... ok", false);
        check("it passed, nobody failed", false);
    }
}
