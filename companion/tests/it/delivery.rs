//! The guarantees of delivery: only failed entries are sent again, order within a workspace, isolation of connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::aws::Aws;
use crate::proxy::{Act, Call, Gate};
use crate::stage::{self, REGION, SOURCE};
use crate::until;

fn is_put(call: &Call) -> bool {
    call.operation == "PutPartnerEvents"
}

/// Has the proxy do `first` with the first put, and forward all other calls.
fn first_put(aws: &Aws, first: Act) {
    let puts = AtomicUsize::new(0);
    aws.proxy.script(move |call| {
        if is_put(call) && puts.fetch_add(1, Ordering::SeqCst) == 0 {
            first.clone()
        } else {
            Act::Pass
        }
    });
}

/// How often each of `n` events was sent when the proxy does `first` with the first put.
async fn check(n: usize, first: Act, want: &[usize], failed: u64) {
    let (aws, c, _dir, id) = stage::active().await;
    c.set_status(&id, "disabled").await;
    for at in 0..n {
        assert!(c.emit(&format!("run-{at}"), &format!("workspace-{at}")).await);
    }
    let case = format!("{first:?}");
    first_put(&aws, first);
    c.set_status(&id, "active").await;
    c.drained(&id).await;
    let mut sent = vec![0; n];
    for run in aws.proxy.puts().iter().flat_map(|put| &put.runs) {
        sent[run.trim_start_matches("run-").parse::<usize>().unwrap()] += 1;
    }
    assert_eq!(sent, want, "{case}");
    assert_eq!(c.delivery(&id).await["failed"], failed, "{case}");
    let arrived = aws.runs(REGION).await.len() as u64;
    assert_eq!(arrived + failed, n as u64, "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_failed_entries_are_sent_again() {
    check(
        4,
        Act::FailEntries(vec![1, 3], "ThrottlingException"),
        &[1, 2, 1, 2],
        0,
    )
    .await;
    check(3, Act::FailEntries(vec![0], "InternalFailure"), &[2, 1, 1], 0).await;
    check(2, Act::FailEntries(vec![1], "MalformedDetail"), &[1, 1], 1).await;
    check(2, Act::Fail(500), &[2, 2], 0).await;
    check(2, Act::Fail(429), &[2, 2], 0).await;
    // Not AWS's answer, so it means nothing for the connection.
    check(2, Act::Fail(403), &[2, 2], 0).await;
    // It concerns whoever calls: the connection stays active.
    check(2, Act::Refuse("AccessDeniedException"), &[2, 2], 0).await;
}

/// A call that AWS refuses for one of its events is halved until that event stands alone; the others arrive, and the connection stays
/// active. The event is kept, with AWS's words, until it is sent again or purged.
#[tokio::test(flavor = "multi_thread")]
async fn the_guilty_event_of_a_refused_call_is_found() {
    let (aws, c, _dir, id) = stage::active().await;
    c.set_status(&id, "disabled").await;
    for at in 0..20 {
        assert!(c.emit(&format!("run-{at}"), &format!("workspace-{at}")).await);
    }
    let is_guilty = |call: &Call| is_put(call) && call.runs.iter().any(|run| run == "run-13");
    aws.proxy.script(move |call| {
        if is_guilty(call) {
            Act::Refuse("ValidationException")
        } else {
            Act::Pass
        }
    });
    c.set_status(&id, "active").await;
    c.drained(&id).await;
    assert_eq!(aws.runs(REGION).await.len(), 19);
    assert_eq!(c.connection(&id).await["status"], "active");
    let path = format!("/_companion/connections/{id}/deliveries");
    let (_, failed) = c
        .request("GET", &format!("{path}?state=failed"), None)
        .await
        .unwrap();
    assert_eq!(failed["deliveries"].as_array().map(Vec::len), Some(1), "{failed}");
    let failed = &failed["deliveries"][0];
    assert_eq!(failed["event-id"], "run-13");
    assert!(
        failed["error"].to_string().contains("ValidationException"),
        "{failed}"
    );

    aws.proxy.script(|_| Act::Pass);
    let wanted = json!({ "state": "failed" });
    let (status, done) = c
        .request("POST", &format!("{path}/redeliver"), Some(wanted))
        .await
        .unwrap();
    assert_eq!((status, &done["deliveries"]), (200, &json!(1)), "{done}");
    aws.run_arrives(REGION, "run-13").await;
    c.drained(&id).await;
    let figures = c.delivery(&id).await;
    assert_eq!(
        (&figures["failed"], &figures["delivered"]),
        (&json!(0), &json!(20)),
        "{figures}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_sent_in_full_batches() {
    check(45, Act::Pass, &[1; 45], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn order_is_kept_within_a_workspace() {
    let (aws, c, _dir, id) = stage::active().await;
    c.set_status(&id, "disabled").await;
    for at in 0..30 {
        assert!(
            c.emit(&format!("run-{at:02}"), &format!("workspace-{}", at % 3))
                .await
        );
    }
    // An entry of every third put fails, so that lanes fall behind each other.
    let puts = Arc::new(AtomicUsize::new(0));
    aws.proxy.script(move |call| {
        if is_put(call) && puts.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) {
            Act::FailEntries(vec![0], "ThrottlingException")
        } else {
            Act::Pass
        }
    });
    c.set_status(&id, "active").await;
    c.drained(&id).await;
    let mut lanes = BTreeMap::<String, Vec<String>>::new();
    for event in aws.arrived(REGION).await {
        let run = &event["detail"]["event"];
        lanes
            .entry(run["workspace"].to_string())
            .or_default()
            .push(run["run-id"].to_string());
    }
    assert_eq!(lanes.values().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10]);
    assert!(lanes.values().all(|lane| lane.is_sorted()), "{lanes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_connection_stalls_no_other() {
    let (aws, c, _dir, good) = stage::active().await;
    let bad = c.connect("bad", "us-west-2").await;
    aws.associate("us-west-2", "aws.partner/scalr.com/local/bad")
        .await;
    assert_eq!(c.set_status(&bad, "active").await, "active");
    aws.proxy.script(|call| {
        if call.region == "us-west-2" {
            Act::Hang
        } else {
            Act::Pass
        }
    });
    for at in 0..30 {
        assert!(c.emit(&format!("run-{at}"), "network").await);
    }
    c.drained(&good).await;
    assert_eq!(aws.runs(REGION).await.len(), 30);
    assert_eq!(c.delivery(&bad).await["held"], 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_to_a_source_without_a_bus_is_sent_again() {
    let (aws, c, _dir, id) = stage::active().await;
    // The bus is deleted between the check of the source and the put: AWS answers success and delivers nothing.
    let gate = Gate::closed();
    first_put(&aws, Act::Late(gate.clone()));
    for (run, workspace) in [("run-1", "a"), ("run-2", "b"), ("run-3", "a")] {
        assert!(c.emit(run, workspace).await);
    }
    aws.proxy.until_called("PutPartnerEvents", 1).await;
    let acknowledged = aws.proxy.puts()[0].runs.clone();
    aws.dissociate(REGION, SOURCE).await;
    gate.open();
    until("the connection to be pending", || async {
        (c.connection(&id).await["status"] == "pending").then_some(())
    })
    .await;
    let path = format!("/_companion/connections/{id}/deliveries?state=unconfirmed");
    let listed = until("what AWS acknowledged to be unconfirmed", || async {
        let (_, listed) = c.request("GET", &path, None).await.unwrap();
        let rows = listed["deliveries"].as_array().cloned().unwrap_or_default();
        (!rows.is_empty()).then_some(rows)
    })
    .await;
    assert!(
        acknowledged
            .iter()
            .any(|run| listed[0]["event-id"] == run.as_str()),
        "{listed:?}"
    );
    let figures = c.delivery(&id).await;
    let of = |name: &str| figures[name].as_u64().unwrap();
    assert_eq!(of("made"), 3, "{figures}");
    assert_eq!(of("held") + of("unconfirmed") + of("delivered"), 3, "{figures}");

    aws.receive_again(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    for run in ["run-1", "run-2", "run-3"] {
        aws.run_arrives(REGION, run).await;
    }
    let arrived = aws.arrived(REGION).await;
    let of_a = arrived
        .iter()
        .map(|event| &event["detail"]["event"])
        .filter(|run| run["workspace"] == "a");
    let runs: Vec<_> = of_a.map(|run| run["run-id"].as_str().unwrap()).collect();
    assert_eq!(runs, ["run-1", "run-3"], "in their order");
    until("all to be delivered", || async {
        let figures = c.delivery(&id).await;
        (figures["delivered"] == 3 && figures["unconfirmed"] == 0).then_some(())
    })
    .await;
}

/// A look follows each put while the budget allows; beyond it connections take turns, and events go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_does_not_wait_for_looks() {
    let (aws, c, _dir, id) = stage::active().await;
    c.set_status(&id, "disabled").await;
    for at in 0..60 {
        assert!(c.emit(&format!("run-{at:02}"), "network").await);
    }
    let looks = || {
        let calls = aws.proxy.calls().into_iter();
        calls
            .filter(|call| call.operation == "ListPartnerEventSourceAccounts")
            .count()
    };
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&puts);
    // Once events are on their way, no look is answered.
    aws.proxy.script(move |call| match call.operation.as_str() {
        "PutPartnerEvents" => {
            counted.fetch_add(1, Ordering::SeqCst);
            Act::Pass
        }
        "ListPartnerEventSourceAccounts" if counted.load(Ordering::SeqCst) > 0 => Act::Hang,
        _ => Act::Pass,
    });
    c.set_status(&id, "active").await;
    c.drained(&id).await;
    assert_eq!(aws.runs(REGION).await.len(), 60);
    assert_eq!(puts.load(Ordering::SeqCst), 60, "one of a lane in a call");
    assert!(
        looks() < 20,
        "one look of a connection is under way at a time: {}",
        looks()
    );
}

/// Two connections of a region: their events share calls, in which each entry names its source.
#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_region_share_calls() {
    let (aws, c, _dir, first) = stage::active().await;
    let body = json!({ "data": { "type": crate::companion::CONNECTION, "attributes": {
        "name": "second", "aws-account-id": "210987654321", "region": REGION,
    } } });
    let (status, made) = c.call("POST", "/integrations/aws-event-bridge", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let second = made["data"]["id"].as_str().unwrap().to_owned();
    aws.associate_as("210987654321", REGION, "aws.partner/scalr.com/local/second")
        .await;
    assert_eq!(c.set_status(&second, "active").await, "active");
    c.set_status(&first, "disabled").await;
    c.set_status(&second, "disabled").await;
    for at in 0..8 {
        assert!(c.emit(&format!("run-{at}"), &format!("workspace-{at}")).await);
    }
    // Each is sent by itself, which fails; the region backs off, and then both can send.
    let (gate, puts) = (Gate::closed(), AtomicUsize::new(0));
    let late = gate.clone();
    aws.proxy.script(move |call| {
        if is_put(call) && puts.fetch_add(1, Ordering::SeqCst) < 2 {
            Act::LateFail(late.clone(), 500)
        } else {
            Act::Pass
        }
    });
    c.set_status(&first, "active").await;
    c.set_status(&second, "active").await;
    aws.proxy.until_called("PutPartnerEvents", 2).await;
    gate.open();
    c.drained(&first).await;
    c.drained(&second).await;
    for id in [&first, &second] {
        let figures = c.delivery(id).await;
        assert_eq!(
            (&figures["delivered"], &figures["failed"]),
            (&json!(8), &json!(0)),
            "{figures}"
        );
    }
    assert_eq!(
        aws.runs(REGION).await.len(),
        8,
        "those of the first reach its log group"
    );
    let puts = aws.proxy.puts();
    let sizes: Vec<_> = puts.iter().map(|put| put.runs.len()).collect();
    assert_eq!(sizes, [8, 8, 16], "the third has events of both");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unauthorised_source_fails_the_connection_and_loses_nothing() {
    let (aws, c, _dir, id) = stage::active().await;
    first_put(&aws, Act::FailEntries(vec![0], "NotAuthorizedForSourceException"));
    let run = c.run().await;
    until("the connection to fail", || async {
        (c.connection(&id).await["status"] == "failed").then_some(())
    })
    .await;
    let message = c.connection(&id).await["err-message"].to_string();
    assert!(message.contains("NotAuthorizedForSourceException"), "{message}");
    assert_eq!(c.delivery(&id).await["held"], 1);
    assert_eq!(c.set_status(&id, "active").await, "active");
    aws.run_arrives(REGION, &run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_check_of_the_source_after_a_put_causes_no_duplicates() {
    let (aws, c, _dir, id) = stage::active().await;
    let put = Arc::new(AtomicUsize::new(0));
    aws.proxy.script(move |call| match call.operation.as_str() {
        "PutPartnerEvents" => {
            put.fetch_add(1, Ordering::SeqCst);
            Act::Pass
        }
        // The first two checks after the put.
        "ListPartnerEventSourceAccounts" if (1..=2).contains(&put.load(Ordering::SeqCst)) => {
            put.fetch_add(1, Ordering::SeqCst);
            Act::Fail(429)
        }
        _ => Act::Pass,
    });
    assert!(c.emit("run-1", "network").await);
    c.drained(&id).await;
    assert_eq!(aws.runs(REGION).await.get("run-1"), Some(&1));
    assert_eq!(aws.proxy.puts().len(), 1);
}
