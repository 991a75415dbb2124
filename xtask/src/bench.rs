//! `cargo xtask bench`: figures of the release builds, beside what they have to be.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{places, shell};

mod local;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_enum, default_value = "provider")]
    what: What,
    /// Passed on to the measuring program.
    #[arg(last = true)]
    more: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// The provider: start, memory, size, plans a second.
    Provider,
    /// Event patterns, beside AWS's published engine.
    Patterns,
    /// The local AWS under load, beside moto's server; needs Python.
    Local,
}

/// Runs the measurements.
pub(crate) fn run(options: &Options) -> Result<()> {
    match options.what {
        What::Provider => provider(),
        What::Patterns => example("event-pattern", "bench-patterns", &options.more),
        What::Local => local::run(&options.more),
    }
}

/// `cargo xtask diff-patterns`: our answers beside those of AWS's published engine, live.
pub(crate) fn diff_patterns(more: &[String]) -> Result<()> {
    example("event-pattern", "diff-patterns", more)
}

fn example(package: &str, name: &str, more: &[String]) -> Result<()> {
    let mut command = shell::cargo(&[
        "run",
        "--release",
        "--locked",
        "-p",
        package,
        "--example",
        name,
        "--",
    ]);
    command.args(more);
    shell::run(command)
}

const RESOURCE: [&str; 3] = [
    "scalr_eventbridge_connection",
    r#"{"name":"prod","aws_account_id":"123456789012","region":"us-east-1"}"#,
    r#"{"hostname":"http://127.0.0.1:9","token":"not-used"}"#,
];

/// A figure: its name, where the measuring program has it, its unit, and the limit it must keep.
struct Figure {
    name: &'static str,
    key: &'static str,
    scale: f64,
    unit: &'static str,
    limit: Limit,
}

#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
    None,
}

const FIGURES: [Figure; 6] = [
    Figure {
        name: "start to handshake",
        key: "handshake_ms",
        scale: 1.0,
        unit: "ms",
        limit: Limit::AtMost(5.0),
    },
    Figure {
        name: "start to schema",
        key: "schema_ms",
        scale: 1.0,
        unit: "ms",
        limit: Limit::None,
    },
    Figure {
        name: "resident after the schema",
        key: "resident_kib_after_schema",
        scale: 1.0 / 1024.0,
        unit: "MiB",
        limit: Limit::AtMost(15.0),
    },
    Figure {
        name: "program",
        key: "program_bytes",
        scale: 1e-6,
        unit: "MB",
        limit: Limit::AtMost(20.0),
    },
    Figure {
        name: "PlanResourceChange, one at a time",
        key: "plans_per_second",
        scale: 1.0,
        unit: "/s",
        limit: Limit::AtLeast(5000.0),
    },
    Figure {
        name: "resident grown by these plans",
        key: "resident_kib_grown_by_plans",
        scale: 1.0 / 1024.0,
        unit: "MiB",
        limit: Limit::None,
    },
];

fn provider() -> Result<()> {
    shell::run(shell::cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "terraform-provider-scalr",
    ]))?;
    shell::run(shell::cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "tfplugin",
        "--example",
        "bench",
    ]))?;
    let release = places::target().join("release");
    let mut measure = Command::new(release.join("examples/bench"));
    measure
        .arg(release.join("terraform-provider-scalr"))
        .args(RESOURCE);
    println!("$ {}", shell::spell(&measure));
    let report: Value = serde_json::from_str(&shell::read(measure)?).context("the report is not JSON")?;
    println!("\n{:<36}{:>12}      limit", "provider, release build", "measured");
    for figure in FIGURES {
        println!("{}", row(&figure, &report));
    }
    Ok(())
}

fn row(figure: &Figure, report: &Value) -> String {
    let Some(raw) = report[figure.key].as_f64() else {
        return format!("{:<36}{:>12}", figure.name, "-");
    };
    let value = raw * figure.scale;
    let (limit, kept) = match figure.limit {
        Limit::AtMost(most) => (format!("at most {most}"), value <= most),
        Limit::AtLeast(least) => (format!("at least {least}"), value >= least),
        Limit::None => (String::new(), true),
    };
    let verdict = if kept { "" } else { "  NOT KEPT" };
    format!(
        "{:<36}{value:>12.2} {:<4} {limit}{verdict}",
        figure.name, figure.unit
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FIGURES, row};

    #[test]
    fn a_limit_that_is_not_kept_is_said() {
        let rows = |report| {
            FIGURES
                .iter()
                .map(|figure| row(figure, &report))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let good = json!({"handshake_ms": 2.0, "resident_kib_after_schema": 10_240, "program_bytes": 9_000_000, "plans_per_second": 9000.5});
        assert!(!rows(good.clone()).contains("NOT KEPT"), "{}", rows(good));
        let bad = json!({"handshake_ms": 6.0, "resident_kib_after_schema": 20_480, "program_bytes": 29_000_000, "plans_per_second": 10});
        assert_eq!(rows(bad).matches("NOT KEPT").count(), 4);
    }
}
