//! `cargo xtask demo`: the whole flow on this machine, with commands that anyone can type, each printed as it is run.

mod companion;
mod events;
mod steps;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

pub(crate) use self::companion::Companion;
use crate::{docs, places, shell};

/// Lines of the companion's log that are printed where the demo fails.
const LOG_LINES_SHOWN: usize = 20;

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leaves everything running and says how to use it.
    #[arg(long)]
    keep: bool,
    /// Uses the programs in this folder instead of building them.
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
}

/// A tool, a folder, the programs, whether Ctrl-C was pressed.
pub(crate) struct Session {
    tool: PathBuf,
    folder: PathBuf,
    programs: PathBuf,
    interrupted: Arc<AtomicBool>,
}

/// Runs the demo.
pub(crate) fn run(options: &Options) -> Result<()> {
    let tool = places::terraform().or_else(places::tofu).context(
        "neither `terraform` nor `tofu` is on the PATH: get one from https://developer.hashicorp.com/terraform/install \
         or https://opentofu.org/docs/intro/install",
    )?;
    // Of its own: another demo may run meanwhile.
    let mut folder = tempfile::Builder::new().prefix("scalr-demo-").tempdir()?;
    let programs = match &options.programs {
        Some(folder) => folder
            .canonicalize()
            .with_context(|| folder.display().to_string())?,
        None => places::target().join("debug"),
    };
    let session = Session::new(tool, folder.path().to_owned(), programs)?;
    let started = Instant::now();
    if options.programs.is_none() {
        build()?;
        session.check_interrupted()?;
    }
    fresh(&session)?;
    let times = play(&session, &mut folder, options)?;
    if options.keep {
        folder.disable_cleanup(true);
    } else {
        summary(&times, started.elapsed());
    }
    Ok(())
}

/// Starts the companion and goes through the flow. Where that fails, the folder stays, for its logs.
fn play(session: &Session, folder: &mut TempDir, options: &Options) -> Result<Times> {
    let done = step("start the companion", || Companion::start(session)).and_then(|companion| {
        let done = flow(session, &companion, options);
        if done.is_ok() && options.keep {
            companion.keep(session);
        } else {
            companion.stop();
        }
        done
    });
    folder.disable_cleanup(done.is_err() && !session.interrupted());
    done.map_err(|error| session.explain(error))
}

type Times = Vec<(&'static str, Duration)>;

fn flow(session: &Session, companion: &Companion, options: &Options) -> Result<Times> {
    let mut times = Times::new();
    let mut take = |name: &'static str, work: &dyn Fn() -> Result<()>| {
        let started = Instant::now();
        step(name, work)?;
        session.check_interrupted()?;
        times.push((name, started.elapsed()));
        Ok::<(), anyhow::Error>(())
    };
    take("apply the quickstart", &|| steps::apply(session, companion))?;
    take("start a run and see its events", &|| {
        events::watch(session, companion)
    })?;
    take("plan again: nothing to do", &|| steps::plan(session, companion))?;
    if !options.keep {
        take("destroy", &|| steps::destroy(session, companion))?;
    }
    Ok(times)
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n== {name}");
    work().with_context(|| format!("the step `{name}` failed"))
}

fn build() -> Result<()> {
    step("build the provider and the companion", || {
        shell::run(shell::build_programs())
    })
}

/// Puts a copy of the quickstart into the folder, and a CLI configuration that takes the provider just built.
fn fresh(session: &Session) -> Result<()> {
    let folder = &session.folder;
    let mut copy = Command::new("cp");
    copy.args(["-r", "examples/quickstart"])
        .arg(folder)
        .current_dir(places::root());
    shell::run(copy)?;
    let config = docs::cli_config(&session.programs);
    println!(
        "{} says where the provider is:\n{config}",
        folder.join("cli.tfrc").display()
    );
    std::fs::write(folder.join("cli.tfrc"), config)?;
    Ok(())
}

impl Session {
    /// A session in this folder; from now on Ctrl-C ends it between its steps.
    pub(crate) fn new(tool: PathBuf, folder: PathBuf, programs: PathBuf) -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Ok(Self {
            tool,
            folder,
            programs,
            interrupted,
        })
    }

    /// `terraform` or `tofu`.
    pub(crate) fn tool(&self) -> &Path {
        &self.tool
    }

    /// Whether Ctrl-C was pressed.
    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Fails after Ctrl-C.
    pub(crate) fn check_interrupted(&self) -> Result<()> {
        ensure!(!self.interrupted(), "interrupted");
        Ok(())
    }

    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        if self.interrupted() {
            return anyhow::anyhow!("interrupted; nothing is left running");
        }
        let log = std::fs::read_to_string(self.log(companion::LOG)).unwrap_or_default();
        error.context(format!(
            "the logs are in {}; {} ends with:\n{}",
            self.folder.display(),
            companion::LOG,
            end_of(&log)
        ))
    }

    /// The companion's program.
    fn companion(&self) -> PathBuf {
        self.programs.join("scalr-eventbridge")
    }

    /// The tool, in the copy of the quickstart, against the companion.
    fn command(&self, companion: &Companion, args: &[&str]) -> Command {
        let mut command = Command::new(&self.tool);
        command.arg(format!("-chdir={}", self.folder.join("quickstart").display()));
        command.args(args).envs(companion.environment(self));
        command
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The last lines of a log.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

fn summary(times: &Times, total: Duration) {
    println!("\n== summary");
    for (name, took) in times {
        println!("ok {:>6.1}s  {name}", took.as_secs_f32());
    }
    println!(
        "demo: the whole page ran on this machine in {:.1} s.",
        total.as_secs_f32()
    );
}

/// Fails with the whole output of a command that failed.
fn must(good: bool, what: &str, text: &str) -> Result<()> {
    if good {
        return Ok(());
    }
    bail!("{what} failed:\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logs_of_a_companion_that_does_not_start_are_kept() -> Result<()> {
        let mut folder = tempfile::tempdir()?;
        let path = folder.path().to_owned();
        // A shell takes the first argument for a script, which is not there.
        std::os::unix::fs::symlink("/bin/sh", path.join("scalr-eventbridge"))?;
        let session = Session {
            tool: PathBuf::new(),
            folder: path.clone(),
            programs: path.clone(),
            interrupted: Arc::default(),
        };
        let options = Options {
            keep: false,
            programs: None,
        };
        let failed = play(&session, &mut folder, &options).err();
        drop(folder);
        let log = std::fs::read_to_string(path.join(companion::LOG))?;
        std::fs::remove_dir_all(&path)?;
        let said = format!("{:#}", failed.context("it starts")?);
        for needle in [&*path.to_string_lossy(), log.trim_end(), "it ended with"] {
            assert!(!needle.is_empty() && said.contains(needle), "`{needle}`: {said}");
        }
        Ok(())
    }

    #[test]
    fn of_a_long_log_the_end_is_printed() {
        let long = "line\n".repeat(30) + "last\n";
        let end = end_of(&long);
        assert_eq!(end.lines().count(), LOG_LINES_SHOWN);
        assert!(end.ends_with("line\nlast"), "{end}");
        assert_eq!(end_of("a\nb\n"), "a\nb");
    }
}
