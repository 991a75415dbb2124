//! Interruptions of the quickstart's apply and destroy: at every request, before it is forwarded and before its answer
//! returns, by Ctrl-C and by kill -9. Afterwards apply goes through again: by itself, or with the import blocks that
//! its errors print. After an interrupted destroy, half the points go on with destroy, which leaves nothing behind. Each
//! point is struck once; the points are spread over the tools.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acceptance::paths;
use acceptance::proxy::{Blow, Moment, Proxy, Strike};
use acceptance::stage::{APPLY, DESTROY, Stage};
use acceptance::tools::Tool;
use acceptance::world::World;
use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Arguments;

use super::quickstart::{self, GROUPS};
use super::verify;
use crate::runner::Case;

/// How often apply may ask for an import before it must go through: a configuration has fewer resources than that.
const ROUNDS_MAX: usize = 9;

const POINTS: [(Blow, Moment, &str); 4] = [
    (Blow::Stop, Moment::BeforeForward, "stop_before"),
    (Blow::Stop, Moment::BeforeAnswer, "stop_after"),
    (Blow::Kill, Moment::BeforeForward, "kill_before"),
    (Blow::Kill, Moment::BeforeAnswer, "kill_after"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Apply,
    Destroy,
}

impl Work {
    /// One request at a time, so that the Nth is the same one in every run.
    fn args(self) -> Vec<&'static str> {
        let args = if self == Self::Apply { APPLY } else { DESTROY };
        args.into_iter().chain(["-parallelism=1"]).collect()
    }
}

/// The servers and the state after a whole apply, from which each interrupted destroy starts.
struct Saved {
    world: PathBuf,
    state: String,
}

impl Drop for Saved {
    fn drop(&mut self) {
        // A folder under the system's temporary one; left behind it does no harm.
        let _ = std::fs::remove_dir_all(&self.world);
    }
}

/// Runs both works once to count their requests, and lays out a case for each point.
pub(crate) fn cases(arguments: &Arguments, tools: &[Tool]) -> Result<Vec<(Tool, Arc<Case>)>> {
    let wanted = arguments
        .filter
        .as_ref()
        .is_none_or(|filter| filter.contains("interrupt"));
    let Some(first) = tools.first().filter(|_| wanted) else {
        return Ok(Vec::new());
    };
    let (saved, apply, destroy) = measure(first)?;
    let saved = Arc::new(saved);
    let mut found = Vec::new();
    let mut turn = tools.iter().cycle();
    for (work, name, requests) in [(Work::Apply, "apply", apply), (Work::Destroy, "destroy", destroy)] {
        for at in 1..=requests {
            for (blow, moment, point) in POINTS {
                let (saved, strike) = (Arc::clone(&saved), Strike { at, moment, blow });
                let run = move |tool: &Tool| interrupted(tool, work, strike, &saved);
                let case = Case::new(format!("interrupt::{name}::{point}::{at:02}"), run);
                found.push((turn.next().context("no tool")?.clone(), Arc::new(case)));
            }
        }
        // An odd number of points in a row would give each tool the same kind of point again and again.
        turn.next();
    }
    Ok(found)
}

fn measure(tool: &Tool) -> Result<(Saved, usize, usize)> {
    let (stage, proxy) = behind(tool, World::start()?, None)?;
    let ended = stage.run(&Work::Apply.args())?;
    ensure!(
        ended.code() == 0,
        "the quickstart does not apply:\n{}",
        ended.text
    );
    let apply = proxy.seen();
    let record = std::fs::read_to_string(stage.state_file())?;
    let kept = tempfile::tempdir()?.keep();
    let Stage { world, .. } = stage;
    let folder = world.stop()?;
    paths::copy_tree(&folder, &kept)?;
    std::fs::remove_dir_all(folder)?;
    let saved = Saved {
        world: kept,
        state: record,
    };
    let (stage, proxy) = behind(tool, World::restore(&saved.world)?, None)?;
    std::fs::write(stage.state_file(), &saved.state)?;
    let ended = stage.run(&Work::Destroy.args())?;
    ensure!(
        ended.code() == 0,
        "the quickstart is not destroyed:\n{}",
        ended.text
    );
    Ok((saved, apply, proxy.seen()))
}

fn behind(tool: &Tool, world: World, strike: Option<Strike>) -> Result<(Stage, Proxy)> {
    let proxy = Proxy::start(&[world.line.hostname(), world.line.endpoint()], strike)?;
    let mut stage = quickstart::stage(tool, world)?;
    stage.through(&proxy)?;
    Ok((stage, proxy))
}

fn interrupted(tool: &Tool, work: Work, strike: Strike, saved: &Saved) -> Result<()> {
    let world = if work == Work::Apply {
        World::start()?
    } else {
        World::restore(&saved.world)?
    };
    let (mut stage, proxy) = behind(tool, world, Some(strike))?;
    if work == Work::Destroy {
        std::fs::write(stage.state_file(), &saved.state)?;
    }
    let group = stage.start(&work.args())?;
    proxy.aim(group.pid()?);
    let struck = group.wait(std::time::Duration::from_mins(2))?;
    if proxy.seen() < strike.at {
        // Fewer polls than in the run that was counted: nothing was struck, so it must have gone through.
        ensure!(struck.code() == 0, "not struck, and yet:\n{}", struck.text);
    } else {
        ensure!(
            proxy.struck(),
            "request {} came, and nothing was struck",
            strike.at
        );
        if strike.blow == Blow::Kill {
            ensure!(struck.code() == 137, "killed, and ended with {}", struck.code());
        }
    }
    stage.direct();
    let told = format!(
        "struck at\n{}\nand said\n{}",
        proxy.log().last().cloned().unwrap_or_default(),
        struck.text
    );
    if work == Work::Destroy && destroys_again(strike) {
        stage.destroy().with_context(|| told.clone())?;
        verify::nothing_left(&stage, "us-east-1", &GROUPS).context(told)?;
        return no_lock(stage.dir());
    }
    go_through(&stage).with_context(|| told.clone())?;
    whole(&stage).context(told)
}

/// What follows an interrupted destroy: another destroy, or an apply. Each request meets both.
fn destroys_again(strike: Strike) -> bool {
    let crossed = (strike.blow == Blow::Kill) != (strike.moment == Moment::BeforeAnswer);
    crossed != strike.at.is_multiple_of(2)
}

/// Applies until it goes through; a failure must hold import blocks, which are put into the configuration.
fn go_through(stage: &Stage) -> Result<()> {
    let mut blocks = String::new();
    for _ in 0..ROUNDS_MAX {
        let ended = stage.run(&APPLY)?;
        if ended.code() == 0 {
            stage.remove("import.tf");
            return Ok(());
        }
        let more = import_blocks(&ended.text)?;
        ensure!(
            !more.is_empty(),
            "apply fails and prints no import block:\n{}",
            ended.text
        );
        blocks += &more;
        stage.write("import.tf", &blocks)?;
    }
    bail!("apply still fails with\n{blocks}")
}

/// The import blocks of all errors, each with the address that its error names put in place of `TYPE.NAME`.
fn import_blocks(text: &str) -> Result<String> {
    let mut blocks = String::new();
    for error in text.split("Error: ").skip(1) {
        let lines: Vec<&str> = error.lines().map(|line| line.trim_start_matches('│')).collect();
        let Some(from) = lines.iter().position(|line| line.trim() == "import {") else {
            continue;
        };
        let with = lines.iter().find_map(|line| line.trim().strip_prefix("with "));
        let address = with.context("an error without an address")?.trim_end_matches(',');
        let end = lines
            .iter()
            .skip(from)
            .position(|line| line.trim() == "}")
            .context("a block without an end")?;
        for line in lines.iter().skip(from).take(end + 1) {
            let line = if line.trim_start().starts_with("to") {
                format!("  to = {address}")
            } else {
                (*line).to_owned()
            };
            blocks.extend([line.as_str(), "\n"]);
        }
    }
    Ok(blocks)
}

/// Everything is there, once, and events flow.
fn whole(stage: &Stage) -> Result<()> {
    stage.plan_empty()?;
    ensure!(stage.world.scalr().connections()?.len() == 1);
    let bus = stage.attribute("scalr_eventbridge_bus.this", "name")?;
    ensure!(stage.aws().buses()? == std::slice::from_ref(&bus));
    ensure!(stage.aws().rules(&bus)?.len() == 2);
    for rule in ["scalr-AuditLog", "scalr-RunExecuted"] {
        let targets = stage.aws().targets(&bus, rule)?;
        ensure!(targets.len() == 1, "{rule} has {targets:?}");
    }
    let mut groups = stage.aws().groups()?;
    groups.sort();
    ensure!(groups == GROUPS, "{groups:?}");
    verify::arrives(stage, GROUPS[1], "RunExecuted")?;
    no_lock(stage.dir())
}

fn no_lock(dir: &Path) -> Result<()> {
    let lock = dir.join(".terraform.tfstate.lock.info");
    ensure!(!lock.exists(), "the state is still locked");
    Ok(())
}
