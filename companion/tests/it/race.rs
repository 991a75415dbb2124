//! Two calls about one connection at once: what was decided last holds.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::aws::Aws;
use crate::companion::Companion;
use crate::proxy::{Act, Gate};
use crate::until;

const REGION: &str = "us-east-1";
const SOURCE: &str = "aws.partner/scalr.com/local/prod";
const LOOK: &str = "ListPartnerEventSourceAccounts";

/// Has the next look at the source go as `act` says, all others and all other calls as `others` says.
fn next_look(aws: &Aws, act: Act, others: impl Fn(&str) -> Act + Send + 'static) {
    let looks = AtomicUsize::new(0);
    aws.proxy.script(move |call| {
        if call.operation == LOOK && looks.fetch_add(1, Ordering::SeqCst) == 0 {
            act.clone()
        } else {
            others(&call.operation)
        }
    });
}

/// How many looks there were so far.
fn looks(aws: &Aws) -> usize {
    aws.proxy
        .calls()
        .iter()
        .filter(|call| call.operation == LOOK)
        .count()
}

/// A refresh is under way when the connection, in this status at first, is paused: it stays so.
async fn check(first: &str) {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    if first != "pending" {
        assert_eq!(c.set_status(&id, first).await, first);
    }
    let (gate, before) = (Gate::closed(), looks(&aws));
    next_look(&aws, Act::Late(gate.clone()), |_| Act::Pass);
    let (refreshed, ()) = tokio::join!(c.set_status(&id, "active"), async {
        aws.proxy
            .until(|calls| calls.iter().filter(|call| call.operation == LOOK).count() > before)
            .await;
        assert_eq!(c.set_status(&id, "disabled").await, "disabled");
        gate.open();
    });
    assert_eq!(refreshed, "disabled", "what holds is answered, {first} at first");
    assert_eq!(c.connection(&id).await["status"], "disabled", "{first} at first");
    assert_eq!(
        c.set_status(&id, "active").await,
        "active",
        "and it can be resumed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_against_a_refresh_that_was_under_way() {
    for first in ["pending", "active", "disabled"] {
        check(first).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_learns_nothing_does_not_undo_a_failure_that_came_meanwhile() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    let (gate, before) = (Gate::closed(), looks(&aws));
    next_look(
        &aws,
        Act::LateFail(gate.clone(), 500),
        |operation| match operation {
            "PutPartnerEvents" => Act::FailEntries(vec![0], "NotAuthorizedForSourceException"),
            _ => Act::Pass,
        },
    );
    let (refreshed, ()) = tokio::join!(c.set_status(&id, "active"), async {
        aws.proxy
            .until(|calls| calls.iter().filter(|call| call.operation == LOOK).count() > before)
            .await;
        assert!(c.emit("run-1", "network").await);
        until("the connection to fail", || async {
            (c.connection(&id).await["status"] == "failed").then_some(())
        })
        .await;
        gate.open();
    });
    assert_eq!(refreshed, "failed");
    let said = c.connection(&id).await["err-message"].to_string();
    assert!(said.contains("NotAuthorizedForSourceException"), "{said}");
}
