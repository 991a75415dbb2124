//! A PostgreSQL server for tests: a real one, in a folder of its own. It ends with the test program, also where that is killed.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// The user that the server runs as where the tests are root's: it refuses to be. `nobody`.
const NOBODY: u32 = 65_534;
/// The role of the server's owner.
pub(crate) const ROLE: &str = "service";
/// Its password.
pub(crate) const PASSWORD: &str = "of-the-tests";

/// Makes the server in the folder `$1` with the programs of `$2` and the settings `$3`, and says so. Once its input ends, which it does
/// with the test program, the server is stopped and the folder deleted.
const SERVE: &str = r#"
set -e
echo "$4" >"$1/password"
"$2/initdb" -D "$1/data" -U "$5" -A scram-sha-256 --pwfile="$1/password" -E UTF8 --no-locale --no-sync >"$1/initdb.log" 2>&1
"$2/pg_ctl" start -s -w -D "$1/data" -l "$1/server.log" -o "-k $1 -c listen_addresses='' -c shared_buffers=16MB $3"
echo ready
cat >/dev/null
"$2/pg_ctl" stop -s -m immediate -D "$1/data" || true
rm -rf "$1"
"#;

/// A server that runs.
pub(crate) struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    script: Child,
}

impl Postgres {
    /// Starts one; none where PostgreSQL is not installed and nobody requires it, which is said.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let is_required = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
            assert!(
                !is_required,
                "no `initdb`: install PostgreSQL (Debian: `apt-get install postgresql`)"
            );
            eprintln!(
                "left out: no `initdb`. Install PostgreSQL for it (Debian: `apt-get install postgresql`)"
            );
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pg-").tempdir().unwrap().keep();
        let mut command = as_owner(&folder, "sh");
        command.args(["-c", SERVE, "sh"]).arg(&folder).arg(&programs);
        command.args([settings, PASSWORD, ROLE]).env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = command.spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(script.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        if line != "ready\n" {
            let log = |name| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            panic!(
                "PostgreSQL does not start: {}{}",
                log("initdb.log"),
                log("server.log")
            );
        }
        Some(Self {
            folder,
            programs,
            script,
        })
    }

    /// Where its socket is, as the host of a URL.
    pub(crate) fn host(&self) -> String {
        self.folder.to_str().unwrap().replace('/', "%2F")
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of its database, with the password.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{ROLE}:{PASSWORD}@{}/postgres", self.host())
    }

    /// Runs `pg_ctl`, such as to restart it.
    pub(crate) fn control(&self, args: &[&str]) -> ExitStatus {
        let mut command = as_owner(&self.folder, self.programs.join("pg_ctl"));
        command.args(args).arg("-D").arg(self.folder.join("data"));
        command
            .arg("-l")
            .arg(self.folder.join("server.log"))
            .stdout(Stdio::null());
        command.status().unwrap()
    }

    /// What `psql` prints of a statement.
    pub(crate) fn psql(&self, statement: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.args([&self.url(), "-X", "-A", "-t", "-c", statement]);
        let ended = command.output().unwrap();
        assert!(
            ended.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
        String::from_utf8(ended.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        drop(self.script.wait());
    }
}

/// A program that runs as the owner of the server's folder.
fn as_owner(folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command
        .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
        .arg(program);
    command
}

/// Where the programs of PostgreSQL are: those of the path, or where Debian has them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_path = std::env::split_paths(&path).map(|folder| folder.join("initdb"));
    let mut of_path = of_path.filter_map(|initdb| initdb.canonicalize().ok());
    let of_path = of_path.find_map(|initdb| Some(initdb.parent()?.to_owned()));
    of_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.flatten().map(|version| version.path().join("bin"));
        folders.filter(|folder| folder.join("initdb").is_file()).max()
    })
}
