//! `cargo xtask diff-patterns`: our pattern engine and AWS's, on the same pairs.

use std::process::Command;

use anyhow::Result;

use crate::shell;

/// Options of `cargo xtask diff-patterns`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the pairs come from; another seed, other pairs.
    #[arg(default_value_t = 1)]
    seed: u64,
    /// How many pairs.
    #[arg(default_value_t = 40_000)]
    count: usize,
}

/// Compares the engines; fails if any answer differs. Needs Java 17 and, the first time, Maven.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--package", "event-pattern", "--example", "diff-patterns", "--"]);
    command.args([options.seed.to_string(), options.count.to_string()]);
    shell::run(command)
}
