//! A socket that only this user can reach: mode 0600 in a folder of mode 0700.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// A listening socket; its folder goes with it.
pub(super) struct Socket {
    listener: UnixListener,
    folder: PathBuf,
    path: PathBuf,
}

impl Socket {
    /// Listens in a new folder below PLUGIN_UNIX_SOCKET_DIR, or the folder for temporary files.
    pub(super) fn listen() -> io::Result<Self> {
        let base = std::env::var_os("PLUGIN_UNIX_SOCKET_DIR").filter(|dir| !dir.is_empty());
        let folder = private_folder(&base.map_or_else(std::env::temp_dir, PathBuf::from))?;
        let path = folder.join("s");
        let bound = UnixListener::bind(&path).and_then(|listener| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        });
        match bound {
            Ok(listener) => Ok(Self {
                listener,
                folder,
                path,
            }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What cannot be removed is an empty folder for temporary files.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A new folder that nobody else can enter. One that exists is never taken: someone else may have made it.
fn private_folder(base: &Path) -> io::Result<PathBuf> {
    let mut last = io::ErrorKind::AlreadyExists.into();
    for attempt in 0..100 {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanos = nanos.map_or(0, |since| since.subsec_nanos());
        let folder = base.join(format!("plugin-{}-{nanos:x}-{attempt}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Who started this program; another number once that process is gone.
pub(super) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}
