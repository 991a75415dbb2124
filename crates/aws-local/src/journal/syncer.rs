//! The thread that syncs the journal while the writer syncs the segments. It stays: a thread for each sync costs more than
//! many a sync.

use std::fs::File;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use crate::disk::Disk;

/// The thread, from the first sync on.
pub(super) struct Syncer {
    disk: Arc<dyn Disk>,
    thread: Option<Thread>,
}

struct Thread {
    files: mpsc::Sender<File>,
    synced: mpsc::Receiver<io::Result<()>>,
    handle: JoinHandle<()>,
}

/// A sync that was begun: its end has to be waited for.
#[must_use]
pub(super) struct Begun<'s>(&'s mpsc::Receiver<io::Result<()>>);

impl Begun<'_> {
    pub(super) fn end(self) -> io::Result<()> {
        let stopped = |_| Err(io::Error::other("the thread that syncs the journal panicked"));
        self.0.recv().unwrap_or_else(stopped)
    }
}

impl Syncer {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, thread: None }
    }

    /// Begins a sync; none where no thread can be had, and the caller syncs.
    pub(super) fn begin(&mut self, file: &File) -> Option<Begun<'_>> {
        let file = file.try_clone().ok()?;
        if self.thread.is_none() {
            self.thread = Thread::spawn(Arc::clone(&self.disk)).ok();
        }
        let thread = self.thread.as_ref()?;
        thread.files.send(file).ok()?;
        Some(Begun(&thread.synced))
    }
}

impl Thread {
    fn spawn(disk: Arc<dyn Disk>) -> io::Result<Self> {
        let (files, work) = mpsc::channel::<File>();
        let (done, synced) = mpsc::channel();
        let run = move || {
            for file in work {
                if done.send(disk.sync(&file)).is_err() {
                    return;
                }
            }
        };
        let handle = std::thread::Builder::new().spawn(run)?;
        Ok(Self {
            files,
            synced,
            handle,
        })
    }
}

impl Drop for Syncer {
    /// Waits for the thread: the directory is unlocked only when nothing is written there any more.
    fn drop(&mut self) {
        if let Some(Thread { files, handle, .. }) = self.thread.take() {
            drop(files);
            let _ = handle.join();
        }
    }
}
