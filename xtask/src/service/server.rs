//! A server of its own process, and what the kernel says of it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{places, shell};

/// How long a start may take.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A server of its own process, ended with this value.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) endpoint: String,
}

impl Server {
    /// The CPU time that the process has taken, from the kernel's count.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        cpu(&stat).context("no CPU times in /proc/PID/stat")
    }

    /// The memory that the process has, and the most that it had.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        memory(&status).context("no sizes in /proc/PID/status")
    }
}

/// The memory of a process that is its own.
#[derive(Debug, PartialEq)]
pub(crate) struct Memory {
    pub(crate) now_mib: f64,
    pub(crate) peak_mib: f64,
}

/// What a process's `status` says of its memory.
fn memory(status: &str) -> Option<Memory> {
    let mib = |name: &str| {
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"))?;
        Some(f64::from(value.trim().parse::<u32>().ok()?) / 1024.0)
    };
    Some(Memory {
        now_mib: mib("VmRSS:")?,
        peak_mib: mib("VmHWM:")?,
    })
}

/// The sum of user and system time in a process's `stat`, in ticks of 10 ms. The program's name may hold anything, so what
/// is counted begins after it.
fn cpu(stat: &str) -> Option<Duration> {
    const TICK_MS: u64 = 10;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let mut next = || times.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((next()? + next()?) * TICK_MS))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The companion: this program, or a release build that this makes.
pub(crate) fn companion(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(program) = named {
        return Ok(program.to_owned());
    }
    let product = ["-p", "scalr-eventbridge", "--bin", "scalr-eventbridge"];
    let mut build = shell::cargo(&["build", "--release", "--locked"]);
    build.args(product);
    shell::run(build)?;
    Ok(places::target().join("release/scalr-eventbridge"))
}

/// Starts the program's local AWS.
pub(crate) fn start(program: &Path, data: Option<&Path>) -> Result<Server> {
    start_with(program, data, &[])
}

/// The same with more options.
pub(crate) fn start_with(program: &Path, data: Option<&Path>, more: &[&str]) -> Result<Server> {
    let mut command = Command::new(program);
    command
        .args(["aws-local", "--listen", "127.0.0.1:0", "--json"])
        .args(more);
    if let Some(folder) = data {
        command.arg("--data-dir").arg(folder);
    }
    let (mut server, ready) = launch(command)?;
    let endpoint = ready["aws"]["endpoint"].as_str().context("no endpoint")?;
    endpoint.clone_into(&mut server.endpoint);
    Ok(server)
}

/// Starts this command; the server, whose endpoint is not known yet, and the line of JSON that it printed.
pub(crate) fn launch(command: Command) -> Result<(Server, Value)> {
    println!("$ {}", shell::spell(&command));
    launched(command)
}

/// The same, and the command is not printed.
pub(crate) fn launched(mut command: Command) -> Result<(Server, Value)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().context("no stdout")?;
    let server = Server {
        child,
        endpoint: String::new(),
    };
    let (send, ready) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line).map(|_| line);
        // Nobody waits any more where it took too long.
        let _ = send.send(read);
    });
    let line = ready.recv_timeout(READY_WITHIN);
    let line = line.with_context(|| format!("it does not answer within {READY_WITHIN:?}"))??;
    let ready = serde_json::from_str(&line).context("no line of JSON")?;
    Ok((server, ready))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_times_follow_the_name_of_the_program() {
        let check = |stat: &str, expected: Option<u64>| {
            assert_eq!(cpu(stat), expected.map(Duration::from_millis), "{stat}");
        };
        check(
            "7 (a b) c) S 1 7 7 0 -1 4194304 1 0 0 0 30 12 0 0 20 0",
            Some(420),
        );
        check("7 (a) S 1 7 7 0 -1 4194304 1 0 0 0 30", None);
        check("", None);
    }

    #[test]
    fn memory_is_that_now_and_at_the_peak() {
        let status = "Name:\tVmRSS: 1 kB\nVmPeak:\t  900000 kB\nVmHWM:\t    3072 kB\nVmRSS:\t    1536 kB\n";
        let memory_is = |now_mib, peak_mib| Some(Memory { now_mib, peak_mib });
        assert_eq!(memory(status), memory_is(1.5, 3.0));
        assert_eq!(memory("VmHWM:\t 3072 kB\n"), None);
    }
}
