//! `scalr_eventbridge_activation`

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::Fake;
use super::{connection, names, settings, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    it_refreshes_until_active,
    a_timeout_names_the_missing_step_and_leaves_no_state,
    an_interrupted_wait_leaves_no_state,
    a_paused_connection_is_never_resumed,
    one_that_fell_back_is_refreshed_in_place,
    one_paused_meanwhile_stays_paused,
    one_paused_while_refreshes_are_refused_stays_paused,
    refused_refreshes_are_tried_again_and_not_for_ever,
    it_goes_with_its_connection,
    what_scalr_refuses_of_a_refresh_is_reported,
    a_status_that_this_walk_changes_is_read_in_this_walk,
    an_id_that_nothing_has_is_refused_at_plan,
];

const NAME: &str = "scalr_eventbridge_activation";

fn config() -> Json {
    json!({ "connection_id": "in-1" })
}

async fn connected() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    harness
        .resource("scalr_eventbridge_connection")
        .create(connection(json!({})))
        .await
        .unwrap();
    (fake, harness)
}

#[tokio::test(start_paused = true)]
async fn it_refreshes_until_active() {
    let (fake, harness) = connected().await;
    fake.state().refreshes_until = 2;
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config()).await.unwrap();
    assert_eq!(
        (&planned.json()["status"], &planned.json()["error_message"]),
        (&json!("active"), &Json::Null)
    );
    let state = resource.apply(planned).await.state.unwrap();
    assert_eq!(
        (fake.count("PATCH"), &state.json()["status"]),
        (3, &json!("active"))
    );
    resource.assert_stable(&state, config()).await;
    assert_eq!(resource.import("in-1").await.unwrap().json(), state.json());
    resource.destroy(&state).await.unwrap();
    assert_eq!((fake.count("PATCH"), fake.status()), (3, json!("active")));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_names_the_missing_step_and_leaves_no_state() {
    for (refreshed, part) in [
        ("pending", "`aws.partner/scalr.com/acme/prod`"),
        ("failed", "`failed`"),
    ] {
        let (fake, harness) = connected().await;
        fake.state().refreshed = refreshed;
        let resource = harness.resource(NAME);
        let config = json!({ "connection_id": "in-1", "timeouts": { "create": "7s" } });
        let planned = resource.plan(None, config).await.unwrap();
        let applied = resource.apply(planned).await;
        assert!(applied.state.is_none() && applied.diags.has_errors());
        names(&applied.diags, &[part]);
        assert_eq!(fake.count("PATCH"), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_wait_leaves_no_state() {
    let (fake, harness) = connected().await;
    fake.state().refreshed = "pending";
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config()).await.unwrap();
    let interrupt = async {
        fake.until("PATCH", 2).await;
        harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    assert!(applied.state.is_none() && applied.diags.has_errors());
    names(&applied.diags, &["`prod`"]);
}

#[tokio::test]
async fn a_paused_connection_is_never_resumed() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    fake.set_status("disabled");
    names(&resource.create(config()).await.unwrap_err(), &["`prod`"]);
    assert_eq!((fake.count("PATCH"), fake.status()), (0, json!("disabled")));

    fake.set_status("pending");
    let state = resource.create(config()).await.unwrap();
    fake.set_status("disabled");
    let paused = resource.read(&state).await.unwrap().unwrap();
    resource.assert_stable(&paused, config()).await;
    assert_eq!(fake.status(), json!("disabled"));
}

#[tokio::test]
async fn one_that_fell_back_is_refreshed_in_place() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config()).await.unwrap();
    for status in ["pending", "failed"] {
        fake.set_status(status);
        let fallen = resource.read(&state).await.unwrap().unwrap();
        let planned = resource.plan(Some(&fallen), config()).await.unwrap();
        assert_eq!(
            (planned.replaces(), &planned.json()["status"]),
            (Vec::new(), &json!("active"))
        );
        assert_eq!(
            resource.apply(planned).await.state.unwrap().json()["status"],
            "active"
        );
        assert_eq!(fake.status(), json!("active"));
    }
}

/// Paused between plan and apply: the apply fails, resumes nothing, and the state names what is so.
#[tokio::test]
async fn one_paused_meanwhile_stays_paused() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config()).await.unwrap();
    fake.set_status("pending");
    let fallen = resource.read(&state).await.unwrap().unwrap();
    let planned = resource.plan(Some(&fallen), config()).await.unwrap();
    fake.set_status("disabled");
    let applied = resource.apply(planned).await;
    names(&applied.diags, &["`prod`"]);
    let left = applied.state.unwrap();
    assert_eq!(
        (&left.json()["status"], fake.status()),
        (&json!("disabled"), json!("disabled"))
    );
    resource.assert_stable(&left, config()).await;
}

/// A refresh that is refused is not sent again before the connection was looked at: the call would resume it.
#[tokio::test(start_paused = true)]
async fn one_paused_while_refreshes_are_refused_stays_paused() {
    for status in [429, 503] {
        let (fake, harness) = connected().await;
        fake.state().refused = vec![(status, false), (status, true)];
        let refused = harness.resource(NAME).create(config()).await.unwrap_err();
        names(&refused, &["`prod`"]);
        assert_eq!((fake.count("PATCH"), fake.status()), (2, json!("disabled")));
    }
}

#[tokio::test(start_paused = true)]
async fn refused_refreshes_are_tried_again_and_not_for_ever() {
    for (refused, count, works) in [
        (vec![(429, false); 20], 21, true),
        (vec![(503, false); 3], 4, true),
        (vec![(503, false); 4], 4, false),
        (vec![(403, false)], 1, false),
    ] {
        let (fake, harness) = connected().await;
        fake.state().refused = refused;
        let made = harness.resource(NAME).create(config()).await;
        assert_eq!((fake.count("PATCH"), made.is_ok()), (count, works));
    }
}

#[tokio::test]
async fn it_goes_with_its_connection() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config()).await.unwrap();
    fake.state().connections.clear();
    assert!(resource.read(&state).await.unwrap().is_none());
    names(&resource.create(config()).await.unwrap_err(), &["`in-1`"]);
}

#[tokio::test(start_paused = true)]
async fn what_scalr_refuses_of_a_refresh_is_reported() {
    let config = json!({ "connection_id": "in-1", "timeouts": { "create": "9s", "update": "9s" } });
    for refused in [
        vec![(401, false)],
        vec![(403, false)],
        vec![(429, false); 40],
        vec![(500, false); 9],
    ] {
        let (fake, harness) = connected().await;
        fake.state().refused = refused;
        harness.resource(NAME).create(config.clone()).await.unwrap_err();
    }
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config.clone()).await.unwrap();
    fake.set_status("pending");
    let fallen = resource.read(&state).await.unwrap().unwrap();
    for refreshed in ["pending", "failed", "updating"] {
        fake.state().refreshed = refreshed;
        assert!(resource.update(&fallen, config.clone()).await.is_err());
    }
    fake.state().refuses = vec![(
        "GET integrations",
        403,
        json!({ "errors": [{ "status": "403", "title": "Forbidden" }] }),
    )];
    resource.read(&state).await.unwrap_err();
    fake.state().refuses.clear();
    fake.state().connections.clear();
    resource.update(&fallen, config).await.unwrap_err();
}

/// The connection is planned first, by reference; the status is as the connection has it when both are through.
#[tokio::test(start_paused = true)]
async fn a_status_that_this_walk_changes_is_read_in_this_walk() {
    let (fake, harness) = stage().await;
    let connections = harness.resource("scalr_eventbridge_connection");
    let made = connections.create(connection(json!({}))).await.unwrap();
    let resource = harness.resource(NAME);
    let mut state = resource.create(config()).await.unwrap();
    let mut held = connections.read(&made).await.unwrap().unwrap();
    for (enabled, status) in [(false, "disabled"), (true, "active")] {
        let switch = connection(json!({ "enabled": enabled }));
        let switched = connections.plan(Some(&held), switch.clone()).await.unwrap();
        let planned = resource.plan(Some(&state), config()).await.unwrap();
        assert_eq!(planned.json()["status"], UNKNOWN, "{status}");
        held = connections.apply(switched).await.state.unwrap();
        state = resource.apply(planned).await.state.unwrap();
        assert_eq!(
            (&state.json()["status"], fake.status()),
            (&json!(status), json!(status))
        );
        assert_eq!(held.json()["status"], status);
        // The next walk has nothing to change.
        harness.configure(settings(&fake)).await.unwrap();
        connections.plan(Some(&held), switch).await.unwrap();
        resource.assert_stable(&state, config()).await;
    }
}

/// Scalr makes ids: what a plan knows is there by then, or never. Within the apply the call itself says so.
#[tokio::test]
async fn an_id_that_nothing_has_is_refused_at_plan() {
    let (fake, harness) = connected().await;
    for (name, config) in [
        (NAME, json!({ "connection_id": "in-9" })),
        ("scalr_audit_log_setting", json!({ "connection_id": "in-9" })),
        (
            "scalr_eventbridge_delivery_check",
            json!({ "workspace_id": "ws-9", "log_group": "/runs" }),
        ),
    ] {
        let resource = harness.resource(name);
        let refused = resource.plan(None, config.clone()).await.unwrap_err();
        names(&refused, &["-9`", "Nothing has changed", &fake.url()]);
        resource.plan_within_apply(None, config).await.unwrap();
    }
    // One that is held was found by a refresh; without an answer nothing is known.
    let state = harness.resource(NAME).create(config()).await.unwrap();
    fake.state().connections.clear();
    let resource = harness.resource(NAME);
    resource.plan(Some(&state), config()).await.unwrap();
    fake.state().refuses = vec![("GET integrations", 403, json!({ "errors": [] }))];
    resource.plan(None, config()).await.unwrap();
}
