//! `cargo xtask bench patterns`: our pattern engine and AWS's, each alone on one thread, in one run.

use std::process::Command;

use anyhow::Result;

use crate::shell;

/// Options of `cargo xtask bench patterns`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many rules; without it, 1, 10, 100, 1,000 and 10,000.
    rules: Vec<usize>,
}

/// Prints the table. Needs Java 17 and, the first time, Maven.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--package", "event-pattern", "--example", "bench-patterns", "--"]);
    command.args(options.rules.iter().map(usize::to_string));
    shell::run(command)
}
