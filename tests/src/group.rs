//! A child process in a group of its own, so that a signal reaches it and the plugins it starts, as Ctrl-C does.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// A running process group whose output is being collected.
pub struct Group {
    child: Child,
    started: Instant,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<String>>,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output, then standard error.
    pub text: String,
    /// How long it ran.
    pub took: Duration,
}

impl Ended {
    /// The exit code; a signal counts as 128 plus its number, as in a shell.
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .or_else(|| self.status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1)
    }

    /// The text as one line with single blanks and without the frame of a diagnostic, for searching.
    pub fn flat(&self) -> String {
        flatten(&self.text)
    }
}

/// One line, single blanks, no frame of a diagnostic.
pub fn flatten(text: &str) -> String {
    let bare = text.replace(['│', '╷', '╵'], " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Group {
    /// Starts `command` in a new process group.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let what = command.get_program().to_string_lossy().into_owned();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("{what} does not start"))?;
        let out = child.stdout.take().map(collect);
        let err = child.stderr.take().map(collect);
        Ok(Self {
            child,
            started: Instant::now(),
            out,
            err,
        })
    }

    /// What to signal to reach the whole group.
    ///
    /// # Errors
    /// When the process id is not one.
    pub fn pid(&self) -> Result<Pid> {
        pid_of(&self.child)
    }

    /// Waits for the end; a group that outlives `limit` is killed and that is an error.
    ///
    /// # Errors
    /// When the limit passes or the process cannot be waited for.
    pub fn wait(mut self, limit: Duration) -> Result<Ended> {
        let pid = self.pid()?;
        let (over, watched) = mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            let expired = watched.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
            if expired {
                // Gone already is as good as killed.
                let _ = kill_process_group(pid, Signal::KILL);
            }
            expired
        });
        let status = self.child.wait()?;
        drop(over);
        let expired = watchdog.join().unwrap_or(false);
        let mut text = self.out.take().and_then(|t| t.join().ok()).unwrap_or_default();
        text += &self.err.take().and_then(|t| t.join().ok()).unwrap_or_default();
        if expired {
            bail!("still running after {limit:?}, killed; its output was\n{text}");
        }
        Ok(Ended {
            status,
            text,
            took: self.started.elapsed(),
        })
    }
}

/// A child's process id in the form that signals need.
///
/// # Errors
/// When the process id is not one.
pub fn pid_of(child: &Child) -> Result<Pid> {
    let raw = i32::try_from(child.id())?;
    Pid::from_raw(raw).context("process id 0")
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe ends the text early; what was read still counts.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The processes of a group, with their names as the system has them.
pub fn members(group: Pid) -> Vec<(Pid, String)> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let of = |text: &str| {
        // `PID (NAME) STATE PARENT GROUP …`: a name may hold anything. A zombie has ended.
        let (head, rest) = text.rsplit_once(") ")?;
        let (process, name) = head.split_once(" (")?;
        let mut rest = rest.split(' ');
        let state = rest.next()?;
        let of_group = rest.nth(1)?.parse() == Ok(group.as_raw_nonzero().get());
        let process = Pid::from_raw(process.parse().ok()?)?;
        (of_group && state != "Z").then(|| (process, name.to_owned()))
    };
    folders
        .filter_map(|folder| of(&std::fs::read_to_string(folder.path().join("stat")).ok()?))
        .collect()
}
