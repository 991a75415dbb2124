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

pub(crate) use self::companion::Companion;
use crate::{docs, places, shell};

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leaves everything running and says how to use it.
    #[arg(long)]
    keep: bool,
}

/// A tool, a folder, whether Ctrl-C was pressed.
pub(crate) struct Session {
    tool: PathBuf,
    folder: PathBuf,
    interrupted: Arc<AtomicBool>,
}

/// Runs the demo.
pub(crate) fn run(options: &Options) -> Result<()> {
    let tool = places::terraform().or_else(places::tofu).context(
        "neither `terraform` nor `tofu` is on the PATH: get one from https://developer.hashicorp.com/terraform/install \
         or https://opentofu.org/docs/intro/install",
    )?;
    let session = Session::new(tool, places::target().join("demo"))?;
    let started = Instant::now();
    build()?;
    session.check_interrupted()?;
    fresh(&session.folder)?;
    let companion = step("start the companion", || Companion::start(&session))?;
    let done = flow(&session, &companion, options);
    if done.is_ok() && options.keep {
        companion.keep(&session);
        return Ok(());
    }
    companion.stop();
    if done.is_ok() {
        // Nothing in it is needed any more; after a failure its logs are.
        let _ = std::fs::remove_dir_all(&session.folder);
    }
    let times = done.map_err(|error| session.explain(error))?;
    summary(&times, started.elapsed());
    Ok(())
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

/// An empty folder with a copy of the quickstart and a CLI configuration that takes the provider just built.
fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let mut copy = Command::new("cp");
    copy.args(["-r", "examples/quickstart"])
        .arg(folder)
        .current_dir(places::root());
    shell::run(copy)?;
    let config = docs::cli_config(&programs());
    println!(
        "{} says where the provider is:\n{config}",
        folder.join("cli.tfrc").display()
    );
    std::fs::write(folder.join("cli.tfrc"), config)?;
    Ok(())
}

fn programs() -> PathBuf {
    places::target().join("debug")
}

impl Session {
    /// A session in this folder; from now on Ctrl-C ends it between its steps.
    pub(crate) fn new(tool: PathBuf, folder: PathBuf) -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Ok(Self {
            tool,
            folder,
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
            let _ = std::fs::remove_dir_all(&self.folder);
            return anyhow::anyhow!("interrupted; nothing is left running");
        }
        error.context(format!("the logs are in {}", self.folder.display()))
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

fn summary(times: &Times, total: Duration) {
    println!("\n== summary");
    for (name, took) in times {
        println!("ok {:>6.1}s  {name}", took.as_secs_f32());
    }
    println!(
        "The whole page ran on this machine in {:.0} s, the build included.",
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
