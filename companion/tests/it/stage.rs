//! What most tests start from: an AWS behind its proxy, and a companion with state in a folder of its own.

use tempfile::TempDir;

use crate::aws::Aws;
use crate::companion::Companion;
use crate::proxy::Act;

pub(crate) const REGION: &str = "us-east-1";
/// The event source of the connection `prod`.
pub(crate) const SOURCE: &str = "aws.partner/scalr.com/local/prod";

/// An empty AWS and a new companion; the folder goes with the last value.
pub(crate) async fn empty() -> (Aws, Companion, TempDir) {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().expect("a folder"));
    let companion = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    (aws, companion, dir)
}

/// The same with the connection `prod`, pending, and all that its events need at AWS; its id comes last.
pub(crate) async fn connected() -> (Aws, Companion, TempDir, String) {
    let (aws, companion, dir) = empty().await;
    let id = companion.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    (aws, companion, dir, id)
}

/// The same, active.
pub(crate) async fn active() -> (Aws, Companion, TempDir, String) {
    let (aws, companion, dir, id) = connected().await;
    assert_eq!(companion.set_status(&id, "active").await, "active");
    (aws, companion, dir, id)
}

/// Of three events of the connection AWS takes `run-good`, and neither of `run-bad-1` and `run-bad-2`.
pub(crate) async fn one_arrives_and_two_fail(aws: &Aws, c: &Companion, id: &str) {
    aws.proxy.script(|call| {
        let is_bad = call.operation == "PutPartnerEvents" && call.runs.iter().any(|run| run.contains("bad"));
        if is_bad {
            Act::FailEntries(vec![0], "MalformedDetail")
        } else {
            Act::Pass
        }
    });
    for run in ["run-good", "run-bad-1", "run-bad-2"] {
        assert!(c.emit(run, "network").await);
        c.drained(id).await;
    }
}
