//! The companion that the demo runs against, as a process of its own.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Session;
use crate::shell;

/// The file with what it says while it runs.
pub(super) const LOG: &str = "companion.log";
const READY: Duration = Duration::from_mins(2);
const STOPPED: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running companion and the line it printed.
pub(crate) struct Companion {
    child: Child,
    line: Value,
}

impl Companion {
    /// Starts it and waits for its line.
    pub(crate) fn start(session: &Session) -> Result<Self> {
        let mut command = Command::new(session.companion());
        command.args([
            "dev",
            "--json",
            "--scalr-listen",
            "127.0.0.1:0",
            "--aws-listen",
            "127.0.0.1:0",
            "--data-dir",
        ]);
        command.arg(session.folder.join("data"));
        let out = session.log("companion.json");
        println!(
            "$ {} > {} &",
            shell::spell(&command),
            shell::quote(&out.to_string_lossy())
        );
        // Its own process group: Ctrl-C must reach the tool alone, which still needs the servers while it stops.
        command.process_group(0).stdin(Stdio::null());
        command
            .stdout(File::create(&out)?)
            .stderr(File::create(session.log(LOG))?);
        let mut starting = Starting(Some(command.spawn()?));
        let started = Instant::now();
        while started.elapsed() < READY && !session.interrupted() {
            let text = std::fs::read_to_string(&out)?;
            if let Some(line) = text.lines().next().filter(|_| text.ends_with('\n')) {
                println!("{line}");
                let line = serde_json::from_str(line).context("its line is not JSON")?;
                let child = starting.0.take().context("it is not running")?;
                return Ok(Self { child, line });
            }
            if let Some(status) = starting.ended()? {
                bail!("it ended with {status}: see {}", session.log(LOG).display());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        bail!("it is not ready after {READY:?}")
    }

    pub(super) fn text(&self, pointer: &str) -> &str {
        self.line
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What the tool, the companion's commands and the `aws` command line need to find the servers.
    pub(crate) fn environment(&self, session: &Session) -> Vec<(&'static str, String)> {
        let text = |pointer: &str| self.text(pointer).to_owned();
        vec![
            ("SCALR_HOSTNAME", text("/scalr/hostname")),
            ("SCALR_TOKEN", text("/scalr/token")),
            ("AWS_ENDPOINT_URL", text("/aws/endpoint")),
            ("AWS_REGION", text("/aws/region")),
            // The `aws` command line, version 1, reads only this one.
            ("AWS_DEFAULT_REGION", text("/aws/region")),
            ("AWS_ACCESS_KEY_ID", text("/aws/account_id")),
            ("AWS_SECRET_ACCESS_KEY", "not-checked".to_owned()),
            ("TF_VAR_workspace_id", text("/scalr/workspace_id")),
            (
                "TF_CLI_CONFIG_FILE",
                session.folder.join("cli.tfrc").to_string_lossy().into_owned(),
            ),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
        ]
    }

    /// Prints the environment as a shell takes it.
    pub(super) fn print_environment(&self, session: &Session) {
        for (name, value) in self.environment(session) {
            println!("$ export {name}={}", shell::quote(&value));
        }
    }

    /// Says how to use what is left running.
    pub(super) fn keep(&self, session: &Session) {
        let folder = session.folder.join("quickstart");
        let companion = session.companion();
        println!("\n== everything is left running; in a shell of yours:");
        self.print_environment(session);
        println!("$ cd {}", shell::quote(&folder.to_string_lossy()));
        println!("$ {} plan", session.tool.display());
        println!(
            "$ {} run {}",
            companion.display(),
            self.text("/scalr/workspace_id")
        );
        println!("$ {} tail /aws/events/scalr/RunExecuted", companion.display());
        println!("$ aws events list-event-buses");
        println!("$ aws logs tail /aws/events/scalr/AuditLog");
        println!("and to end it:\n$ kill {}", self.child.id());
    }

    /// Stops it: SIGTERM, and SIGKILL if it does not end in time.
    pub(crate) fn stop(mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let asked = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        let started = Instant::now();
        while asked && started.elapsed() < STOPPED {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A companion that has not printed its line yet: whatever fails until then kills it.
struct Starting(Option<Child>);

impl Starting {
    fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.0.as_mut().map_or(Ok(None), Child::try_wait)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::test_kill_process;

    use super::*;

    #[test]
    fn a_companion_that_does_not_get_ready_is_killed() -> Result<()> {
        // Without an end of its input it runs on.
        let mut command = Command::new("cat");
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.context("a process has an id")?;
        assert_eq!(test_kill_process(pid), Ok(()));
        drop(Starting(Some(child)));
        assert!(test_kill_process(pid).is_err());
        drop(input);
        Ok(())
    }
}
