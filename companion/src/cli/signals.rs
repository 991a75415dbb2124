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

    // As the mask in /proc counts them.
    const HANGUP_BIT: u64 = 1;

    use super::{Child, Command, io};

    /// SIGINT, SIGTERM, SIGQUIT and SIGHUP, which no longer end this process: it ends after the command, and deletes its state.
    pub(in crate::cli) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
        quit: unix::Signal,
        /// Nothing where it is ignored: the command inherits that.
        hangup: Option<unix::Signal>,
        at_terminal: bool,
    }

    impl Signals {
        /// Listens from now on.
        pub(in crate::cli) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: unix::signal(SignalKind::interrupt())?,
                terminate: unix::signal(SignalKind::terminate())?,
                quit: unix::signal(SignalKind::quit())?,
                hangup: hangup()?,
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
                _ = self.quit.recv() => Signal::QUIT,
                () = received(self.hangup.as_mut()) => Signal::HUP,
            }
        }

        /// Sends it to the command, unless the terminal has done so.
        pub(in crate::cli) fn pass_on(&self, signal: Signal, child: &Child) {
            let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) else {
                return;
            };
            // A command that has ended needs no signal.
            let _ = match (signal, self.at_terminal) {
                // Ctrl-C and Ctrl-\.
                (Signal::INT | Signal::QUIT, true) => Ok(()),
                // Plugins do not ignore it, and Terraform needs them to finish.
                (Signal::TERM, _) | (_, true) => kill_process(pid, signal),
                // As a terminal does. Plugins ignore SIGINT; the others end Terraform at once, and would leave its plugins behind.
                (_, false) => kill_process_group(pid, signal),
            };
        }

        /// Asks the command to end.
        pub(in crate::cli) fn end(&self, child: &Child) {
            self.pass_on(Signal::TERM, child);
        }
    }

    /// Listens for SIGHUP, except where this process was started with it ignored, as `nohup` does.
    fn hangup() -> io::Result<Option<unix::Signal>> {
        // Systems without /proc do not say what is ignored.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        if ignores_hangup(&status) {
            return Ok(None);
        }
        unix::signal(SignalKind::hangup()).map(Some)
    }

    fn ignores_hangup(status: &str) -> bool {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & HANGUP_BIT != 0)
    }

    async fn received(signal: Option<&mut unix::Signal>) {
        match signal {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
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

    #[cfg(test)]
    mod tests {
        use super::ignores_hangup;

        #[test]
        fn an_ignored_hangup_is_seen() {
            for (status, wanted) in [
                (
                    "Name:\tx\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000000\n",
                    true,
                ),
                ("SigIgn:\t0000000000001007\n", true),
                ("SigIgn:\t0000000000001006\nSigCgt:\t0000000000000001\n", false),
                ("", false),
            ] {
                assert_eq!(ignores_hangup(status), wanted, "{status}");
            }
        }
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
