//! The data directory: used by one process at a time, readable by its owner only.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::error::{Result, StoreError};

/// The lock file of the one process that uses a data directory.
const LOCK: &str = "companion.lock";
/// The folder of the local AWS.
const AWS: &str = "aws";
/// What the names of our files and folders begin with.
const OURS: [&str; 3] = ["companion.", "tls", AWS];

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
        Ok(()) => {
            make_private(dir, &OURS).map_err(failed)?;
            Ok(DirLock { _file: file })
        }
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
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
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

/// Takes a directory that an earlier version made, or that was there before, from other users: its files, since they hold
/// the token, and the directory itself unless it holds files of others as well. The local AWS does so in its own.
#[cfg(unix)]
fn make_private(dir: &Path, ours: &[&str]) -> io::Result<()> {
    let mut only_ours = true;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = name.to_string_lossy();
        if !ours.iter().any(|prefix| name.starts_with(prefix)) {
            only_ours = false;
        } else if kind.is_dir() && name != AWS {
            // Whatever is in it, it is ours.
            make_private(&entry.path(), &[""])?;
        } else if kind.is_file() {
            restrict(&entry.path(), 0o600)?;
        }
    }
    if only_ours {
        return restrict(dir, 0o700);
    }
    tracing::warn!(
        directory = %dir.display(),
        "the data directory holds other files as well, so its mode stays as it is; the companion's own files are readable \
         by their owner only"
    );
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o777 == mode {
        return Ok(());
    }
    permissions.set_mode(mode);
    fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn make_private(_: &Path, _: &[&str]) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// The mode of each path in a directory that holds these files, after it was locked; a path that ends with a slash
    /// is a directory.
    fn check(paths: &[&str], expected: &[(&str, u32)]) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        fs::create_dir(&dir).unwrap();
        for path in paths {
            let at = dir.join(path);
            if path.ends_with('/') {
                fs::create_dir(&at).unwrap();
                fs::set_permissions(&at, fs::Permissions::from_mode(0o755)).unwrap();
            } else {
                fs::write(&at, "x").unwrap();
                fs::set_permissions(&at, fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        drop(lock(&dir).unwrap());
        for (path, mode) in expected {
            let found = fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, *mode, "{path:?} beside {paths:?}");
        }
    }

    #[test]
    fn an_old_directory_is_taken_from_other_users() {
        check(&[], &[("", 0o700), ("companion.lock", 0o600)]);
        check(
            &[
                "companion.sqlite",
                "companion.sqlite-wal",
                "tls/",
                "tls/server.key.der",
                "aws/",
            ],
            &[
                ("", 0o700),
                ("companion.sqlite", 0o600),
                ("companion.sqlite-wal", 0o600),
                ("tls", 0o700),
                ("tls/server.key.der", 0o600),
            ],
        );
    }

    #[test]
    fn what_others_have_there_keeps_its_mode() {
        check(
            &["companion.sqlite", "notes.txt"],
            &[("", 0o755), ("notes.txt", 0o644), ("companion.sqlite", 0o600)],
        );
    }
}
