//! A companion for one test: `scalr-eventbridge dev` on free ports, whose state is gone with it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value as Json;

/// A running companion.
pub(super) struct Companion {
    child: Child,
    /// The line that it printed when it was ready.
    pub(super) line: Json,
    folder: PathBuf,
    /// Kept open: a closed pipe would end it at its next line.
    _stdout: BufReader<ChildStdout>,
}

impl Companion {
    pub(super) fn start() -> Self {
        let program = program();
        assert!(
            program.is_file(),
            "{} is missing: `cargo build --workspace` builds it",
            program.display()
        );
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let mut child = Command::new(program)
            .args(["dev", "--json", "--log", "warn"])
            .env_clear()
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self {
            child,
            line: serde_json::from_str(&line).expect("the line of a companion that is ready"),
            folder,
            _stdout: stdout,
        }
    }

    /// A text of the line.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.line.pointer(pointer).and_then(Json::as_str).unwrap()
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        // Nothing of its state is wanted. A test that has failed may have lost it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Beside the folder of this test's own program.
fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let programs = this.parent().and_then(Path::parent).unwrap();
    programs.join("scalr-eventbridge")
}

fn folder() -> PathBuf {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("scalr-property-{}-{number}", std::process::id()))
}
