//! A socket that only this user can reach: mode 0600 in a folder of mode 0700.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use super::folder::{self, READY, UNREADY, Unusable};
use crate::log;

/// A listening socket; its folder goes with it.
pub(super) struct Socket {
    listener: UnixListener,
    folder: PathBuf,
    path: PathBuf,
}

impl Socket {
    /// Listens in a new folder below the first of these that can hold one; else says what is wrong with each.
    pub(super) fn listen(bases: &[PathBuf]) -> Result<Self, Vec<Unusable>> {
        let mut tried = Vec::new();
        for base in bases {
            match Self::listen_below(base) {
                Ok(socket) => {
                    for unusable in tried {
                        warn_of(&unusable, base);
                    }
                    return Ok(socket);
                }
                Err(unusable) => tried.push(unusable),
            }
        }
        Err(tried)
    }

    fn listen_below(base: &Path) -> Result<Self, Unusable> {
        let folder = folder::make(base)?;
        let (unready, path) = (folder.join(UNREADY), folder.join(READY));
        let bound = UnixListener::bind(&unready).and_then(|listener| {
            fs::set_permissions(&unready, fs::Permissions::from_mode(0o600))?;
            fs::rename(&unready, &path)?;
            Ok(listener)
        });
        match bound {
            Ok(listener) => Ok(Self {
                listener,
                folder,
                path,
            }),
            Err(error) => {
                folder::remove(&folder);
                Err(Unusable::io(base, error))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what killed processes left beside this socket.
    pub(super) async fn remove_abandoned(&self) {
        folder::remove_abandoned(&self.folder).await;
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> UnixStream {
        let (stream, _) = first(async || self.listener.accept().await).await;
        stream
    }
}

fn warn_of(unusable: &Unusable, base: &Path) {
    log::protocol(
        log::Level::Warn,
        "The socket is in another folder than the one for temporary files",
        &[
            ("reason", &unusable.to_string()),
            ("folder", &base.display().to_string()),
        ],
    );
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
        folder::remove(&self.folder);
    }
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
