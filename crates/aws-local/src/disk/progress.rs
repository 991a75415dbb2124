//! How far the writer is, and tickets for those who wait for it.

use tokio::sync::watch;

/// How far the writer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The number of the last entry that is on disk.
    pub(crate) written: u64,
    pub(crate) health: Health,
    /// The length of the latest snapshot, where there are snapshots.
    pub(crate) snapshot_bytes: u64,
}

/// Whether the writer still writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// A write failed and was rolled back: the files hold what was written before.
    Refused,
    /// The contents of the files are unknown.
    Broken,
}

/// A queued write: to be waited on before anything of its change leaves the process.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    number: u64,
    durable: watch::Receiver<Progress>,
}

impl Ticket {
    pub(crate) fn new(number: u64, durable: watch::Receiver<Progress>) -> Self {
        Self { number, durable }
    }

    /// The number of the entry.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Waits until the entry is on disk; false when the disk refused it.
    pub(crate) async fn stored(&mut self) -> bool {
        let number = self.number;
        let decided = |progress: &Progress| progress.written >= number || progress.health != Health::Well;
        self.durable
            .wait_for(decided)
            .await
            .is_ok_and(|progress| progress.written >= number)
    }
}
