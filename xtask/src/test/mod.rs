//! `cargo xtask test`: every check, as steps in two lanes with their times and their runners' own summaries.
//!
//! One lane builds everything once and runs what takes longest: acceptance, whose cases wait for polls most of their time. The other lane
//! lints and documents beside it, and then runs the units.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! report        what a step prints, how it ends
//! changes       what a change touches: crates and what depends on them
//! build         everything, built once
//! step          a step, and what all steps share
//! steps         each check
//! ```

mod build;
mod changes;
mod report;
mod step;
mod steps;

use anyhow::{Result, bail};

use self::build::Build;
use self::changes::Changes;
use self::report::Report;
use self::step::{Lane, Runs, Shared, Step};

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the steps whose name holds this text.
    #[arg(long)]
    step: Option<String>,
    /// Runs only the acceptance cases whose name holds this text.
    #[arg(long)]
    case: Option<String>,
    /// How often the step `orders` renames each object that may change hands within one apply.
    #[arg(long, requires = "step", default_value_t = 1)]
    repeat: u32,
    /// Checks what differs from `main`: lints, the units of the crates that changed and of those that use them, a few
    /// acceptance cases. Says what it left out.
    #[arg(long, conflicts_with_all = ["step", "case"])]
    quick: bool,
}

/// Runs the steps, all of them even when one fails, and sums up.
pub(crate) fn run(options: &Options) -> Result<()> {
    let shared = Shared {
        case: options.case.clone(),
        repeat: options.repeat,
        changes: options.quick.then(Changes::find).transpose()?,
        build: Build::default(),
    };
    let chosen = choose(options)?;
    let lane = |lane: Lane| chosen.iter().filter(move |step| step.lane == lane).copied();
    let (mut reports, beside) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| work(lane(Lane::Beside), &shared));
        (work(lane(Lane::Main), &shared), beside.join())
    });
    match beside {
        Ok(more) => reports.extend(more),
        Err(_) => bail!("a step panicked"),
    }
    reports.sort_by_key(|report| steps::ALL.iter().position(|step| step.name == report.name));
    if let Some(changes) = &shared.changes {
        println!("\n{}", changes.left_out());
    }
    report::summary(&reports)
}

fn choose(options: &Options) -> Result<Vec<&'static Step>> {
    let wanted = |step: &&Step| match &options.step {
        Some(text) => step.name.contains(text.as_str()),
        None => step.part_of == Runs::All || step.part_of == Runs::Whole && !options.quick,
    };
    let chosen: Vec<_> = steps::ALL.iter().filter(wanted).collect();
    if chosen.is_empty() {
        let names = steps::ALL.map(|step| step.name).join("`, `");
        bail!(
            "no step has `{}` in its name; the steps are `{names}`",
            options.step.as_deref().unwrap_or_default()
        );
    }
    Ok(chosen)
}

fn work(steps: impl Iterator<Item = &'static Step>, shared: &Shared) -> Vec<Report> {
    steps.map(|step| step.run(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::step::{Lane, Runs};
    use super::{Options, choose, steps};

    fn check(step: Option<&str>, quick: bool, wanted: &[&str]) {
        let options = Options {
            step: step.map(str::to_owned),
            case: None,
            repeat: 1,
            quick,
        };
        let names = choose(&options).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>());
        assert_eq!(names.ok().as_deref().unwrap_or_default(), wanted);
    }

    #[test]
    fn steps_are_chosen_by_name() {
        check(Some("docs"), false, &["generated docs"]);
        check(Some("no such step"), false, &[]);
        check(Some("orders"), false, &["orders"]);
        let whole = steps::ALL.iter().filter(|step| step.part_of != Runs::Named);
        check(None, false, &whole.map(|step| step.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_quick_run_leaves_out_what_takes_long() {
        check(
            None,
            true,
            &[
                "format",
                "house rules",
                "build",
                "generated docs",
                "acceptance",
                "lints",
                "units",
            ],
        );
    }

    #[test]
    fn what_is_built_is_used_in_the_lane_that_builds_it_but_for_the_units() {
        let lane = |name| {
            steps::ALL
                .iter()
                .find(|step| step.name == name)
                .map(|step| step.lane)
        };
        for name in ["build", "generated docs", "acceptance", "demo", "chaos"] {
            assert_eq!(lane(name), Some(Lane::Main), "{name}");
        }
        // The units are many and compute: they fill what acceptance leaves while it waits.
        assert_eq!(lane("units"), Some(Lane::Beside));
    }
}
