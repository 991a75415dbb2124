//! Interruptions of the quickstart's apply and destroy: at every request, before it is forwarded and before its answer
//! returns, by Ctrl-C and by kill -9. The next apply succeeds: by itself, or with the import blocks that its errors
//! print. After an interrupted destroy, half the cases destroy once more, which leaves nothing behind. Each point of
//! interruption is one case; the cases are spread over the tools.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acceptance::companion::Companion;
use acceptance::group::Ended;
use acceptance::proxy::{Fault, FaultSignal, Moment, Proxy, Script};
use acceptance::tools::Tool;
use acceptance::workdir::{APPLY, DESTROY, Workdir};
use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Arguments;

use super::quickstart::{self, GROUPS};
use super::verify;
use crate::runner::Case;

/// How often apply may ask for an import before it must succeed: a configuration has fewer resources than that.
const ROUNDS_MAX: usize = 9;

pub(super) const POINTS: [(FaultSignal, Moment, &str); 4] = [
    (FaultSignal::Interrupt, Moment::BeforeForward, "stop_before"),
    (FaultSignal::Interrupt, Moment::BeforeAnswer, "stop_after"),
    (FaultSignal::Kill, Moment::BeforeForward, "kill_before"),
    (FaultSignal::Kill, Moment::BeforeAnswer, "kill_after"),
];

/// The command that is interrupted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Apply,
    Destroy,
}

impl Command {
    /// One request at a time, so that the Nth is the same one in every run.
    fn args(self) -> Vec<&'static str> {
        let args = if self == Self::Apply { APPLY } else { DESTROY };
        args.into_iter().chain(["-parallelism=1"]).collect()
    }
}

/// The companion's and Terraform's state after a whole apply, from which each interrupted destroy starts.
struct Applied {
    companion: PathBuf,
    terraform: String,
}

impl Drop for Applied {
    fn drop(&mut self) {
        // A folder under the system's temporary one; left behind it does no harm.
        let _ = std::fs::remove_dir_all(&self.companion);
    }
}

/// Runs both commands once to count their requests, and makes a case for each point.
pub(crate) fn cases(arguments: &Arguments, tools: &[Tool]) -> Result<Vec<(Tool, Arc<Case>)>> {
    let wanted = arguments
        .filter
        .as_ref()
        .is_none_or(|filter| filter.contains("interrupt"));
    let Some(first) = tools.first().filter(|_| wanted) else {
        return Ok(Vec::new());
    };
    let (applied, apply, destroy) = measure(first)?;
    let applied = Arc::new(applied);
    let mut found = Vec::new();
    let mut tools = tools.iter().cycle();
    for (command, name, requests) in [
        (Command::Apply, "apply", apply),
        (Command::Destroy, "destroy", destroy),
    ] {
        for request in 1..=requests {
            for (signal, moment, point) in POINTS {
                let fault = Fault {
                    request,
                    moment,
                    signal,
                };
                let applied = Arc::clone(&applied);
                let run = move |tool: &Tool| interrupted(tool, command, fault, &applied);
                let case = Case::new(format!("interrupt::{name}::{point}::{request:02}"), run);
                found.push((tools.next().context("no tool")?.clone(), Arc::new(case)));
            }
        }
        // An odd number of points in a row would give each tool the same kind of point every time.
        tools.next();
    }
    Ok(found)
}

fn measure(tool: &Tool) -> Result<(Applied, usize, usize)> {
    let (workdir, proxy) = behind_proxy(tool, Companion::start()?, None)?;
    let ended = workdir.run(&Command::Apply.args())?;
    ensure!(
        ended.code() == 0,
        "the quickstart does not apply:\n{}",
        ended.text
    );
    let apply = proxy.seen();
    let terraform = std::fs::read_to_string(workdir.state_file())?;
    let Workdir { companion, .. } = workdir;
    let applied = Applied {
        companion: companion.stop()?,
        terraform,
    };
    let (workdir, proxy) = behind_proxy(tool, Companion::restore(&applied.companion)?, None)?;
    std::fs::write(workdir.state_file(), &applied.terraform)?;
    let ended = workdir.run(&Command::Destroy.args())?;
    ensure!(
        ended.code() == 0,
        "the quickstart is not destroyed:\n{}",
        ended.text
    );
    Ok((applied, apply, proxy.seen()))
}

fn behind_proxy(tool: &Tool, companion: Companion, fault: Option<Fault>) -> Result<(Workdir, Proxy)> {
    let script = fault.map_or(Script::Forward, Script::Fault);
    let proxy = Proxy::start(&[companion.line.hostname(), companion.line.endpoint()], script)?;
    let mut workdir = quickstart::workdir(tool, companion)?;
    workdir.through(&proxy)?;
    Ok((workdir, proxy))
}

fn interrupted(tool: &Tool, command: Command, fault: Fault, applied: &Applied) -> Result<()> {
    let companion = if command == Command::Apply {
        Companion::start()?
    } else {
        Companion::restore(&applied.companion)?
    };
    let (mut workdir, proxy) = behind_proxy(tool, companion, Some(fault))?;
    if command == Command::Destroy {
        std::fs::write(workdir.state_file(), &applied.terraform)?;
    }
    let group = workdir.start(&command.args())?;
    proxy.aim(group.pid()?);
    let ended = group.wait(std::time::Duration::from_mins(2))?;
    ended_as_signalled(&ended, fault, &proxy)?;
    workdir.direct();
    let context = format!(
        "interrupted at\n{}\nwith the output\n{}",
        proxy.log().last().cloned().unwrap_or_default(),
        ended.text
    );
    if command == Command::Destroy && destroys_again(fault) {
        workdir.destroy().with_context(|| context.clone())?;
        verify::nothing_left(&workdir, "us-east-1", &GROUPS).context(context)?;
        return no_lock(workdir.path());
    }
    apply_with_imports(&workdir).with_context(|| context.clone())?;
    whole(&workdir).context(context)
}

fn ended_as_signalled(ended: &Ended, fault: Fault, proxy: &Proxy) -> Result<()> {
    let (code, injection) = (ended.code(), proxy.injection());
    ensure!(
        injection.allows(fault.signal, code),
        "{injection:?}, and ended with {code}:\n{}",
        ended.text
    );
    Ok(())
}

/// What follows an interrupted destroy: another destroy, or an apply. Each request meets both.
fn destroys_again(fault: Fault) -> bool {
    let crossed = (fault.signal == FaultSignal::Kill) != (fault.moment == Moment::BeforeAnswer);
    crossed != fault.request.is_multiple_of(2)
}

/// Applies until it succeeds; a failure must hold import blocks, which are put into the configuration.
pub(super) fn apply_with_imports(workdir: &Workdir) -> Result<()> {
    apply_with_more_imports(workdir, String::new())
}

/// The same with these blocks from the beginning.
pub(super) fn apply_with_more_imports(workdir: &Workdir, mut blocks: String) -> Result<()> {
    if !blocks.is_empty() {
        workdir.write("import.tf", &blocks)?;
    }
    for _ in 0..ROUNDS_MAX {
        let ended = workdir.run(&APPLY)?;
        if ended.code() == 0 {
            workdir.remove("import.tf");
            return Ok(());
        }
        let more = import_blocks(&ended.text)?;
        ensure!(
            !more.is_empty(),
            "apply fails and prints no import block:\n{}",
            ended.text
        );
        blocks += &more;
        workdir.write("import.tf", &blocks)?;
    }
    bail!("apply still fails with\n{blocks}")
}

/// The import blocks of all errors, each with the address that its error names in place of `TYPE.NAME`.
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

/// Every object exists once, and events arrive.
fn whole(workdir: &Workdir) -> Result<()> {
    workdir.plan_empty()?;
    ensure!(workdir.companion.scalr().connections()?.len() == 1);
    let bus = workdir.attribute("scalr_eventbridge_bus.this", "name")?;
    ensure!(workdir.aws().buses()? == std::slice::from_ref(&bus));
    ensure!(workdir.aws().rules(&bus)?.len() == 2);
    for rule in ["scalr-AuditLog", "scalr-RunExecuted"] {
        let targets = workdir.aws().targets(&bus, rule)?;
        ensure!(targets.len() == 1, "{rule} has {targets:?}");
    }
    let mut groups = workdir.aws().groups()?;
    groups.sort();
    ensure!(groups == GROUPS, "{groups:?}");
    verify::arrives(workdir, GROUPS[1], "RunExecuted")?;
    no_lock(workdir.path())
}

fn no_lock(folder: &Path) -> Result<()> {
    let lock = folder.join(".terraform.tfstate.lock.info");
    ensure!(!lock.exists(), "the state is still locked");
    Ok(())
}
