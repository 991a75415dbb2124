//! A companion for one case: `scalr-eventbridge dev` on free ports, with its state in a temporary folder.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::aws::Aws;
use crate::calls;
use crate::group::pid_of;
use crate::http;
use crate::paths;
use crate::roots;
use crate::runtime::block_on;
use crate::scalr::Scalr;

const READY: Duration = Duration::from_mins(1);
const STOPPED: Duration = Duration::from_secs(20);

/// The line that the companion prints when it is ready.
#[derive(Clone, Debug)]
pub struct ReadyLine(Value);

impl ReadyLine {
    fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
    /// Scalr's address.
    pub fn hostname(&self) -> &str {
        self.text("/scalr/hostname")
    }
    /// Scalr's bearer token.
    pub fn token(&self) -> &str {
        self.text("/scalr/token")
    }
    /// The Scalr account's id.
    pub fn scalr_account(&self) -> &str {
        self.text("/scalr/account_id")
    }
    /// The Scalr account's name.
    pub fn scalr_account_name(&self) -> &str {
        self.text("/scalr/account_name")
    }
    /// The workspace's id.
    pub fn workspace(&self) -> &str {
        self.text("/scalr/workspace_id")
    }
    /// The local AWS's address.
    pub fn endpoint(&self) -> &str {
        self.text("/aws/endpoint")
    }
    /// The customer's AWS account.
    pub fn aws_account(&self) -> &str {
        self.text("/aws/account_id")
    }
    /// The partner's AWS account.
    pub fn partner_account(&self) -> &str {
        self.text("/aws/partner_account_id")
    }
    /// The default region.
    pub fn region(&self) -> &str {
        self.text("/aws/region")
    }
}

/// A running companion.
pub struct Companion {
    child: Child,
    /// The line it printed when it was ready.
    pub line: ReadyLine,
    data: TempDir,
}

impl Companion {
    /// Starts a companion that holds only its seed data.
    ///
    /// # Errors
    /// When it does not start or does not become ready.
    pub fn start() -> Result<Self> {
        Self::start_logging("warn")
    }

    /// [`Companion::start`], with a log of this level.
    ///
    /// # Errors
    /// When it does not start or does not become ready.
    pub fn start_logging(level: &str) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, level)
    }

    /// Starts a companion on a copy of another one's state.
    ///
    /// # Errors
    /// When the copy fails, or it does not start or become ready.
    pub fn restore(saved: &Path) -> Result<Self> {
        let data = tempfile::tempdir()?;
        paths::copy_tree(saved, data.path())?;
        Self::start_in(data, "warn")
    }

    fn start_in(data: TempDir, level: &str) -> Result<Self> {
        let program = paths::companion();
        ensure!(
            program.is_file(),
            "{} is missing: build it, or run `cargo xtask test`",
            program.display()
        );
        let log = std::fs::File::create(data.path().join("stderr.log"))?;
        let authority = data.path().join("authority.pem");
        roots::write(&authority)?;
        let mut child = Command::new(program)
            .args([
                "dev",
                "--json",
                "--scalr-listen",
                "127.0.0.1:0",
                "--aws-listen",
                "127.0.0.1:0",
                "--log",
                level,
                "--data-dir",
            ])
            .arg(data.path().join("state"))
            .env_clear()
            .env(roots::VARIABLE, authority)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        match first_line(&mut child) {
            Ok(line) => Ok(Self {
                child,
                line: ReadyLine(line),
                data,
            }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                let log = std::fs::read_to_string(data.path().join("stderr.log")).unwrap_or_default();
                Err(error.context(format!("the companion is not ready; its log: {log}")))
            }
        }
    }

    /// AWS's side, as the customer sees it in `region`.
    pub fn aws_in(&self, region: &str) -> Aws {
        Aws::new(self.line.endpoint(), self.line.aws_account(), region)
    }

    /// AWS's side, as the customer sees it in the default region.
    pub fn aws(&self) -> Aws {
        self.aws_in(self.line.region())
    }

    /// Moves the local AWS's clock forward.
    ///
    /// # Errors
    /// When it does not take the call.
    pub fn pass_days(&self, days: u32) -> Result<()> {
        let body = serde_json::json!({ "advance_seconds": u64::from(days) * 86_400 });
        let url = format!("{}/_local/clock", self.line.endpoint());
        let answer = block_on(async { http::client().post(url).json(&body).send().await })?;
        answer.error_for_status()?;
        Ok(())
    }

    /// What topics got, and targets that the local AWS does not have would have got: the ARN and the text.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn invocations(&self) -> Result<Vec<(String, String)>> {
        let url = format!("{}/_local/invocations", self.line.endpoint());
        let answer: Value = block_on(async { http::client().get(url).send().await?.json().await })?;
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let rows = answer["invocations"].as_array().cloned().unwrap_or_default();
        let pair = |row: &Value| (text(row, "target_arn"), text(row, "payload"));
        Ok(rows.iter().map(pair).collect())
    }

    /// Has calls of the local AWS go wrong, until the faults are cleared.
    ///
    /// # Errors
    /// When it refuses the fault.
    pub fn fault_in_aws(&self, fault: &Value) -> Result<()> {
        let request = http::client().post(self.faults_of_aws()).json(fault);
        block_on(async { request.send().await })?.error_for_status()?;
        Ok(())
    }

    /// Has calls of Scalr's API go wrong, until the faults are cleared.
    ///
    /// # Errors
    /// When it refuses the fault.
    pub fn fault_in_scalr(&self, fault: &Value) -> Result<()> {
        let request = http::client()
            .post(self.faults_of_scalr())
            .bearer_auth(self.line.token());
        block_on(async { request.json(fault).send().await })?.error_for_status()?;
        Ok(())
    }

    /// How many calls of both servers have gone wrong by the faults that there are.
    ///
    /// # Errors
    /// When a server does not answer.
    pub fn calls_gone_wrong(&self) -> Result<u64> {
        let mut hit = 0;
        for url in [self.faults_of_aws(), self.faults_of_scalr()] {
            let request = http::client().get(url).bearer_auth(self.line.token());
            let listed: Value = block_on(async { request.send().await?.json().await })?;
            let faults = listed["faults"].as_array().into_iter().flatten();
            hit += faults.filter_map(|fault| fault["hit"].as_u64()).sum::<u64>();
        }
        Ok(hit)
    }

    /// Lets no further call go wrong.
    ///
    /// # Errors
    /// When a server does not take the call.
    pub fn clear_faults(&self) -> Result<()> {
        for url in [self.faults_of_aws(), self.faults_of_scalr()] {
            let request = http::client().delete(url).bearer_auth(self.line.token());
            block_on(async { request.send().await })?.error_for_status()?;
        }
        Ok(())
    }

    fn faults_of_aws(&self) -> String {
        format!("{}/_local/faults", self.line.endpoint())
    }

    fn faults_of_scalr(&self) -> String {
        format!("{}/_companion/faults", self.line.hostname())
    }

    /// Scalr's side.
    pub fn scalr(&self) -> Scalr {
        Scalr::new(self.line.hostname(), self.line.token())
    }

    /// What the companion has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("stderr.log")).unwrap_or_default()
    }

    /// Stops the companion with SIGTERM and returns a folder with a copy of its state.
    ///
    /// # Errors
    /// When it does not end cleanly within a few seconds.
    pub fn stop(mut self) -> Result<PathBuf> {
        calls::collect(self.line.endpoint());
        kill_process(pid_of(&self.child)?, Signal::TERM)?;
        let status = wait(&mut self.child, STOPPED)?;
        ensure!(
            status.success(),
            "the companion ended with {status}: {}",
            self.log()
        );
        let kept = tempfile::tempdir()?.keep();
        paths::copy_tree(self.data.path(), &kept)?;
        Ok(kept)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            calls::collect(self.line.endpoint());
            // Its state is deleted: a clean shutdown would serve nothing.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn first_line(child: &mut Child) -> Result<Value> {
    let out = child.stdout.take().context("the companion has no stdout")?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(out);
        let mut line = String::new();
        let read = reader.read_line(&mut line).map(|_| line);
        // The receiver is dropped only after the wait has failed.
        let _ = send.send(read);
        // Keep the pipe open: a closed one would end the companion at its next print.
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    });
    let line = receive.recv_timeout(READY).context("no line on stdout")??;
    ensure!(!line.is_empty(), "it ended without a line on stdout");
    serde_json::from_str(&line).with_context(|| format!("its line is not JSON: {line}"))
}

fn wait(child: &mut Child, limit: Duration) -> Result<std::process::ExitStatus> {
    let pid = pid_of(child)?;
    let (over, watched) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let expired = watched.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
        if expired {
            let _ = kill_process(pid, Signal::KILL);
        }
        expired
    });
    let status = child.wait()?;
    drop(over);
    if watchdog.join().unwrap_or(false) {
        bail!("the companion ignored SIGTERM for {limit:?}");
    }
    Ok(status)
}
