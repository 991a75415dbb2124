//! A socket that only this user can reach: mode 0600 in a folder of mode 0700.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use crate::log;

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

    /// The next connection.
    pub(super) async fn accept(&self) -> UnixStream {
        let (stream, _) = first(async || self.listener.accept().await).await;
        stream
    }
}

/// How long to wait before retrying an accept that failed, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Retries until the first success, with a pause: without one, a lasting failure would busy a whole core.
async fn first<T>(accept: impl AsyncFn() -> io::Result<T>) -> T {
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                log::protocol(
                    log::Level::Warn,
                    "Cannot accept a connection",
                    &[("error", &error.to_string())],
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What cannot be removed is an empty folder for temporary files.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A new folder that only this user can enter. An existing one is never used: another user may have made it.
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io;

    use tokio::time::{Duration, Instant};

    use super::first;

    #[tokio::test(start_paused = true)]
    async fn a_failure_to_accept_is_paused_for() {
        let begun = Instant::now();
        let tries = Cell::new(0);
        let accepted = first(async || {
            tries.set(tries.get() + 1);
            match tries.get() {
                4 => Ok("connection"),
                _ => Err(io::Error::other("too many open files")),
            }
        })
        .await;
        assert_eq!((accepted, tries.get()), ("connection", 4));
        assert_eq!(begun.elapsed(), Duration::from_millis(300));
    }
}
