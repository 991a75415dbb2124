//! An engine on a disk that ends in the middle of a step, that is full, or that cannot be read for a while.

use std::fs::File;
use std::io;
use std::path::Path;
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

/// A disk with injected failures.
#[derive(Debug)]
pub(crate) struct Flaky {
    /// So many steps succeed; the last is done by half, and none after it.
    pub(crate) steps: AtomicUsize,
    /// Writes longer than this find no room; half of such a write is done.
    pub(crate) room: AtomicUsize,
    pub(crate) syncs: AtomicUsize,
    /// What waits: nothing, all writes, or the end of reading the directory.
    held: Mutex<Held>,
    released: Condvar,
}

impl Flaky {
    pub(crate) fn new() -> Arc<Self> {
        let never = || AtomicUsize::new(NEVER);
        Arc::new(Self {
            steps: never(),
            room: never(),
            syncs: never(),
            held: Mutex::new(Held::Nothing),
            released: Condvar::new(),
        })
    }

    /// Holds what is named, and releases what was held.
    pub(crate) fn hold(&self, held: Held) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }

    fn wait_while(&self, which: Held) {
        let held = self.held.lock().unwrap();
        drop(self.released.wait_while(held, |held| *held == which).unwrap());
    }

    pub(crate) fn dies_after(steps: usize) -> Arc<Self> {
        let disk = Self::new();
        disk.steps.store(steps, Ordering::SeqCst);
        disk
    }

    /// Whether this step is done, and whether the machine dies in the middle of it.
    fn step(&self) -> io::Result<bool> {
        match self.steps.load(Ordering::SeqCst) {
            0 => Err(io::Error::other("the machine is off")),
            NEVER => Ok(false),
            left => {
                self.steps.store(left - 1, Ordering::SeqCst);
                Ok(left == 1)
            }
        }
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
        let full = bytes.len() > self.room.load(Ordering::SeqCst);
        if dies || full {
            Machine.append(file, &bytes[..bytes.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Machine.append(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        if self.syncs.load(Ordering::SeqCst) == 0 {
            return Err(io::Error::other("a block cannot be written"));
        }
        // A real sync would only slow the tests down.
        let _ = file;
        Ok(())
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.step()?;
        Machine.cut(file, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Machine.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Machine.remove(path)
    }

    /// The last step of reading the directory.
    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        let _ = folder;
        self.wait_while(Held::Readers);
        self.step().map(drop)
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
