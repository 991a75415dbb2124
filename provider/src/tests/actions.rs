//! The actions: what they do, what a user sees while they run, and how they end.

use serde_json::{Value as Json, json};
use tfplugin::testing::Invoked;

use super::aws::fake::Trouble;
use super::aws::{GROUP, SOURCE};
use super::delivery_check::{Fakes, whole};
use super::snapshot::scenarios;
use super::{and, names};

scenarios![
    a_refresh_waits_until_the_connection_is_active,
    a_single_refresh_reports_the_status,
    what_cannot_be_refreshed_is_left_alone,
    a_refresh_ends_with_its_timeout_or_the_user,
    an_event_that_arrives_is_followed,
    an_event_that_does_not_arrive_names_the_link,
    an_event_is_not_waited_for_after_an_interruption,
    what_is_unusable_is_refused_before,
    events_are_sent_again_step_by_step,
    what_cannot_be_sent_again_changes_nothing,
    what_was_sent_again_is_in_every_error,
];

const REFRESH: &str = "scalr_eventbridge_refresh";
const REPLAY: &str = "scalr_eventbridge_replay";
const SEND: &str = "scalr_eventbridge_send_test_event";

async fn refresh(fakes: &Fakes, more: Json) -> Invoked {
    let config = and(json!({ "connection_id": "in-1" }), more);
    fakes.harness.action(REFRESH).invoke(config).await
}

fn send(more: Json) -> Json {
    and(
        json!({ "workspace_id": "ws-1", "log_group": GROUP, "timeouts": { "invoke": "10s" } }),
        more,
    )
}

/// The chain with a connection of this status, and the number of refreshes so far.
async fn with_status(status: &str) -> (Fakes, usize) {
    let fakes = whole().await;
    fakes.scalr.set_status(status);
    let refreshes = fakes.scalr.count("PATCH");
    (fakes, refreshes)
}

#[track_caller]
fn says(invoked: &Invoked, parts: &[&str]) {
    let text = invoked.progress.join("\n");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_waits_until_the_connection_is_active() {
    let (fakes, before) = with_status("pending").await;
    fakes.scalr.state().refreshes_until = 2;
    let done = refresh(&fakes, json!({})).await;
    assert!(done.diags.is_empty(), "{}", done.diags);
    says(
        &done,
        &["connection `prod` is pending", "`prod` (`in-1`) is active"],
    );
    assert_eq!(fakes.scalr.count("PATCH") - before, 3);
}

#[tokio::test(start_paused = true)]
async fn a_single_refresh_reports_the_status() {
    for (found, error) in [("active", None), ("pending", Some(false)), ("failed", Some(true))] {
        let (fakes, before) = with_status("pending").await;
        fakes.scalr.state().refreshed = found;
        let done = refresh(&fakes, json!({ "wait_until_active": false })).await;
        assert_eq!(fakes.scalr.count("PATCH") - before, 1, "{found}");
        assert_eq!(done.diags.is_empty(), error.is_none(), "{found}: {}", done.diags);
        assert_eq!(
            done.diags.has_errors(),
            error == Some(true),
            "{found}: {}",
            done.diags
        );
        if error != Some(true) {
            says(&done, &[found]);
        }
    }
    let (fakes, _) = with_status("pending").await;
    fakes.scalr.state().refused = vec![(502, false)];
    assert!(
        refresh(&fakes, json!({ "wait_until_active": false }))
            .await
            .diags
            .has_errors()
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_refreshed_is_left_alone() {
    for wait in [true, false] {
        let (fakes, before) = with_status("disabled").await;
        let paused = refresh(&fakes, json!({ "wait_until_active": wait })).await;
        names(&paused.diags, &["`prod`", "`enabled = true`"]);
        let gone = refresh(
            &fakes,
            json!({ "connection_id": "in-9", "wait_until_active": wait }),
        )
        .await;
        names(&gone.diags, &["`in-9`"]);
        assert_eq!(
            (fakes.scalr.count("PATCH"), fakes.scalr.status()),
            (before, json!("disabled"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ends_with_its_timeout_or_the_user() {
    let (fakes, _) = with_status("pending").await;
    fakes.scalr.state().refreshed = "pending";
    let late = refresh(&fakes, json!({ "timeouts": { "invoke": "7s" } })).await;
    names(&late.diags, &["`prod`", SOURCE]);
    let before = fakes.scalr.count("PATCH");
    let interrupt = async {
        fakes.scalr.until("PATCH", before + 2).await;
        fakes.harness.stop().await;
    };
    let (stopped, ()) = tokio::join!(refresh(&fakes, json!({})), interrupt);
    names(&stopped.diags, &["interrupted"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_arrives_is_followed() {
    let fakes = whole().await;
    let event =
        json!({ "id": "e-1", "time": "2023-11-14T22:13:20Z", "detail": { "event": { "run-id": "run-1" } } });
    fakes.aws.state().log_events.push(event.to_string());
    let done = fakes.harness.action(SEND).invoke(send(json!({}))).await;
    assert!(done.diags.is_empty(), "{}", done.diags);
    let links = [
        "the run `run-1` is started",
        "the event `e-1` of the run `run-1` arrived in `/scalr/runs`",
        "the connection `prod` is active",
        "`aws.partner/scalr.com/acme/prod` is ACTIVE",
        "the rule `runs` is enabled",
    ];
    says(&done, &links);
    assert_eq!(done.progress.len(), links.len(), "{:?}", done.progress);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_arrive_names_the_link() {
    let fakes = whole().await;
    fakes.aws.state().policies.clear();
    let missed = fakes.harness.action(SEND).invoke(send(json!({}))).await;
    assert_eq!(missed.diags.iter().count(), 1, "{}", missed.diags);
    names(
        &missed.diags,
        &["`run-1`", "The permission is missing", "Invoke the action again"],
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_not_waited_for_after_an_interruption() {
    let fakes = whole().await;
    let interrupt = async {
        fakes.aws.until("FilterLogEvents", 3).await;
        fakes.harness.stop().await;
    };
    let action = fakes.harness.action(SEND);
    let (stopped, ()) = tokio::join!(action.invoke(send(json!({}))), interrupt);
    names(&stopped.diags, &["`run-1` continues"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_unusable_is_refused_before() {
    let fakes = whole().await;
    let before = fakes.scalr.count("POST runs");
    for config in [
        send(json!({ "workspace_id": "network" })),
        send(json!({ "log_group": "" })),
        send(json!({ "log_group": "/none" })),
        send(json!({ "region": "Virginia" })),
    ] {
        assert!(fakes.harness.action(SEND).invoke(config).await.diags.has_errors());
    }
    // Before anything is looked for in AWS.
    let unknown = send(json!({ "workspace_id": "ws-network", "log_group": "/none" }));
    let unknown = fakes.harness.action(SEND).invoke(unknown).await;
    names(
        &unknown.diags,
        &[
            "workspace `ws-network`",
            "workspace_id",
            "No run was started",
            "`ws-1` (`network`)",
        ],
    );
    let denied = Trouble::Says("AccessDeniedException", "You may not.");
    fakes.aws.state().trouble("FilterLogEvents", denied);
    assert!(
        fakes
            .harness
            .action(SEND)
            .invoke(send(json!({})))
            .await
            .diags
            .has_errors()
    );
    fakes.scalr.set_status("disabled");
    let paused = fakes.harness.action(SEND).invoke(send(json!({}))).await;
    names(&paused.diags, &["`prod`", "No run was started"]);
    assert_eq!(fakes.scalr.count("POST runs"), before);
}

async fn replay(fakes: &Fakes, more: Json) -> Invoked {
    let config = and(json!({ "connection_id": "in-1" }), more);
    fakes.harness.action(REPLAY).invoke(config).await
}

/// A step with so many deliveries, up to this one.
fn step(deliveries: u64, after: Option<i64>) -> (u16, Json) {
    (
        200,
        json!({ "deliveries": deliveries, "after": after, "until": 500 }),
    )
}

/// The connection has no room.
fn full() -> (u16, Json) {
    (
        409,
        json!({ "errors": [{ "status": "409", "title": "Conflict", "detail": "Nothing was sent again." }] }),
    )
}

#[tokio::test(start_paused = true)]
async fn events_are_sent_again_step_by_step() {
    let (fakes, _) = with_status("active").await;
    fakes.scalr.state().deliveries = vec![step(200, Some(210)), full(), full(), step(3, None)].into();
    let done = replay(&fakes, json!({})).await;
    assert!(done.diags.is_empty(), "{}", done.diags);
    says(
        &done,
        &[
            "200 failed deliveries of the connection `prod` (`in-1`) are to be sent again so far",
            "waiting for it to deliver",
            "203 failed deliveries of the connection `prod` (`in-1`) are to be sent again, after",
        ],
    );
    assert_eq!(done.progress.len(), 3, "{:?}", done.progress);
    let asked = std::mem::take(&mut fakes.scalr.state().asked_of_deliveries);
    assert_eq!(asked[0], json!({ "state": "failed" }).to_string());
    let rest = json!({ "state": "failed", "after": 210, "until": 500 }).to_string();
    assert_eq!(asked[1..], [rest.as_str(); 3]);

    fakes.scalr.state().deliveries = vec![step(1, None), step(2, None)].into();
    let of = json!({
        "state": "delivered", "event_ids": ["run-b", "run-a"], "accepted_from": "2026-01-01T00:00:00Z",
    });
    let done = replay(&fakes, of).await;
    says(&done, &["3 delivered deliveries"]);
    let asked = std::mem::take(&mut fakes.scalr.state().asked_of_deliveries);
    let want = |event: &str| {
        json!({ "state": "delivered", "event": event, "from": "2026-01-01T00:00:00Z" }).to_string()
    };
    assert_eq!(asked, [want("run-a"), want("run-b")]);

    fakes.scalr.state().deliveries = vec![step(0, None)].into();
    let none = replay(&fakes, json!({})).await;
    assert!(none.diags.is_empty(), "{}", none.diags);
    says(&none, &["has no such failed delivery"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_again_changes_nothing() {
    for status in ["pending", "disabled", "failed"] {
        let (fakes, _) = with_status(status).await;
        let refused = replay(&fakes, json!({})).await;
        names(&refused.diags, &["`prod`", status, "Nothing was sent again"]);
        assert!(fakes.scalr.state().asked_of_deliveries.is_empty());
    }
    let (fakes, _) = with_status("active").await;
    let gone = replay(&fakes, json!({ "connection_id": "in-9" })).await;
    names(&gone.diags, &["`in-9`"]);
    let lacking = replay(&fakes, json!({})).await;
    names(
        &lacking.diags,
        &[
            "This server sends no events again",
            "`prod` (`in-1`)",
            "Nothing was changed",
        ],
    );
    fakes.scalr.state().asked_of_deliveries.clear();
    for wrong in [
        json!({ "state": "unconfirmed" }),
        json!({ "state": "delivered" }),
        json!({ "state": "delivered", "accepted_before": "2026-01-01T00:00:00Z" }),
        json!({ "accepted_from": "noon" }),
    ] {
        assert!(replay(&fakes, wrong).await.diags.has_errors());
    }
    assert!(fakes.scalr.state().asked_of_deliveries.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_again_is_in_every_error() {
    let refused = (
        403,
        json!({ "errors": [{ "status": "403", "title": "No", "detail": "You may only read." }] }),
    );
    for (more, answers, parts) in [
        (
            json!({}),
            vec![step(200, Some(210)), refused.clone()],
            &["You may only read", "200 failed deliveries"][..],
        ),
        (
            json!({}),
            vec![step(1, Some(3)), (404, Json::Null)],
            &["answered 404", "1 failed delivery was put"],
        ),
        (
            json!({ "event_ids": ["run-a", "run-b"] }),
            vec![step(1, None), step(0, None)],
            &["no failed delivery of the event `run-b`", "1 failed delivery was"],
        ),
        (
            json!({ "timeouts": { "invoke": "3s" } }),
            vec![step(5, Some(9)), full(), full(), full(), full(), full()],
            &["Not all events were sent again", "5 failed deliveries"],
        ),
        (
            json!({ "state": "delivered", "accepted_from": "2026-01-01T00:00:00Z", "timeouts": { "invoke": "2s" } }),
            vec![step(5, Some(9)), full(), full(), full(), full(), full()],
            &["would send those once more"],
        ),
    ] {
        let (fakes, _) = with_status("active").await;
        fakes.scalr.state().deliveries = answers.into();
        let ended = replay(&fakes, more).await;
        names(&ended.diags, parts);
    }
}
