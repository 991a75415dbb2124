//! Files that only their owner can read: the journal holds requests as they came, credentials among them.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

#[cfg(unix)]
pub(crate) use unix::{create_dir, make_private};

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A new, empty file; an old one is truncated.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    owner_only(options.write(true).create(true).truncate(true)).open(path)
}

/// A file that is not truncated if it is there.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    owner_only(options.write(true).create(true).truncate(false)).open(path)
}

#[cfg(not(unix))]
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)
}

#[cfg(not(unix))]
pub(crate) fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, DirBuilder};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    use std::path::Path;

    /// What the names of our files begin with.
    const OURS: [&str; 4] = ["lock", "journal", "snapshot", "segment"];

    pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    /// Takes a directory that an earlier version made, or that was there before, from other users: its files, and the
    /// directory itself unless it holds files of others as well.
    pub(crate) fn make_private(dir: &Path) -> io::Result<()> {
        let mut only_ours = true;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = OURS.iter().any(|ours| name.to_string_lossy().starts_with(ours));
            only_ours &= is_ours;
            if is_ours && entry.file_type()?.is_file() {
                restrict(&entry.path(), 0o600)?;
            }
        }
        if only_ours {
            return restrict(dir, 0o700);
        }
        tracing::warn!(
            directory = %dir.display(),
            "the data directory holds other files as well, so its mode stays as it is; the local AWS's own files are \
             readable by their owner only"
        );
        Ok(())
    }

    fn restrict(path: &Path, mode: u32) -> io::Result<()> {
        let mut permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o777 == mode {
            return Ok(());
        }
        permissions.set_mode(mode);
        fs::set_permissions(path, permissions)
    }
}
