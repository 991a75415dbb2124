//! `scalr_audit_log_setting`

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::super::unconfigured;
use super::fake::{Fake, Trouble};
use super::{connection, names, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    it_selects_moves_and_turns_off,
    what_someone_else_selected_shows_and_is_spared,
    a_selection_made_elsewhere_is_adopted_in_place,
    an_existing_selection_is_adopted_only_if_it_is_the_same,
    a_plan_says_which_connection_has_the_setting,
    a_server_without_the_setting_is_an_error_with_the_way_by_hand,
    the_account_is_the_connections_or_the_providers,
    what_scalr_refuses_of_the_setting_is_reported,
    a_setting_that_is_not_ours_is_left_on_with_a_warning,
    a_setting_that_changes_hands_within_one_apply_stays_on,
    a_second_setting_of_an_account_is_refused,
];

const NAME: &str = "scalr_audit_log_setting";

fn config(id: &str) -> Json {
    json!({ "connection_id": id })
}

async fn connected() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    let resource = harness.resource("scalr_eventbridge_connection");
    resource.create(connection(json!({}))).await.unwrap();
    resource
        .create(connection(json!({ "name": "other", "region": "eu-west-1" })))
        .await
        .unwrap();
    (fake, harness)
}

#[track_caller]
fn selects(fake: &Fake, expected: Option<&str>) {
    assert_eq!(fake.state().audit_logs_to.as_deref(), expected);
}

#[tokio::test]
async fn it_selects_moves_and_turns_off() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    assert_eq!(
        state.json(),
        json!({ "connection_id": "in-1", "account_id": "acc-1", "managed": true })
    );
    assert_eq!(resource.identity(&state), json!({ "account_id": "acc-1" }));
    resource.assert_stable(&state, config("in-1")).await;
    let planned = resource.plan(Some(&state), config("in-2")).await.unwrap();
    assert!(planned.replaces().is_empty());
    let state = resource.apply(planned).await.state.unwrap();
    selects(&fake, Some("in-2"));
    assert_eq!(resource.import("acc-1").await.unwrap().json(), state.json());
    resource.destroy(&state).await.unwrap();
    selects(&fake, None);
    assert!(resource.read(&state).await.unwrap().is_none());
}

/// A refresh takes what someone else selected into the state; a destroy after it turns off nothing of theirs.
#[tokio::test]
async fn what_someone_else_selected_shows_and_is_spared() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    fake.state().audit_logs_to = Some("in-2".to_owned());
    let refreshed = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(refreshed.json()["connection_id"], "in-2");
    assert_eq!(
        resource
            .plan(Some(&refreshed), config("in-1"))
            .await
            .unwrap()
            .json()["connection_id"],
        "in-1"
    );
    for state in [&state, &refreshed] {
        resource.destroy(state).await.unwrap();
        selects(&fake, Some("in-2"));
    }
}

/// The configuration follows what someone else selected, or the answer to our own change was lost: the next plan shows
/// that the selection is to be adopted, and from then on destroy turns it off.
#[tokio::test]
async fn a_selection_made_elsewhere_is_adopted_in_place() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    fake.state().audit_logs_to = Some("in-2".to_owned());
    let refreshed = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(refreshed.json()["managed"], false);
    // A plan that ends the other stream says so.
    let back = resource.plan(Some(&refreshed), config("in-1")).await.unwrap();
    names(&back.warnings, &["`in-2`", "`in-1`", "removed"]);
    let planned = resource.plan(Some(&refreshed), config("in-2")).await.unwrap();
    assert!(!planned.is_empty() && planned.replaces().is_empty() && planned.warnings.is_empty());
    let state = resource.apply(planned).await.state.unwrap();
    assert_eq!(state.json()["managed"], true);
    resource.assert_stable(&state, config("in-2")).await;
    resource.destroy(&state).await.unwrap();
    selects(&fake, None);
}

#[tokio::test]
async fn an_existing_selection_is_adopted_only_if_it_is_the_same() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    fake.state().audit_logs_to = Some("in-2".to_owned());
    let refused = resource.create(config("in-1")).await.unwrap_err();
    names(&refused, &["`in-2`"]);
    selects(&fake, Some("in-2"));
    resource.create(config("in-2")).await.unwrap();
    assert_eq!(fake.count("PATCH"), 0);
}

#[tokio::test]
async fn a_server_without_the_setting_is_an_error_with_the_way_by_hand() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    fake.state().has_audit_logs = false;
    let endpoint = ["`/accounts/ACCOUNT/audit-log-setting`"];
    names(&resource.create(config("in-1")).await.unwrap_err(), &endpoint);
    names(&resource.read(&state).await.unwrap_err(), &endpoint);
    names(
        &resource.update(&state, config("in-2")).await.unwrap_err(),
        &endpoint,
    );
}

#[tokio::test]
async fn the_account_is_the_connections_or_the_providers() {
    let (fake, harness) = stage().await;
    fake.state().names_account = false;
    harness
        .resource("scalr_eventbridge_connection")
        .create(connection(json!({})))
        .await
        .unwrap();
    names(
        &harness.resource(NAME).create(config("in-1")).await.unwrap_err(),
        &["`account_id`"],
    );
    names(
        &harness.resource(NAME).create(config("in-7")).await.unwrap_err(),
        &["`in-7`"],
    );

    let settings = json!({ "hostname": fake.url(), "token": "s3cret", "account_id": "acc-1" });
    let harness = unconfigured();
    harness.configure(settings).await.unwrap();
    harness.resource(NAME).create(config("in-1")).await.unwrap();
    selects(&fake, Some("in-1"));

    let settings = json!({ "hostname": fake.url(), "token": "s3cret", "account_id": "acc-2" });
    let harness = unconfigured();
    harness.configure(settings).await.unwrap();
    names(
        &harness.resource(NAME).create(config("in-1")).await.unwrap_err(),
        &["`acc-2`"],
    );
}

#[tokio::test]
async fn what_scalr_refuses_of_the_setting_is_reported() {
    let error_document = |detail: &str, pointer: &str| {
        let source = json!({ "pointer": pointer });
        json!({ "errors": [{ "status": "422", "title": "Invalid", "detail": detail, "source": source }] })
    };
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    for (call, status, errors) in [
        ("GET accounts", 403, error_document("You may not.", "")),
        (
            "PATCH accounts",
            422,
            error_document("It is paused.", "/data/relationships/integration"),
        ),
        (
            "PATCH accounts",
            422,
            error_document("It is on.", "/data/attributes/enabled"),
        ),
        (
            "PATCH accounts",
            404,
            error_document("There is nothing here.", ""),
        ),
        ("PATCH accounts", 501, json!({})),
        ("PATCH accounts", 502, json!({})),
    ] {
        fake.state().refuses = vec![(call, status, errors)];
        if call.starts_with("GET") {
            resource.read(&state).await.unwrap_err();
            resource.create(config("in-1")).await.unwrap_err();
        } else {
            resource.update(&state, config("in-2")).await.unwrap_err();
            resource.destroy(&state).await.unwrap_err();
        }
    }
    fake.state().refuses.clear();
    fake.state().trouble = Some(Trouble::IgnoresChanges);
    resource.update(&state, config("in-2")).await.unwrap_err();
    fake.state().audit_logs_to = None;
    resource.create(config("in-1")).await.unwrap_err();
    // The account is gone, with its setting, or may not be seen.
    fake.state().has_audit_logs = false;
    let gone = json!({ "errors": [{ "status": "404", "title": "None" }] });
    fake.state().refuses = vec![("GET accounts/acc-1", 404, gone)];
    assert!(resource.read(&state).await.unwrap().is_none());
    resource.create(config("in-1")).await.unwrap_err();
}

#[tokio::test]
async fn a_setting_that_is_not_ours_is_left_on_with_a_warning() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    fake.state().audit_logs_to = Some("in-2".to_owned());
    let planned = resource.plan_destroy(&state).await.unwrap();
    assert!(!resource.apply(planned).await.diags.is_empty());
}

async fn configure(fake: &Fake, harness: &Harness) {
    let settings = json!({ "hostname": fake.url(), "token": "s3cret" });
    harness.configure(settings).await.unwrap();
}

/// An address is renamed without `moved`, or the setting is replaced with `create_before_destroy`. The process is one that
/// Terraform reattaches to: each apply configures it.
#[tokio::test]
async fn a_setting_that_changes_hands_within_one_apply_stays_on() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let mut state = resource.create(config("in-1")).await.unwrap();
    for create_first in [true, false, true] {
        configure(&fake, &harness).await;
        let create = async || {
            let planned = resource.plan(None, config("in-1")).await.unwrap();
            resource.apply(planned).await
        };
        let destroy = async || {
            let planned = resource.plan_destroy(&state).await.unwrap();
            resource.apply(planned).await
        };
        let (created, destroyed) = if create_first {
            let created = create().await;
            (created, destroy().await)
        } else {
            let destroyed = destroy().await;
            (create().await, destroyed)
        };
        assert!(!destroyed.diags.has_errors() && destroyed.state.is_none());
        if create_first {
            names(&created.diags, &["acc-1"]);
            names(&destroyed.diags, &["acc-1", "`moved`"]);
        }
        state = created.state.unwrap();
        selects(&fake, Some("in-1"));
        resource.assert_stable(&state, config("in-1")).await;
    }
    // At the same time, in whichever order they come.
    configure(&fake, &harness).await;
    let planned = resource.plan(None, config("in-1")).await.unwrap();
    let (created, destroyed) = tokio::join!(resource.apply(planned), resource.destroy(&state));
    destroyed.unwrap();
    selects(&fake, Some("in-1"));
    // What was adopted is this resource's: in the next apply its destroy turns it off.
    configure(&fake, &harness).await;
    resource.destroy(&created.state.unwrap()).await.unwrap();
    selects(&fake, None);
}

#[tokio::test]
async fn a_second_setting_of_an_account_is_refused() {
    let (fake, harness) = connected().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config("in-1")).await.unwrap();
    for id in ["in-1", "in-2"] {
        names(&resource.create(config(id)).await.unwrap_err(), &["acc-1"]);
    }
    selects(&fake, Some("in-1"));
    // One that moves to another connection keeps it from a resource that goes.
    configure(&fake, &harness).await;
    let other = resource.create(config("in-1")).await.unwrap();
    configure(&fake, &harness).await;
    let moved = resource.update(&state, config("in-2")).await.unwrap();
    let back = resource.update(&moved, config("in-1")).await.unwrap();
    resource.destroy(&other).await.unwrap();
    selects(&fake, Some("in-1"));
    configure(&fake, &harness).await;
    resource.destroy(&back).await.unwrap();
    selects(&fake, None);
}

#[tokio::test]
async fn a_plan_says_which_connection_has_the_setting() {
    for (held, wanted, warned) in [
        (Some("in-2"), "in-1", true),
        (Some("in-1"), "in-1", false),
        (None, "in-1", false),
        // The account is the connection's, and neither is known.
        (Some("in-2"), UNKNOWN, false),
    ] {
        let (fake, harness) = connected().await;
        fake.state().audit_logs_to = held.map(str::to_owned);
        let planned = harness.resource(NAME).plan(None, config(wanted)).await.unwrap();
        assert_eq!(
            !planned.warnings.is_empty(),
            warned,
            "{wanted}: {}",
            planned.warnings
        );
        if warned {
            names(
                &planned.warnings,
                &["`other` (`in-2`)", "import {", "ends with an error"],
            );
        }
    }
    // Scalr gives no answer, or the apply is under way: nothing is said.
    let (fake, harness) = connected().await;
    fake.state().audit_logs_to = Some("in-2".to_owned());
    let asked = fake.count("GET");
    let planned = harness
        .resource(NAME)
        .plan_within_apply(None, config("in-1"))
        .await
        .unwrap();
    assert!(
        planned.warnings.is_empty() && fake.count("GET") == asked,
        "{}",
        planned.warnings
    );
}
