//! `exec`: runs a command against servers of its own, which end with it.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::dev::{self, Opened, Servers};
use super::signals::Signals;
use super::{exit, hint};

/// The exit code where the servers did not start, or ended before the command. The command's own codes are passed on.
const OWN: u8 = 125;
/// The command cannot be started, as in a shell.
const NOT_EXECUTABLE: u8 = 126;
/// There is no such command, as in a shell.
const NOT_FOUND: u8 = 127;
/// Whose variables the command gets from here alone: a token or a host of the caller's would lead it elsewhere.
const REPLACED: &str = "SCALR_";
/// What this program itself reads.
const KEPT: &str = "SCALR_EVENTBRIDGE_";
/// Those of AWS's tools, which are replaced with a local AWS: a profile or an endpoint of the caller's would lead the command
/// to the real one. Where the AWS is a real one they say which account it is, and stay.
const REPLACED_FOR_LOCAL_AWS: &str = "AWS_";
const PROXY_EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  scalr-eventbridge exec -- terraform test
  scalr-eventbridge exec -- sh -c 'tofu apply -auto-approve && tofu destroy -auto-approve'

Exit codes:
  the command's own; 128 and the signal's number where a signal ended it
  2    the line of `exec` itself is wrong, such as an unknown option, or a setting is refused
  125  the servers did not start, or ended before the command
  126  the command cannot be started
  127  there is no such command")]
pub(super) struct Args {
    #[command(flatten)]
    servers: Servers,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) async fn main(args: Args) -> ExitCode {
    let code = run(args).await.unwrap_or_else(|error| {
        hint::complain(&error);
        if exit::is_setting(&error) {
            exit::USAGE
        } else {
            OWN
        }
    });
    ExitCode::from(code)
}

async fn run(args: Args) -> anyhow::Result<u8> {
    // Before the command starts, so that no signal ends this process and leaves the command without servers.
    let mut signals = Signals::listen().context("signals cannot be handled")?;
    let opened = dev::open(&args.servers).await?;
    let mut command = command(&args, &opened);
    let stop = CancellationToken::new();
    let servers = opened.serve(stop.clone());
    tokio::pin!(servers);
    let mut child = match signals.spawn(&mut command) {
        Ok(child) => child,
        Err(error) => return Ok(not_started(&args.command, error)),
    };
    let status = tokio::select! {
        ended = wait(&mut child, &mut signals) => ended?,
        served = &mut servers => {
            signals.end(&child);
            wait(&mut child, &mut signals).await?;
            served?;
            bail!("the servers have ended before the command");
        }
    };
    stop.cancel();
    Ok(after(status, servers.await))
}

/// The command's code, also where the servers did not end as they should: what the command has done stays done.
fn after(status: ExitStatus, servers: anyhow::Result<()>) -> u8 {
    if let Err(error) = servers {
        let error = format!("{error:#}");
        tracing::error!(
            error,
            "the servers did not end as they should, after the command had ended"
        );
    }
    code(status)
}

/// Waits for the command, and passes on each signal that it has not got itself. However long it takes to stop, the servers stay.
async fn wait(child: &mut Child, signals: &mut Signals) -> std::io::Result<ExitStatus> {
    loop {
        let signal = tokio::select! {
            ended = child.wait() => return ended,
            signal = signals.next() => signal,
        };
        signals.pass_on(signal, child);
    }
}

fn command(args: &Args, opened: &Opened) -> Command {
    let mut words = args.command.iter();
    let mut command = Command::new(words.next().map_or_else(|| OsStr::new(""), OsString::as_os_str));
    command.args(words);
    for (name, _) in std::env::vars_os() {
        if is_replaced(&name, opened.has_local_aws()) {
            command.env_remove(name);
        }
    }
    command.envs(opened.variables(&args.servers));
    command.env("TF_VAR_workspace_id", opened.installation().workspace_id.as_str());
    if opened.has_local_aws() {
        let set = PROXY_EXCEPTIONS.map(|name| std::env::var(name).unwrap_or_default());
        let exceptions = without_proxy(&set);
        command.envs(PROXY_EXCEPTIONS.map(|name| (name, exceptions.clone())));
    }
    command
}

fn is_replaced(name: &OsStr, has_local_aws: bool) -> bool {
    let name = name.to_string_lossy();
    let of_scalr = name.starts_with(REPLACED) && !name.starts_with(KEPT);
    of_scalr || has_local_aws && name.starts_with(REPLACED_FOR_LOCAL_AWS)
}

/// The hosts that are reached without a proxy: those that were set, in either spelling, and loopback.
fn without_proxy(set: &[String]) -> String {
    let hosts = set.iter().flat_map(|list| list.split(','));
    let hosts = hosts.map(str::trim).filter(|host| !host.is_empty());
    let mut all: Vec<&str> = Vec::new();
    for host in hosts.chain(["127.0.0.1", "localhost"]) {
        if !all.contains(&host) {
            all.push(host);
        }
    }
    all.join(",")
}

fn not_started(command: &[OsString], error: std::io::Error) -> u8 {
    let name = command
        .first()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let code = match error.kind() {
        ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_EXECUTABLE,
    };
    hint::complain(&anyhow::Error::from(error).context(format!("cannot start `{name}`")));
    code
}

/// The exit code as a shell gives it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or(signal);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(OWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_command_that_a_signal_ended_has_the_code_of_a_shell() {
        use std::os::unix::process::ExitStatusExt as _;
        for (raw, wanted) in [
            (0, 0),
            (1 << 8, 1),
            (255 << 8, 255),
            (2, 130),
            (9, 137),
            (15, 143),
        ] {
            assert_eq!(code(ExitStatus::from_raw(raw)), wanted, "{raw}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn servers_that_do_not_end_as_they_should_leave_the_code_alone() {
        use std::os::unix::process::ExitStatusExt as _;
        for (raw, wanted) in [(0, 0), (7 << 8, 7), (15, 143)] {
            let failed = Err(anyhow::anyhow!("the disk is full"));
            assert_eq!(after(ExitStatus::from_raw(raw), failed), wanted, "{raw}");
        }
    }

    #[test]
    fn a_command_that_does_not_start_has_the_code_of_a_shell() {
        for (kind, wanted) in [
            (ErrorKind::NotFound, 127),
            (ErrorKind::PermissionDenied, 126),
            (ErrorKind::OutOfMemory, 126),
        ] {
            assert_eq!(not_started(&["x".into()], kind.into()), wanted, "{kind}");
        }
    }

    #[test]
    fn variables_that_lead_elsewhere_are_replaced() {
        for (name, with_local_aws, with_real_aws) in [
            ("AWS_PROFILE", true, false),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", true, false),
            ("SCALR_TOKEN", true, true),
            ("SCALR_EVENTBRIDGE_LOG", false, false),
            ("PATH", false, false),
            ("TF_VAR_aws", false, false),
        ] {
            for (is_local, wanted) in [(true, with_local_aws), (false, with_real_aws)] {
                let replaced = is_replaced(OsStr::new(name), is_local);
                assert_eq!(replaced, wanted, "{name}, local: {is_local}");
            }
        }
    }

    #[test]
    fn loopback_is_reached_without_a_proxy() {
        let check = |set: [&str; 2], wanted: &str| {
            assert_eq!(without_proxy(&set.map(str::to_owned)), wanted, "{set:?}");
        };
        check(["", ""], "127.0.0.1,localhost");
        check(["a.example, localhost", ""], "a.example,localhost,127.0.0.1");
        check(
            ["a.example", "a.example,b.example"],
            "a.example,b.example,127.0.0.1,localhost",
        );
    }
}
