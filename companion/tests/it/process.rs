//! Child processes: their lines, and signals to them.

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The lines that a child prints, whose stdout is piped.
pub(crate) fn lines(child: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().expect("stdout is piped")).lines()
}

/// The process id of a child that runs.
pub(crate) fn pid(child: &Child) -> String {
    child.id().expect("it runs").to_string()
}

/// Sends a signal, such as `TERM`.
pub(crate) async fn signal(pid: &str, name: &str) {
    let mut kill = Command::new("kill");
    let sent = kill.args([&format!("-{name}"), pid]).status().await;
    assert!(sent.expect("kill runs").success());
}

/// Sends SIGTERM; whether the child then ends with success.
pub(crate) async fn terminate(child: &mut Child) -> bool {
    signal(&pid(child), "TERM").await;
    let ended = tokio::time::timeout(crate::PATIENCE, child.wait()).await;
    ended.expect("it ends").expect("it can be waited for").success()
}
