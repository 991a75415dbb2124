//! An engine on a disk that ends in the middle of a step, that is full, or that cannot be read for a while.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::change::Request;
use crate::config::Config;
use crate::disk::{Disk, Machine};
use crate::engine::Engine;
use crate::journal::{DataDir, DataError};
use crate::model::Service;
use crate::ops::{Answer, Output};

/// A journal of this length is folded.
const FOLD_BYTES: u64 = 2_000;
pub(crate) const NEVER: usize = usize::MAX;

/// What a disk lets wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    Writes,
    Readers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Nobody,
    Somebody,
}

/// What the machine may lose when it dies.
#[derive(Debug, Default)]
struct Unsynced {
    /// Files with bytes that are not synced, by their number, and how long they are on disk; in the order of these bytes.
    files: Vec<(u64, File, u64)>,
    names: Vec<PathBuf>,
}

/// A disk with injected failures.
#[derive(Debug)]
pub(crate) struct Flaky {
    /// So many steps succeed; the last is done by half, and none after it.
    pub(crate) steps: AtomicUsize,
    /// Writes longer than this find no room; half of such a write is done.
    pub(crate) room: AtomicUsize,
    pub(crate) syncs: AtomicUsize,
    unsynced: Mutex<Unsynced>,
    /// What waits: nothing, all writes, or the end of reading the directory.
    held: Mutex<(Held, Waits)>,
    released: Condvar,
}

impl Flaky {
    pub(crate) fn new() -> Arc<Self> {
        let never = || AtomicUsize::new(NEVER);
        Arc::new(Self {
            steps: never(),
            room: never(),
            syncs: never(),
            unsynced: Mutex::default(),
            held: Mutex::new((Held::Nothing, Waits::Nobody)),
            released: Condvar::new(),
        })
    }

    /// Holds what is named, and releases what was held.
    pub(crate) fn hold(&self, held: Held) {
        *self.held.lock().unwrap() = (held, Waits::Nobody);
        self.released.notify_all();
    }

    /// Returns when somebody waits for what is held.
    pub(crate) fn until_somebody_waits(&self) {
        let held = self.held.lock().unwrap();
        let nobody = |held: &mut (Held, Waits)| held.1 == Waits::Nobody;
        drop(self.released.wait_while(held, nobody).unwrap());
    }

    fn wait_while(&self, which: Held) {
        let mut held = self.held.lock().unwrap();
        if held.0 == which {
            held.1 = Waits::Somebody;
            self.released.notify_all();
        }
        let is_held = |held: &mut (Held, Waits)| held.0 == which;
        drop(self.released.wait_while(held, is_held).unwrap());
    }

    pub(crate) fn dies_after(steps: usize) -> Arc<Self> {
        let disk = Self::new();
        disk.steps.store(steps, Ordering::SeqCst);
        disk
    }

    /// Whether this step is done, and whether the machine dies in the middle of it.
    fn step(&self) -> io::Result<bool> {
        // Two threads may sync at the same time.
        let one_less = |left| match left {
            0 | NEVER => None,
            left => Some(left - 1),
        };
        match self
            .steps
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        {
            Ok(left) => Ok(left == 1),
            Err(0) => Err(io::Error::other("the machine is off")),
            Err(_) => Ok(false),
        }
    }

    /// What the machine has lost when it is on again: of the files that were not synced so many of the new bytes are there, in
    /// halves, over and over for one file after the other; and names that were not synced, or not.
    #[cfg(unix)]
    pub(crate) fn lose(&self, halves: &[u64], loses_names: bool) {
        let Unsynced { files, names } = std::mem::take(&mut *self.unsynced.lock().unwrap());
        for ((_, file, synced), halves) in files.iter().zip(halves.iter().cycle()) {
            let length = file.metadata().unwrap().len();
            file.set_len(synced + length.saturating_sub(*synced) * halves / 2)
                .unwrap();
        }
        for name in names.iter().filter(|_| loses_names) {
            // It may have been removed since.
            let _ = std::fs::remove_file(name);
        }
    }

    #[cfg(unix)]
    fn changes(&self, file: &File, bytes: Option<u64>) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let (meta, mut unsynced) = (file.metadata()?, self.unsynced.lock().unwrap());
        let at = unsynced
            .files
            .iter()
            .position(|(number, ..)| *number == meta.ino());
        match (at, bytes) {
            (Some(at), Some(bytes)) => unsynced.files[at].2 = unsynced.files[at].2.min(bytes),
            (None, None) => unsynced.files.push((meta.ino(), file.try_clone()?, meta.len())),
            _ => {}
        }
        Ok(())
    }

    #[cfg(unix)]
    fn synced(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let number = file.metadata()?.ino();
        let mut unsynced = self.unsynced.lock().unwrap();
        unsynced.files.retain(|(other, ..)| *other != number);
        Ok(())
    }

    #[cfg(not(unix))]
    fn changes(&self, _: &File, _: Option<u64>) -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(unix))]
    fn synced(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for Flaky {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        Machine.create(path)
    }

    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.wait_while(Held::Writes);
        let dies = self.step()?;
        self.changes(file, None)?;
        let full = bytes.len() > self.room.load(Ordering::SeqCst);
        if dies || full {
            Machine.append(file, &bytes[..bytes.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Machine.append(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let dies = self.step()?;
        if dies || self.syncs.load(Ordering::SeqCst) == 0 {
            return Err(io::Error::other("a block cannot be written"));
        }
        // A real sync would only slow the tests down.
        self.synced(file)
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.step()?;
        self.changes(file, Some(bytes))?;
        Machine.cut(file, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.unsynced.lock().unwrap().names.push(to.to_owned());
        Machine.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Machine.remove(path)
    }

    /// The last step of reading the directory.
    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        self.wait_while(Held::Readers);
        self.step()?;
        let mut unsynced = self.unsynced.lock().unwrap();
        unsynced.names.retain(|name| name.parent() != Some(folder));
        Ok(())
    }
}

pub(crate) fn data_dir(dir: &Path, disk: Arc<dyn Disk>) -> DataDir {
    DataDir {
        path: dir.to_owned(),
        fold_bytes: FOLD_BYTES,
        disk,
    }
}

pub(crate) fn open(dir: &Path, disk: Arc<dyn Disk>) -> Result<Engine, DataError> {
    Engine::open_at(&Config::default(), Some(&data_dir(dir, disk))).map(|(engine, _)| engine)
}

pub(crate) async fn ask(engine: &Engine, operation: &str, body: Value) -> Answer {
    let (service, name) = operation.split_once('.').unwrap();
    let service = Service::ALL
        .into_iter()
        .find(|one| one.prefix() == service)
        .unwrap();
    let request = Request {
        service,
        operation: name.to_owned(),
        key: None,
        region: "eu-west-1".to_owned(),
        body: body.into(),
        base_url: String::new(),
    };
    engine.call(&request).await.map(Output::into_value)
}

pub(crate) async fn make(engine: &Engine, bus: &str) -> bool {
    ask(engine, "events.CreateEventBus", json!({ "Name": bus }))
        .await
        .is_ok()
}

/// The buses that the test created.
pub(crate) async fn made(engine: &Engine) -> Vec<String> {
    let listed = ask(engine, "events.ListEventBuses", json!({ "NamePrefix": "b-" }))
        .await
        .unwrap();
    let buses = listed["EventBuses"].as_array().unwrap().iter();
    buses
        .map(|bus| bus["Name"].as_str().unwrap().to_owned())
        .collect()
}

/// The whole state, as a snapshot has it.
pub(crate) async fn world(engine: &Engine) -> Value {
    let look = engine.look(|world| serde_json::to_value(world).unwrap());
    look.await.unwrap()
}
