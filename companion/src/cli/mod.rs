//! The command line. One file a command.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! assumptions exit fields given jq log_filter loopback out progress signals usage  what the local AWS assumes; exit codes; fields of
//!                                                   events; values of options; filters of events and of the log; which URLs are on this machine; stdout
//!                                                   and stderr; long waits; a command's signals; the usage line of a mistake
//! answering aws hint hosting remote settings show   AWS's and Scalr's settings and clients, and what answers as AWS; the next step after a failure; how
//!                                                   Scalr's side is served, and its settings; tables and JSON
//! chain event_source local_aws log_groups lookup reach readable  what events pass; event sources at AWS; what the local AWS has beyond AWS; log groups;
//!                                                   objects by name; whether an event can arrive; events as lines
//! accounts                                          the accounts of a companion
//! audit_log aws_local connections deliveries dev doctor emit events exec export local_clock manual pattern run runs serve status tail tokens  one command a file, or a folder
//! ```

mod accounts;
mod answering;
mod assumptions;
mod audit_log;
mod aws;
mod aws_local;
mod chain;
mod connections;
mod deliveries;
mod dev;
mod doctor;
mod emit;
mod event_source;
mod events;
mod exec;
mod exit;
mod export;
mod fields;
mod given;
mod hint;
mod hosting;
mod jq;
mod local_aws;
mod local_clock;
mod log_filter;
mod log_groups;
mod lookup;
mod loopback;
mod manual;
mod out;
mod pattern;
mod progress;
mod reach;
mod readable;
mod remote;
mod run;
mod runs;
mod serve;
mod settings;
mod show;
mod signals;
mod status;
mod tail;
#[cfg(test)]
mod testing;
mod tokens;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::panics;
use crate::secrets::Redacted;

/// Scalr's side of the AWS EventBridge integration, with a local AWS to run it against.
#[derive(Parser)]
#[command(name = "scalr-eventbridge", version, arg_required_else_help = true, after_help = exit::HELP)]
struct Cli {
    /// What is logged on stderr, such as `info` or `scalr_eventbridge=debug`.
    #[arg(
        long,
        global = true,
        env = "SCALR_EVENTBRIDGE_LOG",
        default_value = log_filter::DEFAULT,
        value_name = "FILTER",
        display_order = 100
    )]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run Scalr's API and a local AWS in one process; nothing needs to be configured.
    Dev(dev::Args),
    /// Run Scalr's API as a service: several accounts, AWS itself, and no local AWS.
    Serve(serve::Args),
    /// Run a command against Scalr's API and a local AWS that are started for it and end with it.
    ///
    /// The command finds both by its environment: variables that begin with `SCALR_` are replaced, with a local AWS those that begin with `AWS_`
    /// too, and `TF_VAR_workspace_id` is the workspace in which runs can be started. Ctrl-C, SIGTERM, SIGHUP and SIGQUIT reach the command; the
    /// servers stay until it has ended.
    Exec(exec::Args),
    /// Run only the local AWS.
    AwsLocal(aws_local::Args),
    /// Show the chain of each connection, from Scalr to its log groups, and which link is broken.
    Status(status::Args),
    /// Check the settings, whether both sides answer, the clock, and permissions.
    Doctor(doctor::Args),
    /// List, show, create, refresh, pause, resume and delete connections.
    #[command(subcommand)]
    Connections(connections::What),
    /// Show or choose the connection that receives the audit log.
    #[command(subcommand)]
    AuditLog(audit_log::What),
    /// List runs, or start one.
    #[command(subcommand)]
    Runs(runs::What),
    /// Start a run in a workspace, and wait until it is over, or until its event has arrived.
    Run(run::Args),
    /// Send an event as if it had just happened, and say what becomes of it.
    #[command(subcommand)]
    Emit(emit::What),
    /// List or show the events of the local AWS, with their rules and targets.
    #[command(subcommand)]
    Events(events::What),
    /// Show or move the clock of the local AWS.
    #[command(subcommand)]
    Clock(local_clock::What),
    /// List or show what is held, has failed, was dropped or delivered; send it again, or purge it.
    #[command(subcommand)]
    Deliveries(deliveries::What),
    /// List, create, disable and enable the accounts of a companion.
    #[command(subcommand)]
    Accounts(accounts::What),
    /// List, create and revoke the tokens that admit callers to a companion.
    #[command(subcommand)]
    Tokens(tokens::What),
    /// Write what Scalr and AWS have of the integration as HCL with `import` blocks.
    Export(export::Args),
    /// Print the events of a log group.
    Tail(tail::Args),
    /// Work with event patterns.
    #[command(subcommand)]
    Pattern(pattern::What),
    /// Print what completes this program's commands in a shell.
    Completions(manual::CompletionsArgs),
    /// Print a manual page, or write all of them.
    Man(manual::ManArgs),
}

/// The command line, as it is parsed and shown.
fn program() -> clap::Command {
    settings::with_variables(Cli::command())
}

/// Runs the command that the arguments name.
pub(crate) async fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let program = match settings::with_file(program(), &args) {
        Ok(program) => program,
        Err(error) => return failed(&error),
    };
    let matches = program.command.clone().try_get_matches_from(args);
    let matches = matches.unwrap_or_else(|error| misread(error).exit());
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| misread(error).exit());
    if let Err(error) = log_to_stderr(&cli.log) {
        return failed(&error);
    }
    match program.print(&matches) {
        Ok(false) => {}
        printed => return printed.map_or_else(|error| failed(&error), |_| ExitCode::SUCCESS),
    }
    panics::install();
    let done = match cli.command {
        Command::Dev(args) => dev::main(args, stop_on_signal()).await.map(succeeded),
        Command::Serve(args) => Box::pin(serve::main(args, stop_on_signal())).await.map(succeeded),
        Command::Exec(args) => Ok(exec::main(args).await),
        Command::AwsLocal(args) => aws_local::main(args, stop_on_signal()).await.map(succeeded),
        Command::Connections(what) => connections::main(what).await.map(succeeded),
        Command::Run(args) => run::main(args).await.map(succeeded),
        Command::Status(args) => Box::pin(status::main(&args)).await,
        Command::Doctor(args) => Box::pin(doctor::main(&args, self::program())).await,
        Command::AuditLog(what) => audit_log::main(what).await.map(succeeded),
        Command::Runs(what) => runs::main(what).await.map(succeeded),
        Command::Emit(what) => emit::main(what).await,
        Command::Events(what) => events::main(what).await.map(succeeded),
        Command::Clock(what) => local_clock::main(what).await.map(succeeded),
        Command::Deliveries(what) => deliveries::main(what).await.map(succeeded),
        Command::Accounts(what) => accounts::main(what).await.map(succeeded),
        Command::Tokens(what) => tokens::main(what).await.map(succeeded),
        Command::Export(args) => export::main(args, stop_on_signal()).await.map(succeeded),
        Command::Tail(args) => tail::main(args, stop_on_signal()).await.map(succeeded),
        Command::Pattern(what) => pattern::main(what),
        Command::Completions(args) => manual::completions(&args, self::program()).map(succeeded),
        Command::Man(args) => manual::man(&args, self::program()).map(succeeded),
    };
    match done {
        Ok(code) => code,
        // The reader of our output has closed it.
        Err(error) if out::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// What clap says of a command line, in the words of the command that was meant.
fn misread(error: clap::Error) -> clap::Error {
    let args = std::env::args_os;
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(why) = local_clock::backwards(args())
    {
        return usage::named(program(), args()).error(ErrorKind::InvalidValue, why);
    }
    let error = usage::without_tip_of_dashes(error, &usage::named(program(), args()));
    usage::with_usage_of_help(error, program(), args())
}

fn succeeded((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn failed(error: &anyhow::Error) -> ExitCode {
    hint::complain(error);
    exit::code(error)
}

fn log_to_stderr(filter: &str) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(log_filter::read(filter)?)
        // The SDK logs answers as they come.
        .with_writer(|| Redacted(std::io::stderr()))
        .init();
    Ok(())
}

/// Cancelled by SIGTERM or Ctrl-C. A second one ends the process at once.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        if let Err(error) = signalled().await {
            tracing::error!(%error, "signals cannot be handled");
            return;
        }
        token.cancel();
        if signalled().await.is_ok() {
            std::process::exit(130);
        }
    });
    stop
}

#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::program().debug_assert();
    }
}
