//! Two concurrent calls on one connection: the last decision wins.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::aws::Aws;
use crate::proxy::{Act, Gate};
use crate::stage;
use crate::until;

const STATE: &str = "ListPartnerEventSourceAccounts";

/// Has the proxy do `act` with the next call that reads the source's state, and `others` with all other calls.
fn next_state(aws: &Aws, act: Act, others: impl Fn(&str) -> Act + Send + 'static) {
    let calls = AtomicUsize::new(0);
    aws.proxy.script(move |call| {
        if call.operation == STATE && calls.fetch_add(1, Ordering::SeqCst) == 0 {
            act.clone()
        } else {
            others(&call.operation)
        }
    });
}

/// How many calls have read the source's state so far.
fn state_calls(aws: &Aws) -> usize {
    aws.proxy
        .calls()
        .iter()
        .filter(|call| call.operation == STATE)
        .count()
}

/// Pauses a connection, which has this status at first, while a refresh is in flight: it stays paused.
async fn check(first: &str) {
    let (aws, c, _dir, id) = stage::connected().await;
    if first != "pending" {
        assert_eq!(c.set_status(&id, first).await, first);
    }
    let (gate, before) = (Gate::closed(), state_calls(&aws));
    next_state(&aws, Act::Late(gate.clone()), |_| Act::Pass);
    let (refreshed, ()) = tokio::join!(c.set_status(&id, "active"), async {
        aws.proxy.until_called(STATE, before + 1).await;
        assert_eq!(c.set_status(&id, "disabled").await, "disabled");
        gate.open();
    });
    assert_eq!(
        refreshed, "disabled",
        "the stored status is answered, {first} at first"
    );
    assert_eq!(c.connection(&id).await["status"], "disabled", "{first} at first");
    assert_eq!(
        c.set_status(&id, "active").await,
        "active",
        "and it can be resumed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_wins_over_a_refresh_in_flight() {
    for first in ["pending", "active", "disabled"] {
        check(first).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_without_an_answer_does_not_undo_a_failure_meanwhile() {
    let (aws, c, _dir, id) = stage::active().await;
    let (gate, before) = (Gate::closed(), state_calls(&aws));
    next_state(
        &aws,
        Act::LateFail(gate.clone(), 500),
        |operation| match operation {
            "PutPartnerEvents" => Act::FailEntries(vec![0], "NotAuthorizedForSourceException"),
            _ => Act::Pass,
        },
    );
    let (refreshed, ()) = tokio::join!(c.set_status(&id, "active"), async {
        aws.proxy.until_called(STATE, before + 1).await;
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
