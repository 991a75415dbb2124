//! SIGKILL at every critical point: accepted events arrive, with duplicates only where they are allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::companion::{Companion, connection};
use crate::process::signal;
use crate::proxy::{Act, Gate};
use crate::stage::{self, REGION, SOURCE};
use crate::until;

/// Kills the companion during its put number `at` (from 0), with which the proxy does `act`; then starts it again. Returns
/// how many events arrived more than once.
async fn check(events: usize, at: usize, act: Act) -> usize {
    let (aws, c, dir, id) = stage::connected().await;
    for event in 0..events {
        // Two workspaces: some batches hold two events.
        assert!(
            c.emit(&format!("run-{event}"), &format!("workspace-{}", event % 2))
                .await
        );
    }
    let puts = AtomicUsize::new(0);
    let fault = act.clone();
    aws.proxy.script(move |call| {
        let is_it = call.operation == "PutPartnerEvents" && puts.fetch_add(1, Ordering::SeqCst) == at;
        if is_it { fault.clone() } else { Act::Pass }
    });
    c.set_status(&id, "active").await;
    aws.proxy.until_called("PutPartnerEvents", at + 1).await;
    c.crash().await;

    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    c.drained(&id).await;
    let arrived = aws.runs(REGION).await;
    assert_eq!(arrived.len(), events, "{act:?} at put {at}: {arrived:?}");
    arrived.values().filter(|times| **times > 1).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_aws_never_received_is_sent_again() {
    for at in 0..3 {
        assert_eq!(check(6, at, Act::Hang).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_put_without_an_answer_is_sent_twice() {
    for at in 0..3 {
        assert_eq!(check(6, at, Act::Swallow).await, 2, "the two events of that put");
    }
}

/// What AWS acknowledged and dropped, since the source had lost its bus, is still known after a crash before any look at the source.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_look_has_confirmed_survives() {
    let (aws, c, dir, id) = stage::active().await;
    let (gate, put) = (Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let (late, counted) = (gate.clone(), Arc::clone(&put));
    aws.proxy.script(move |call| match call.operation.as_str() {
        "PutPartnerEvents" => {
            counted.fetch_add(1, Ordering::SeqCst);
            Act::Late(late.clone())
        }
        "ListPartnerEventSourceAccounts" if counted.load(Ordering::SeqCst) > 0 => Act::Hang,
        _ => Act::Pass,
    });
    assert!(c.emit("run-1", "network").await);
    aws.proxy.until_called("PutPartnerEvents", 1).await;
    aws.dissociate(REGION, SOURCE).await;
    gate.open();
    c.drained(&id).await;
    assert_eq!(c.delivery(&id).await["delivered"], 1, "AWS has acknowledged it");
    c.crash().await;

    aws.proxy.script(|_| Act::Pass);
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    until("it to be unconfirmed", || async {
        let figures = c.delivery(&id).await;
        (figures["unconfirmed"] == 1 && figures["delivered"] == 0 && figures["made"] == 1).then_some(())
    })
    .await;
    assert_eq!(c.connection(&id).await["status"], "pending");
    aws.receive_again(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.run_arrives(REGION, "run-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_run_ends_and_its_event_arrives() {
    let (aws, c, dir, id) = stage::active().await;
    c.audit(Some(&id)).await;
    let run = c.run().await;
    c.crash().await;
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    aws.run_arrives(REGION, &run).await;
    let (_, body) = c.call("GET", &format!("/runs/{run}"), None).await;
    assert_eq!(body["data"]["attributes"]["status"], "planned_and_finished");
    c.drained(&id).await;
    assert_eq!(aws.runs(REGION).await.get(&run), Some(&1));
    let audited = aws.arrived(REGION).await;
    let about = |event: &&serde_json::Value| event["detail"]["target"]["id"] == run.as_str();
    // One that was in a call at the crash is sent again, under its id.
    let ids = audited
        .iter()
        .filter(about)
        .map(|event| event["detail"]["request"]["id"].to_string());
    let ids: std::collections::BTreeSet<String> = ids.collect();
    assert!(
        ids.len() == 1 && !ids.contains("null"),
        "the call was audited once: {ids:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_gets_its_source_after_a_crash() {
    for act in [Act::Hang, Act::Swallow] {
        let (aws, c, dir) = stage::empty().await;
        let fault = act.clone();
        aws.proxy.script(move |call| match call.operation.as_str() {
            "CreatePartnerEventSource" => fault.clone(),
            _ => Act::Pass,
        });
        let body = Some(connection("prod", REGION));
        let path = "/api/iacp/v3/integrations/aws-event-bridge";
        let (answer, ()) = tokio::join!(c.request("POST", path, body), async {
            aws.proxy.until_called("CreatePartnerEventSource", 1).await;
            aws.proxy.script(|_| Act::Pass);
            signal(&c.pid(), "KILL").await;
        });
        assert_eq!(answer, None, "it was killed before it could answer");
        drop(c);

        let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
        let found = until("the source to be made", || async {
            let (_, mut body) = c.call("GET", "/integrations/aws-event-bridge", None).await;
            let row = body["data"][0]["attributes"].take();
            (row["event-source"] == SOURCE).then_some(row)
        })
        .await;
        assert_eq!(
            (&found["status"], &found["err-message"]),
            (&json!("pending"), &json!(null)),
            "{act:?}"
        );
        assert_eq!(aws.source_state(REGION, SOURCE).await.as_deref(), Some("PENDING"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_connections_source_goes_after_a_crash() {
    let (aws, c, dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    aws.proxy.script(|call| {
        if call.operation == "DeletePartnerEventSource" {
            Act::Hang
        } else {
            Act::Pass
        }
    });
    let path = format!("/api/iacp/v3/integrations/aws-event-bridge/{id}");
    tokio::join!(c.request("DELETE", &path, None), async {
        aws.proxy.until_called("DeletePartnerEventSource", 1).await;
        aws.proxy.script(|_| Act::Pass);
        signal(&c.pid(), "KILL").await;
    });
    drop(c);
    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    assert_eq!(
        c.call("GET", &format!("/integrations/aws-event-bridge/{id}"), None)
            .await
            .0,
        404
    );
    until("the source to be gone", || async {
        aws.source_state(REGION, SOURCE).await.is_none().then_some(())
    })
    .await;
}
