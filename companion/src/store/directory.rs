//! The data directory: used by one process at a time, readable by its owner only.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::error::{Result, StoreError};

/// The lock file of the one process that uses a data directory.
const LOCK: &str = "companion.lock";

/// The lock on a data directory, held for as long as this value lives.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

/// Locks this directory against other processes, creating it if needed, readable by its owner only.
pub(crate) fn lock(dir: &Path) -> Result<DirLock> {
    let failed = |source| StoreError::Directory {
        path: dir.to_owned(),
        source,
    };
    create_private(dir).map_err(failed)?;
    let file = File::create(dir.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(DirLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Creates a file that only its owner can read, if there is none: the database holds the token.
#[cfg(unix)]
pub(super) fn create_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
pub(super) fn create_private_file(path: &Path) -> std::io::Result<()> {
    File::options().create(true).append(true).open(path).map(drop)
}

#[cfg(unix)]
fn create_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}
