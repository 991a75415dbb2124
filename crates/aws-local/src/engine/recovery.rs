//! The status of the latest recovery: whether it runs, when it failed, and its thread.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The time after a failed recovery before the next.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Recovery {
    running: bool,
    failed: Option<Instant>,
    thread: Option<JoinHandle<()>>,
}

impl Recovery {
    pub(super) fn is_running(&self) -> bool {
        self.running
    }

    /// Whether the latest one failed less than [`RETRY_AFTER`] ago.
    pub(super) fn has_just_failed(&self) -> bool {
        self.failed.is_some_and(|at| at.elapsed() < RETRY_AFTER)
    }

    pub(super) fn started(&mut self, thread: JoinHandle<()>) {
        self.running = true;
        self.thread = Some(thread);
    }

    pub(super) fn ended(&mut self, well: bool) {
        self.running = false;
        self.failed = (!well).then(Instant::now);
    }

    /// The thread of the latest recovery, which may still drop the old state when the recovery has ended.
    pub(super) fn take_thread(&mut self) -> Option<JoinHandle<()>> {
        self.thread.take()
    }
}
