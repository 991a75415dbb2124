//! A temporary folder that is removed at the end, and those that killed processes left.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::disk::private;

/// What the names of such folders begin with.
const PREFIX: &str = "aws-local-events-";
/// A file that is locked as long as the folder's process lives, and the name under which it is begun, so that nobody finds
/// it unlocked before.
const LOCK: &str = "lock";
const LOCK_BEGUN: &str = "lock.tmp";

/// A folder that only its owner can read.
#[derive(Debug)]
pub(super) struct Scratch {
    dir: TempDir,
    _lock: File,
}

impl Scratch {
    /// A new folder in `parent`. Those of this user there whose process has ended without removing them are removed.
    pub(super) fn create(parent: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = builder.tempdir_in(parent)?;
        let begun = dir.path().join(LOCK_BEGUN);
        let lock = private::create(&begun)?;
        lock.try_lock()?;
        fs::rename(begun, dir.path().join(LOCK))?;
        remove_left(parent, &fs::metadata(dir.path())?);
        Ok(Self { dir, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes what killed processes left in `parent`; what cannot be removed stays.
fn remove_left(parent: &Path, ours: &Metadata) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for path in named.map(|entry| entry.path()) {
        if let Some(_lock) = lock_of_left(&path, ours) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// The lock of a folder of the same user, where no process has it.
fn lock_of_left(path: &PathBuf, ours: &Metadata) -> Option<File> {
    let there = fs::symlink_metadata(path).ok()?;
    if !there.is_dir() || !is_same_owner(&there, ours) {
        return None;
    }
    let lock = File::options().write(true).open(path.join(LOCK)).ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

#[cfg(unix)]
fn is_same_owner(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.uid() == other.uid()
}

#[cfg(not(unix))]
fn is_same_owner(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let parent = TempDir::new().unwrap();
        let used = Scratch::create(parent.path()).unwrap();
        let folder = |name: &str, file: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join(file), "").unwrap();
            path
        };
        let left = folder("aws-local-events-left", LOCK);
        let begun = folder("aws-local-events-begun", LOCK_BEGUN);
        let other = folder("notes", LOCK);
        let file = parent.path().join("aws-local-events-file");
        fs::write(&file, "").unwrap();
        let next = Scratch::create(parent.path()).unwrap();
        assert!(!left.exists());
        for kept in [&begun, &other, &file] {
            assert!(kept.exists(), "{kept:?}");
        }
        let paths = [used.path().to_owned(), next.path().to_owned()];
        assert!(paths.iter().all(|path| path.join(LOCK).exists()));
        drop((used, next));
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
