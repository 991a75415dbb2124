//! `scalr_eventbridge_connection`

use serde_json::{Value as Json, json};

use super::{connection, says, stage};

const NAME: &str = "scalr_eventbridge_connection";

#[tokio::test]
async fn a_connection_lives_pauses_and_goes() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    assert_eq!(
        state.json(),
        json!({
            "id": "in-1", "name": "prod", "aws_account_id": "123456789012", "region": "us-east-1", "enabled": true,
            "event_source_name": "aws.partner/scalr.com/acme/prod",
            "event_source_arn": "arn:aws:events:us-east-1::event-source/aws.partner/scalr.com/acme/prod",
            "account_id": "acc-1", "status": "pending", "error_message": null, "timeouts": null,
        })
    );
    assert_eq!(resource.identity(&state), json!({ "id": "in-1" }));
    resource.assert_stable(&state, connection(json!({}))).await;

    let planned = resource
        .plan(Some(&state), connection(json!({ "enabled": false })))
        .await
        .unwrap();
    assert_eq!(
        (planned.replaces(), &planned.json()["status"]),
        (Vec::new(), &json!("disabled"))
    );
    let paused = resource.apply(planned).await.state.unwrap();
    assert_eq!(
        (fake.status(), &paused.json()["status"]),
        (json!("disabled"), &json!("disabled"))
    );

    let planned = resource
        .plan(Some(&paused), connection(json!({ "region": "eu-west-1" })))
        .await
        .unwrap();
    assert_eq!(planned.replaces(), ["region"]);

    resource.destroy(&paused).await.unwrap();
    assert!(resource.read(&paused).await.unwrap().is_none());
    // A second time is no error.
    resource.destroy(&paused).await.unwrap();
}

#[tokio::test]
async fn one_created_paused_is_paused() {
    let (fake, harness) = stage().await;
    let state = harness
        .resource(NAME)
        .create(connection(json!({ "enabled": false })))
        .await
        .unwrap();
    assert_eq!(
        (fake.status(), &state.json()["enabled"]),
        (json!("disabled"), &json!(false))
    );
}

#[tokio::test]
async fn import_reads_everything() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    let imported = resource.import("in-1").await.unwrap();
    assert_eq!(imported.json(), state.json());
    assert_eq!(
        resource
            .import_by_identity(json!({ "id": "in-1" }))
            .await
            .unwrap()
            .json(),
        state.json()
    );
    says(
        &resource.import("prod").await.unwrap_err(),
        &["Import id `prod` cannot be used", "begins with `in-`"],
    );
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_the_name_of_the_event_source() {
    let (fake, harness) = stage().await;
    fake.world().asks_until_named = 3;
    let state = harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap();
    assert_eq!(
        state.json()["event_source_name"],
        "aws.partner/scalr.com/acme/prod"
    );
    assert_eq!(fake.count("GET"), 3);
}

/// A wait that ends early keeps the connection whole, with a warning: an error would have it replaced.
#[track_caller]
fn kept(applied: &tfplugin::testing::Applied, why: &str) {
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    says(
        &applied.diags,
        &[
            "The event source of connection `prod` has no name yet",
            why,
            "`in-1` exists and is kept",
        ],
    );
    let state = applied.state.as_ref().unwrap().json();
    assert_eq!(
        (&state["id"], &state["event_source_name"]),
        (&json!("in-1"), &Json::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_times_out_keeps_the_connection() {
    let (fake, harness) = stage().await;
    fake.world().asks_until_named = u32::MAX;
    let resource = harness.resource(NAME);
    let planned = resource
        .plan(None, connection(json!({ "timeouts": { "create": "9s" } })))
        .await
        .unwrap();
    kept(&resource.apply(planned).await, "within the `create` timeout");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_interrupted_keeps_the_connection() {
    let (fake, harness) = stage().await;
    fake.world().asks_until_named = u32::MAX;
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, connection(json!({}))).await.unwrap();
    let interrupt = async {
        fake.until("GET", 2).await;
        harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    kept(&applied, "was interrupted");
}

#[tokio::test]
async fn a_taken_place_gives_the_import_block() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    resource.create(connection(json!({}))).await.unwrap();
    let refused = resource
        .create(connection(json!({ "name": "other" })))
        .await
        .unwrap_err();
    says(
        &refused,
        &[
            "has a connection in us-east-1 already",
            "    id = \"in-1\"\n",
            "create_before_destroy",
        ],
    );
    assert_eq!(fake.world().connections.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_gives_the_import_block_and_no_second_call() {
    let (fake, harness) = stage().await;
    fake.world().loses_post = true;
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, connection(json!({}))).await.unwrap();
    let applied = resource.apply(planned).await;
    assert!(applied.state.is_none());
    says(
        &applied.diags,
        &["perhaps made by this very call", "    id = \"in-1\"\n"],
    );
    assert_eq!(fake.count("POST"), 1);
}

#[tokio::test]
async fn a_connection_that_is_gone_is_said_to_be_gone() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    fake.world().connections.clear();
    let error = resource
        .update(&state, connection(json!({ "enabled": false })))
        .await
        .unwrap_err();
    says(&error, &["The connection `in-1` is gone"]);
}

#[tokio::test]
async fn the_data_source_finds_it_in_three_ways() {
    let (_fake, harness) = stage().await;
    harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap();
    for way in [
        json!({ "id": "in-1" }),
        json!({ "name": "prod" }),
        json!({ "aws_account_id": "123456789012", "region": "us-east-1" }),
    ] {
        assert_eq!(harness.data_source(NAME, way).await.unwrap()["status"], "pending");
    }
    for (way, part) in [
        (
            json!({ "id": "in-9" }),
            "There is no connection with the id `in-9`",
        ),
        (json!({ "name": "x" }), "There is no connection named `x`"),
        (json!({}), "exactly one"),
        (json!({ "id": "in-1", "name": "prod" }), "exactly one"),
        (
            json!({ "region": "us-east-1" }),
            "`aws_account_id` together with `region`",
        ),
    ] {
        says(&harness.data_source(NAME, way).await.unwrap_err(), &[part]);
    }
}
