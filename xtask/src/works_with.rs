//! `cargo xtask works-with`: the tools that people use around a provider, in pinned versions, against the provider that cargo
//! has built. Each is a script in `xtask/works-with`; what it finds there is in that folder's README.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::demo::{Companion, Session};
use crate::mirror::{self, Package};
use crate::{places, shell};

/// How the line begins with which a script says that its tool is not here, and how to get it.
const NOT_HERE: &str = "not here: ";

/// Options of `cargo xtask works-with`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the tools whose name holds this.
    name: Option<String>,
    /// Fails where a tool is not here.
    #[arg(long)]
    all: bool,
}

/// What became of one script.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    NotHere(String),
}

/// Runs the scripts and sums up.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted = options.name.as_deref().unwrap_or_default();
    let scripts: Vec<_> = scripts()?
        .into_iter()
        .filter(|script| name(script).contains(wanted))
        .collect();
    if scripts.is_empty() {
        bail!("no tool has `{wanted}` in its name");
    }
    shell::run(shell::build_everything())?;
    let session = session()?;
    let companion = Companion::start(&session)?;
    let outcomes = scripts
        .iter()
        .map(|script| Ok((name(script), outcome(script, &session, &companion)?)))
        .collect::<Result<Vec<_>>>();
    companion.stop();
    sum_up(&outcomes?, options.all)
}

/// The scripts, in order of their names.
fn scripts() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder())?;
    let mut found: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "sh"));
    found.sort();
    Ok(found)
}

fn folder() -> PathBuf {
    places::root().join("xtask/works-with")
}

fn kept() -> PathBuf {
    places::target().join("works-with")
}

fn provider() -> PathBuf {
    places::target().join("debug/terraform-provider-scalr")
}

fn name(script: &Path) -> String {
    script
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A folder with a mirror of the provider, and a CLI configuration that installs from it.
fn session() -> Result<Session> {
    let tool = places::terraform().or_else(places::tofu);
    let tool = tool.context("neither `terraform` nor `tofu` is on the PATH")?;
    let folder = kept().join("session");
    empty(&folder)?;
    let mirror = folder.join("mirror");
    mirror::write(&mirror, &[Package::here(provider())?])?;
    std::fs::write(folder.join("cli.tfrc"), mirror::cli_config(&mirror))?;
    Session::new(tool, folder, places::target().join("debug"))
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(std::fs::create_dir_all(folder)?)
}

fn outcome(script: &Path, session: &Session, companion: &Companion) -> Result<Outcome> {
    println!("\n== {}", name(script));
    let place = kept().join("run").join(name(script));
    empty(&place)?;
    std::fs::create_dir_all(kept().join("bin"))?;
    let mut command = Command::new("sh");
    command
        .arg(script)
        .current_dir(place)
        .envs(companion.environment(session))
        .env("HERE", folder())
        .env("ROOT", places::root())
        .env("BIN", kept().join("bin"))
        .env("PROVIDER", provider())
        .env("TERRAFORM", session.tool());
    let mut absent = None;
    let good = shell::follow(command, |line| {
        println!("{line}");
        absent = absent
            .take()
            .or_else(|| line.strip_prefix(NOT_HERE).map(str::to_owned));
    })?;
    session.check_interrupted()?;
    Ok(match (good, absent) {
        (false, _) => Outcome::Failed,
        (true, None) => Outcome::Passed,
        (true, Some(how)) => Outcome::NotHere(how),
    })
}

fn sum_up(outcomes: &[(String, Outcome)], all: bool) -> Result<()> {
    println!("\n== summary");
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => println!("ok        {name}"),
            Outcome::Failed => println!("failed    {name}"),
            Outcome::NotHere(how) => println!("not here  {name}: {how}"),
        }
    }
    let counts = |outcome: &Outcome| *outcome == Outcome::Failed || all && *outcome != Outcome::Passed;
    let bad: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| counts(outcome))
        .map(|(name, _)| name.as_str())
        .collect();
    if bad.is_empty() {
        return Ok(());
    }
    bail!(
        "{}; their folders are in {}",
        bad.join(", "),
        kept().join("run").display()
    )
}

#[cfg(test)]
mod tests {
    use super::{Outcome, sum_up};

    fn check(outcome: Outcome, passes: bool, passes_with_all: bool) {
        let outcomes = [
            ("other".to_owned(), Outcome::Passed),
            ("tool".to_owned(), outcome),
        ];
        assert_eq!(sum_up(&outcomes, false).is_ok(), passes, "{outcomes:?}");
        assert_eq!(sum_up(&outcomes, true).is_ok(), passes_with_all, "{outcomes:?}");
    }

    #[test]
    fn a_tool_that_is_not_here_fails_where_all_are_wanted() {
        check(Outcome::Passed, true, true);
        check(Outcome::Failed, false, false);
        check(Outcome::NotHere("from its site".to_owned()), true, false);
    }
}
