//! The data directory: used by one process at a time, readable by its owner only.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Result, StoreError};

/// The lock file of the one process that uses a data directory.
const LOCK: &str = "companion.lock";
/// The database's file.
pub(super) const DATABASE: &str = "companion.sqlite";
/// All files that are made here.
#[cfg(unix)]
const FILES: [&str; 6] = [
    LOCK,
    DATABASE,
    "companion.new",
    "companion.sqlite-wal",
    "companion.sqlite-shm",
    "companion.sqlite-journal",
];
/// The folders of the certificate and of the local AWS.
#[cfg(unix)]
const FOLDERS: [&str; 2] = ["tls", "aws"];

/// The lock on a data directory, held for as long as this value lives.
#[derive(Debug)]
pub(crate) struct DirLock {
    dir: PathBuf,
    _file: File,
}

impl DirLock {
    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Locks this directory against other processes, creating it if needed. Directory and files are readable by their owner
/// only, also those that an earlier version has made.
pub(crate) fn lock(dir: &Path) -> Result<DirLock> {
    let failed = |source| StoreError::Directory {
        path: dir.to_owned(),
        source,
    };
    create_lasting(dir).map_err(failed)?;
    make_private(dir).map_err(failed)?;
    let path = dir.join(LOCK);
    create_private_file(&path).map_err(failed)?;
    let file = File::options().write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(DirLock {
            dir: dir.to_owned(),
            _file: file,
        }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Locks a directory that has a database, and changes nothing in it; none where there is no database.
pub(crate) fn lock_if_there(dir: &Path) -> Result<Option<DirLock>> {
    let failed = |source| StoreError::Directory {
        path: dir.to_owned(),
        source,
    };
    if !dir.join(DATABASE).try_exists().map_err(failed)? {
        return Ok(None);
    }
    let file = File::options().read(true).open(dir.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(DirLock {
            dir: dir.to_owned(),
            _file: file,
        })),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Creates a directory, if there is none, so that it outlives a loss of power: SQLite syncs what is in it, and not its own entry in the
/// directory above. An earlier process may have ended before it did so.
fn create_lasting(dir: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let made = dir.ancestors().take_while(is_missing).count();
    create_private(dir)?;
    for path in dir.ancestors().take(made.max(1)) {
        sync_entry(path)?;
    }
    Ok(())
}

/// Syncs the directory above, where this process may open it.
#[cfg(unix)]
fn sync_entry(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    match File::open(above.unwrap_or_else(|| Path::new("."))) {
        Ok(above) => above.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn sync_entry(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a file that only its owner can read, if there is none: the database holds the token.
#[cfg(unix)]
pub(super) fn create_private_file(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
pub(super) fn create_private_file(path: &Path) -> io::Result<()> {
    File::options().create(true).append(true).open(path).map(drop)
}

#[cfg(unix)]
fn create_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

/// Corrects the modes of our files, and of the directory where it holds nothing else: one that is shared with others is
/// not ours to close.
#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let close = |path: &Path, mode: u32| match std::fs::metadata(path) {
        // No bit of the group and of others.
        Ok(found) if found.permissions().mode() % 0o100 == 0 => Ok(()),
        Ok(_) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    for file in FILES {
        close(&dir.join(file), 0o600)?;
    }
    let mut is_ours = true;
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        is_ours &= FILES.iter().chain(&FOLDERS).any(|ours| name == **ours);
    }
    if is_ours { close(dir, 0o700) } else { Ok(()) }
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_directory_of_an_earlier_version_is_closed_unless_it_is_shared() {
        for (shared, want) in [(None, 0o700), (Some("notes.txt"), 0o755)] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("state");
            for file in FILES.iter().copied().chain(shared) {
                std::fs::create_dir_all(&dir).unwrap();
                std::fs::write(dir.join(file), "x").unwrap();
                set_permissions(dir.join(file), Permissions::from_mode(0o644)).unwrap();
            }
            std::fs::create_dir(dir.join("aws")).unwrap();
            set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
            let _lock = lock(&dir).unwrap();
            assert_eq!(mode(&dir), want, "{shared:?}");
            for file in FILES {
                assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
            }
        }
    }

    /// What of that a loss of power shows is tried by `cargo xtask chaos --power-loss`.
    #[test]
    fn a_directory_is_made_with_those_above_it_and_may_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b/c");
        for _ in 0..2 {
            create_lasting(&dir).unwrap();
            assert!(dir.is_dir());
        }
        create_lasting(Path::new("/")).unwrap();
        assert!(create_lasting(&folder.path().join("a/\0")).is_err());
    }

    #[test]
    fn a_new_directory_and_its_lock_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("new/state");
        let _lock = lock(&dir).unwrap();
        assert_eq!((mode(&dir), mode(&dir.join(LOCK))), (0o700, 0o600));
    }
}
