//! The data directory: where it is, how it is written, and the lock that keeps other processes out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files;
use crate::disk::{DataError, Disk, Machine};

/// A journal is folded into a snapshot when it is this long, or twice the last snapshot or the state if that is more.
const FOLD_BYTES: u64 = 64 * 1024 * 1024;

/// A data directory and how it is written.
#[derive(Debug, Clone)]
pub(crate) struct DataDir {
    pub(crate) path: PathBuf,
    pub(crate) fold_bytes: u64,
    pub(crate) disk: Arc<dyn Disk>,
}

impl DataDir {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            fold_bytes: FOLD_BYTES,
            disk: Arc::new(Machine),
        }
    }
}

/// A data directory, locked for this process as long as this value lives.
#[derive(Debug)]
pub(super) struct LockedDir {
    pub(super) dir: DataDir,
    _lock: File,
}

impl LockedDir {
    pub(super) fn lock(dir: DataDir) -> Result<Self, DataError> {
        let lock = files::lock(&dir.path)?;
        Ok(Self { dir, _lock: lock })
    }
}
