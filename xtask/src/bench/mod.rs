//! `cargo xtask bench`: figures of the release builds, beside what they have to be.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::service::server;
use crate::{places, shell};

mod against;
mod console;
mod custom_buses;
mod delivery;
mod delivery_fairness;
mod local;
mod plans;
mod put_events;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_enum, default_value = "provider")]
    what: What,
    #[command(flatten)]
    against: against::Comparison,
    /// Measures `delivery` at its full size, which takes about half an hour.
    #[arg(long)]
    full: bool,
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
    /// The part of that about custom event buses; `-- PROGRAM` measures that one in place of a release build, `-- PROGRAM COUNT`
    /// with so many retained events.
    CustomBuses,
    /// A plan over 500 connections and their destroy, with Scalr 50 ms away; needs Terraform. `-- FOLDER` measures the programs there.
    Plans,
    /// What a service takes in and delivers in a second; `-- PROGRAM` measures that one in place of a release build, `-- PROGRAM OTHER`
    /// another one beside it, `--against COMMIT` the program of that commit.
    Delivery,
    /// What a connection at its bound costs the others; `-- PROGRAM` measures that one in place of a release build.
    DeliveryFairness,
    /// Pages of the console with 10 events and with 10,000; `-- PROGRAM` measures that one in place of a release build.
    Console,
}

/// Runs the measurements.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(commit) = &options.against.against {
        return match options.what {
            What::Delivery => {
                let old = against::companion_of(commit, &options.against)?;
                delivery::run(&[companion(&options.more)?, old], options.full)
            }
            _ => against::run(commit, &options.against),
        };
    }
    match options.what {
        What::Provider => provider(),
        What::Patterns => example("event-pattern", "bench-patterns", &options.more),
        What::Local => local::run(&options.more),
        What::CustomBuses => custom_bus_rows(&options.more),
        What::Plans => plans::run(&options.more),
        What::Delivery => delivery::run(&companions(&options.more)?, options.full),
        What::DeliveryFairness => delivery_fairness::run(&options.more),
        What::Console => console::run(&options.more),
    }
}

/// The companion that is measured: the program that `more` names, or a release build that this makes.
fn companion(more: &[String]) -> Result<PathBuf> {
    match more {
        [] => server::companion(None),
        [program] => Ok(PathBuf::from(program)),
        _ => bail!("name one program at most"),
    }
}

/// The companions that `more` names, or a release build.
fn companions(more: &[String]) -> Result<Vec<PathBuf>> {
    match more {
        [_, _, _, ..] => bail!("name two programs at most: the one to measure, and one beside it"),
        [new, old] => Ok(vec![PathBuf::from(new), PathBuf::from(old)]),
        more => Ok(vec![companion(more)?]),
    }
}

fn custom_bus_rows(more: &[String]) -> Result<()> {
    let (program, retained) = match more {
        [program, count] => (
            companion(std::slice::from_ref(program))?,
            count
                .parse()
                .context("the second argument is how many events are retained")?,
        ),
        more => (companion(more)?, custom_buses::RETAINED),
    };
    println!("{}", custom_buses::run(&program, retained)?);
    Ok(())
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

/// What is measured: where its release build is, a resource, its configuration, and the provider's settings.
struct Subject {
    program: &'static str,
    resource: [&'static str; 3],
}

const SCALR: Subject = Subject {
    program: "terraform-provider-scalr",
    resource: [
        "scalr_eventbridge_connection",
        r#"{"name":"prod","aws_account_id":"123456789012","region":"us-east-1"}"#,
        r#"{"hostname":"http://127.0.0.1:9","token":"not-used"}"#,
    ],
};

/// The framework's own example: what the framework costs, and how fast the machine is just now.
const TINY: Subject = Subject {
    program: "examples/tiny",
    resource: ["tiny_note", r#"{"name":"a"}"#, r#"{"folder":"/tmp"}"#],
};

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

const FIGURES: [Figure; 7] = [
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
        name: "asked to stop, ended",
        key: "stop_ms",
        scale: 1.0,
        unit: "ms",
        limit: Limit::None,
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
        "--example",
        "tiny",
    ]))?;
    let release = places::target().join("release");
    let of = |subject: &Subject| {
        let program = release.join(subject.program);
        measure(&release.join("examples/bench"), &program, subject)
    };
    let (tiny, scalr) = (of(&TINY)?, of(&SCALR)?);
    println!(
        "\n{:<36}{:>12}{:>14}      limit",
        "release builds", "tiny example", "this provider"
    );
    for figure in FIGURES {
        println!("{}", row(&figure, &tiny, &scalr));
    }
    Ok(())
}

/// The report of the measuring program on a provider's.
fn measure(bench: &Path, program: &Path, subject: &Subject) -> Result<Value> {
    let mut measure = Command::new(bench);
    measure.arg(program).args(subject.resource);
    println!("$ {}", shell::spell(&measure));
    serde_json::from_str(&shell::read(measure)?).context("the report is not JSON")
}

/// A figure of the tiny example and of the provider; the limit is the provider's.
fn row(figure: &Figure, tiny: &Value, scalr: &Value) -> String {
    let value = |report: &Value| report[figure.key].as_f64().map(|raw| raw * figure.scale);
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let (tiny, scalr) = (value(tiny), value(scalr));
    let (limit, kept) = match figure.limit {
        Limit::AtMost(most) => (format!("at most {most}"), scalr.is_none_or(|value| value <= most)),
        Limit::AtLeast(least) => (
            format!("at least {least}"),
            scalr.is_none_or(|value| value >= least),
        ),
        Limit::None => (String::new(), true),
    };
    let verdict = if kept { "" } else { "  NOT KEPT" };
    format!(
        "{:<36}{:>12}{:>14} {:<4} {limit}{verdict}",
        figure.name,
        shown(tiny),
        shown(scalr),
        figure.unit
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FIGURES, companions, row};

    #[test]
    fn a_limit_that_is_not_kept_is_said() {
        let rows = |report| {
            FIGURES
                .iter()
                .map(|figure| row(figure, &json!({}), &report))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let good = json!({"handshake_ms": 2.0, "resident_kib_after_schema": 10_240, "program_bytes": 9_000_000, "plans_per_second": 9000.5});
        assert!(!rows(good.clone()).contains("NOT KEPT"), "{}", rows(good));
        let bad = json!({"handshake_ms": 6.0, "resident_kib_after_schema": 20_480, "program_bytes": 29_000_000, "plans_per_second": 10});
        assert_eq!(rows(bad).matches("NOT KEPT").count(), 4);
    }

    #[test]
    fn at_most_two_programs_are_measured() {
        let named = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(companions(&named[..2]).unwrap().len(), 2);
        assert!(companions(&named).is_err());
    }
}
