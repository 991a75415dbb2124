//! A run is started, and its events are printed as they arrive in their log groups.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Session;
use super::companion::Companion;
use crate::shell;

const ARRIVED: Duration = Duration::from_mins(2);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const GROUPS: [&str; 2] = ["/aws/events/scalr/RunExecuted", "/aws/events/scalr/AuditLog"];

/// A `tail` of one log group; dropped, it ends.
struct Tail(Child);

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Follows both log groups, starts a run, and waits for its event and for that of the request that started it.
pub(super) fn watch(session: &Session, companion: &Companion) -> Result<()> {
    let (send, lines) = mpsc::channel();
    let mut tails = Vec::new();
    for group in GROUPS {
        tails.push(tail(session, companion, group, &send)?);
    }
    let mut run = command(
        session,
        companion,
        &["run", companion.text("/scalr/workspace_id")],
    );
    run.args(["--message", "Started by the demo"]);
    println!("$ {}", shell::spell(&run));
    let text = shell::read(run)?;
    print!("{text}");
    let id = text
        .split_whitespace()
        .next()
        .context("the run has no id")?
        .to_owned();
    let mut awaited = vec![("RunExecuted", id.clone()), ("AuditLog", id)];
    let started = Instant::now();
    while !awaited.is_empty() {
        session.check_interrupted()?;
        if started.elapsed() > ARRIVED {
            bail!("not within {ARRIVED:?}: {awaited:?}");
        }
        let Ok(line) = lines.recv_timeout(POLL_INTERVAL) else {
            continue;
        };
        println!("{line}");
        awaited.retain(|(kind, id)| !(line.contains(kind) && line.contains(id)));
    }
    Ok(())
}

fn command(session: &Session, companion: &Companion, args: &[&str]) -> Command {
    let mut command = Command::new(session.companion());
    command.args(args).envs(companion.environment(session));
    command
}

fn tail(session: &Session, companion: &Companion, group: &str, to: &mpsc::Sender<String>) -> Result<Tail> {
    let mut tail = command(session, companion, &["tail", group, "--follow"]);
    println!("$ {} &", shell::spell(&tail));
    let mut child = tail.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().context("tail has no stdout")?;
    let to = to.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                return;
            }
        }
    });
    Ok(Tail(child))
}
