//! Segments without a data directory: in a temporary folder, written by a thread of their own and never synced.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::bounds::{LIMITS, Limits};
use super::files::Files;
use super::folder::Folder;
use super::store::{Segments, Write};
use crate::disk::{Disk, Health, Machine, Progress, Ticket};

/// The writing end. After a write that failed nothing more is written, as with a journal, and all tickets from then on
/// say so; a new pair from [`Temporary::open`] is empty.
#[derive(Debug)]
pub(crate) struct Temporary {
    to_thread: Option<mpsc::Sender<Write>>,
    thread: Option<JoinHandle<()>>,
    progress: watch::Receiver<Progress>,
    appended: u64,
}

impl Temporary {
    /// Logs that are empty. The folder is created with the first record, and removed when this, the logs and all that is
    /// still being read are dropped: not under a lock.
    pub(crate) fn open() -> (Segments, Self) {
        Self::open_on(Arc::new(Machine), LIMITS)
    }

    pub(super) fn open_on(disk: Arc<dyn Disk>, limits: Limits) -> (Segments, Self) {
        let folder = Arc::new(Folder::temporary());
        let files = Files::new(Arc::clone(&folder), disk, false);
        let segments = Segments::new(folder, limits, BTreeMap::new(), 1);
        let (to_thread, work) = mpsc::channel();
        let (sender, progress) = watch::channel(Progress {
            written: 0,
            health: Health::Well,
            snapshot_bytes: 0,
        });
        let thread = std::thread::spawn(move || run(files, &work, &sender));
        let temporary = Self {
            to_thread: Some(to_thread),
            thread: Some(thread),
            progress,
            appended: 0,
        };
        (segments, temporary)
    }

    /// Gives the writer what a change has to write. Called in the order of the changes.
    pub(crate) fn append(&mut self, write: Write) -> Ticket {
        self.appended += 1;
        if let Some(thread) = &self.to_thread {
            // A writer that has stopped has reported why, which tickets see.
            let _ = thread.send(write);
        }
        self.latest()
    }

    /// For a reader of the logs as they are now.
    pub(crate) fn latest(&self) -> Ticket {
        Ticket::new(self.appended, self.progress.clone())
    }
}

/// Writes until no sender is left, or the disk takes no more.
fn run(mut files: Files, work: &mpsc::Receiver<Write>, progress: &watch::Sender<Progress>) {
    for write in work {
        let written = files.write(write).and_then(|()| files.sync());
        files.remove_files();
        if let Err(error) = &written {
            tracing::error!(
                %error,
                "the temporary folder for retained events cannot be written: events are refused until `POST /_local/reset`"
            );
        }
        progress.send_modify(|progress| match written {
            Ok(()) => progress.written += 1,
            Err(_) => progress.health = Health::Refused,
        });
        if progress.borrow().health != Health::Well {
            return;
        }
    }
}

impl Drop for Temporary {
    /// Waits for the writer, so that the folder is not removed under it.
    fn drop(&mut self) {
        drop(self.to_thread.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
