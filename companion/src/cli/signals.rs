//! Signals that are meant for a command which this program runs.
//!
//! A terminal sends Ctrl-C to all processes in its foreground, so there the command stays among them and is sent nothing twice:
//! a second SIGINT has Terraform give up at once. Elsewhere the command leads a process group of its own, and gets each
//! signal from here alone, also where the caller signals the whole group of this process.

use std::io;

use tokio::process::{Child, Command};

#[cfg(unix)]
pub(super) use self::unix::Signals;

#[cfg(unix)]
mod unix {
    use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group};
    use rustix::termios::tcgetpgrp;
    use tokio::signal::unix::{self, SignalKind};

    use super::{Child, Command, io};

    /// SIGINT and SIGTERM, which no longer end this process.
    pub(in crate::cli) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
        at_terminal: bool,
    }

    impl Signals {
        /// Listens from now on.
        pub(in crate::cli) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: unix::signal(SignalKind::interrupt())?,
                terminate: unix::signal(SignalKind::terminate())?,
                at_terminal: at_terminal(),
            })
        }

        /// Starts the command where it gets its signals.
        pub(in crate::cli) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
            if !self.at_terminal {
                command.process_group(0);
            }
            command.spawn()
        }

        /// The next one.
        pub(in crate::cli) async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => Signal::INT,
                _ = self.terminate.recv() => Signal::TERM,
            }
        }

        /// Sends it to the command, unless the terminal has done so.
        pub(in crate::cli) fn pass_on(&self, signal: Signal, child: &Child) {
            let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) else {
                return;
            };
            // A command that has ended needs no signal.
            let _ = match (signal, self.at_terminal) {
                (Signal::INT, true) => Ok(()),
                // As Ctrl-C: plugins of the command ignore it.
                (Signal::INT, false) => kill_process_group(pid, signal),
                _ => kill_process(pid, signal),
            };
        }

        /// Asks the command to end.
        pub(in crate::cli) fn end(&self, child: &Child) {
            self.pass_on(Signal::TERM, child);
        }
    }

    /// Whether this process is in the foreground of a terminal.
    fn at_terminal() -> bool {
        let groups = [
            tcgetpgrp(io::stdin()),
            tcgetpgrp(io::stdout()),
            tcgetpgrp(io::stderr()),
        ];
        groups.into_iter().flatten().any(|group| group == getpgrp())
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Ctrl-C no longer ends this process; the console sends it to the command as well.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }

    pub(super) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }

    pub(super) fn pass_on(&self, (): (), _: &Child) {}

    pub(super) fn end(&self, _: &Child) {}
}
