//! The folder of a socket: where it is made, what it is called, and the removal of those that killed processes left.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixStream;

/// The socket's name once it listens, and before that. Whoever looks for a process that ended sees a name that listens,
/// or nothing.
pub(super) const READY: &str = "s";
pub(super) const UNREADY: &str = "b";

/// Names begin with this; the process id and a number follow, both short: a socket's path has 107 bytes at most.
const PREFIX: &str = "tfp";
const RADIX: u32 = 36;
const NUMBERS: u32 = RADIX * RADIX * RADIX;

/// How many entries of the folder for temporary files are looked at for what killed processes left.
const ENTRIES_MAX: usize = 10_000;

/// How old a folder without a socket is before its process counts as killed.
const UNREADY_MAX: Duration = Duration::from_mins(1);

/// Where sockets may be: `PLUGIN_UNIX_SOCKET_DIR` alone where the client sets it, else the folder for temporary files, then
/// others.
pub(super) fn bases(env: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(only) = set("PLUGIN_UNIX_SOCKET_DIR") {
        return vec![only];
    }
    let all = [set("TMPDIR"), set("XDG_RUNTIME_DIR"), Some(PathBuf::from("/tmp"))];
    let mut bases: Vec<PathBuf> = Vec::new();
    for base in all.into_iter().flatten() {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    bases
}

/// Why a folder can hold no socket.
#[derive(Debug)]
pub(crate) struct Unusable {
    base: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// The socket's path would have so many bytes.
    TooLong(usize),
    Io(io::Error),
}

impl Unusable {
    pub(super) fn io(base: &Path, error: io::Error) -> Self {
        Self {
            base: base.to_owned(),
            why: Why::Io(error),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.base.display();
        match &self.why {
            Why::TooLong(bytes) => write!(
                f,
                "`{base}` is too long a path, as the socket's own would have {bytes} bytes, more than the system takes"
            ),
            Why::Io(error) => write!(f, "`{base}` cannot be used ({error})"),
        }
    }
}

/// A new folder that only this user can enter. An existing one is never used: another user may have made it.
pub(super) fn make(base: &Path) -> Result<PathBuf, Unusable> {
    let pid = std::process::id();
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = nanos.map_or(0, |since| since.subsec_nanos());
    let mut last = io::ErrorKind::AlreadyExists.into();
    for attempt in 0..100 {
        let folder = base.join(name(pid, nanos.wrapping_add(attempt)));
        let path = folder.join(READY);
        if SocketAddr::from_pathname(&path).is_err() {
            return Err(Unusable {
                base: base.to_owned(),
                why: Why::TooLong(path.as_os_str().as_bytes().len()),
            });
        }
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(Unusable::io(base, error)),
        }
    }
    Err(Unusable::io(base, last))
}

/// Removes a folder with the socket in it. What cannot be removed, or holds something else, stays.
pub(super) fn remove(folder: &Path) {
    for name in [READY, UNREADY] {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|it| it.file_type().is_socket()) {
            // Somebody else may be removing it as well.
            let _ = fs::remove_file(path);
        }
    }
    let _ = fs::remove_dir(folder);
}

/// Removes the folders beside this one whose processes are gone. A process counts as gone where its id is unknown, since
/// its socket would be asked for nothing, and where nobody listens: in a container that shares this folder, it may have an
/// id that is unknown here.
pub(super) async fn remove_abandoned(own: &Path) {
    for folder in abandoned(own) {
        let gone = match UnixStream::connect(folder.join(READY)).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => true,
            // Killed before its socket listened, unless it is about to.
            Err(error) if error.kind() == io::ErrorKind::NotFound => is_old(&folder),
            _ => false,
        };
        if gone {
            remove(&folder);
        }
    }
}

/// This user's folders beside this one, of processes whose ids are unknown.
fn abandoned(own: &Path) -> Vec<PathBuf> {
    let (Some(base), Ok(mine)) = (own.parent(), fs::symlink_metadata(own)) else {
        return Vec::new();
    };
    let entries = fs::read_dir(base).into_iter().flatten().take(ENTRIES_MAX);
    let named = entries.flatten().filter(|entry| {
        let pid = entry.file_name().to_str().and_then(pid_of);
        pid.is_some_and(|pid| !is_running(pid))
    });
    let folders = named.map(|entry| entry.path());
    folders
        .filter(|folder| {
            fs::symlink_metadata(folder)
                .is_ok_and(|it| it.is_dir() && it.uid() == mine.uid() && it.mode() == mine.mode())
        })
        .collect()
}

fn is_old(folder: &Path) -> bool {
    let modified = fs::symlink_metadata(folder).and_then(|it| it.modified());
    modified.is_ok_and(|since| since.elapsed().is_ok_and(|age| age > UNREADY_MAX))
}

/// Whether a process is known to run. Where the system has no `/proc`, its socket says.
fn is_running(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

fn name(pid: u32, number: u32) -> String {
    format!("{PREFIX}{}-{}", short(pid), short(number % NUMBERS))
}

/// The process whose folder has this name.
fn pid_of(name: &str) -> Option<u32> {
    let (pid, number) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let [pid, number] = [pid, number].map(|text| {
        let written = text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        u32::from_str_radix(text, RADIX).ok().filter(|_| written)
    });
    pid.filter(|_| number.is_some_and(|number| number < NUMBERS))
}

/// A number in few letters.
fn short(mut number: u32) -> String {
    let mut letters = Vec::new();
    loop {
        letters.extend(char::from_digit(number % RADIX, RADIX));
        number /= RADIX;
        if number == 0 {
            return letters.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::time::SystemTime;

    use super::*;

    /// No process has this id.
    const NOBODY: u32 = u32::MAX;

    #[test]
    fn names_are_short_and_read_back() {
        for (pid, number) in [(1, 0), (35, 36), (4_194_304, NUMBERS - 1), (NOBODY, u32::MAX)] {
            assert_eq!(pid_of(&name(pid, number)), Some(pid), "{}", name(pid, number));
        }
        assert_eq!(name(4_194_304, NUMBERS - 1).len(), 12);
        for other in [
            "tfp",
            "tfp-",
            "tfp1",
            "tfp-1",
            "tfp1-",
            "tfpA-1",
            "tfp+1-1",
            "tfp1-1000",
            "plugin1-1",
        ] {
            assert_eq!(pid_of(other), None, "{other}");
        }
    }

    #[test]
    fn the_client_chooses_the_folder_else_the_first_that_is_set() {
        for (set, want) in [
            (&[][..], &["/tmp"][..]),
            (&[("TMPDIR", "")], &["/tmp"]),
            (
                &[("TMPDIR", "/a"), ("XDG_RUNTIME_DIR", "/b")],
                &["/a", "/b", "/tmp"],
            ),
            (&[("TMPDIR", "/tmp")], &["/tmp"]),
            (&[("TMPDIR", "/a"), ("PLUGIN_UNIX_SOCKET_DIR", "/c")], &["/c"]),
        ] {
            let env = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let want: Vec<PathBuf> = want.iter().map(PathBuf::from).collect();
            assert_eq!(bases(env), want, "{set:?}");
        }
    }

    #[test]
    fn a_path_that_is_too_long_is_said_and_nothing_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("x".repeat(100));
        fs::create_dir(&long).unwrap();
        let refused = make(&long).unwrap_err().to_string();
        assert!(
            refused.contains("too long") && refused.contains(&*long.to_string_lossy()),
            "{refused}"
        );
        assert_eq!(fs::read_dir(&long).unwrap().count(), 0);
        let missing = make(&dir.path().join("none")).unwrap_err().to_string();
        assert!(missing.contains("cannot be used"), "{missing}");
    }

    /// What is found beside a folder of our own, and whether it stays.
    #[tokio::test]
    async fn only_what_killed_processes_of_this_user_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let own = make(dir.path()).unwrap();
        let mut number = 0;
        let mut folder = |pid: u32| {
            number += 1;
            let folder = dir.path().join(name(pid, number));
            fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
            folder
        };
        let listen = |folder: &Path, name: &str| UnixListener::bind(folder.join(name)).unwrap();
        let age = |folder: &Path| {
            let old = SystemTime::now() - Duration::from_hours(1);
            fs::File::open(folder).unwrap().set_modified(old).unwrap();
        };

        let left = folder(NOBODY);
        drop(listen(&left, READY));
        let unready = folder(NOBODY);
        drop(listen(&unready, UNREADY));
        age(&unready);
        let empty = folder(NOBODY);
        age(&empty);

        let listening = folder(NOBODY);
        let _listener = listen(&listening, READY);
        let about_to_listen = folder(NOBODY);
        let running = folder(std::process::id());
        drop(listen(&running, READY));
        let holds_more = folder(NOBODY);
        drop(listen(&holds_more, READY));
        fs::write(holds_more.join("note"), "").unwrap();
        let open_to_all = folder(NOBODY);
        drop(listen(&open_to_all, READY));
        fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o755)).unwrap();
        let of_another_name = dir.path().join("tfpx");
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&of_another_name)
            .unwrap();
        drop(listen(&of_another_name, READY));
        let link = dir.path().join(name(NOBODY, 0));
        symlink(&of_another_name, &link).unwrap();

        remove_abandoned(&own).await;
        for gone in [left, unready, empty] {
            assert!(!gone.exists(), "{}", gone.display());
        }
        let stays = [
            own,
            listening,
            about_to_listen,
            running,
            holds_more,
            open_to_all,
            of_another_name,
            link,
        ];
        for stays in stays {
            assert!(stays.exists(), "{}", stays.display());
        }
    }
}
