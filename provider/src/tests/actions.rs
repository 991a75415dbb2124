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
];

const REFRESH: &str = "scalr_eventbridge_refresh";
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
