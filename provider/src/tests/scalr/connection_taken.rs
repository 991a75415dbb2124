//! `scalr_eventbridge_connection` for an AWS account and region that has one. Each harness is a process that is configured once.

use serde_json::{Value as Json, json};
use tfplugin::Diagnostics;
use tfplugin::testing::{Harness, Planned, UNKNOWN};

use super::fake::{Fake, Trouble};
use super::{connection, names, settings, stage};
use crate::tests::snapshot::scenarios;
use crate::tests::unconfigured;

scenarios![
    a_place_that_is_taken_is_said_at_plan,
    a_place_that_is_taken_by_this_state_may_become_free,
    two_connections_of_one_plan_for_one_place_are_refused,
    a_place_that_one_connection_leaves_is_free_for_another,
    many_connections_are_looked_for_by_one_list,
];

const NAME: &str = "scalr_eventbridge_connection";

/// A process that is configured, and knows nothing of others.
pub(super) async fn process(fake: &Fake) -> Harness {
    let harness = unconfigured();
    harness.configure(settings(fake)).await.unwrap();
    harness
}

/// The plan of a new connection, in a process of its own.
async fn plan(fake: &Fake, more: Json) -> Result<Planned, Diagnostics> {
    let harness = process(fake).await;
    harness.resource(NAME).plan(None, connection(more)).await
}

/// An apply could not make it.
#[tokio::test(start_paused = true)]
async fn a_place_that_is_taken_is_said_at_plan() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    resource.create(connection(json!({}))).await.unwrap();
    let elsewhere = connection(json!({ "name": "elsewhere", "region": "eu-west-2" }));
    let elsewhere = resource.create(elsewhere).await.unwrap();
    let block = "to = scalr_eventbridge_connection.prod\n    id = \"in-1\"";
    for (more, words) in [
        (
            json!({}),
            &[
                "us-east-1 already",
                block,
                "another workspace",
                "`data \"scalr_eventbridge_connection\"`",
            ][..],
        ),
        (json!({ "name": "other" }), &["`name = \"prod\"`", block]),
        (json!({ "name": UNKNOWN }), &[block]),
    ] {
        // Where no connection of the state was seen, it may be the one that is replaced.
        let planned = plan(&fake, more.clone()).await.unwrap();
        names(&planned.warnings, &["us-east-1 already", "-refresh=false"]);
        names(&planned.warnings, words);
        let harness = process(&fake).await;
        harness.resource(NAME).read(&elsewhere).await.unwrap();
        let refused = harness.resource(NAME).plan(None, connection(more)).await;
        names(&refused.unwrap_err(), words);
    }
    // Another account under the same name: Scalr decides.
    let planned = plan(&fake, json!({ "aws_account_id": "210987654321" }))
        .await
        .unwrap();
    names(
        &planned.warnings,
        &["`prod` in us-east-1", "`in-1`", "event source"],
    );
    for free in [
        json!({ "region": "eu-west-1" }),
        json!({ "region": UNKNOWN }),
        json!({ "aws_account_id": UNKNOWN }),
    ] {
        let planned = plan(&fake, free).await.unwrap();
        assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    }
    // Without an answer nothing is said.
    fake.state().refuses_lists = true;
    plan(&fake, json!({})).await.unwrap();
    fake.state().trouble = Some(Trouble::IsSilent);
    plan(&fake, json!({})).await.unwrap();
}

/// It was refreshed, is removed, or is replaced by this one.
#[tokio::test(start_paused = true)]
async fn a_place_that_is_taken_by_this_state_may_become_free() {
    let (fake, harness) = stage().await;
    let state = harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap();
    let other = || connection(json!({ "name": "other" }));
    let harness = process(&fake).await;
    harness.resource(NAME).read(&state).await.unwrap();
    harness.resource(NAME).plan(None, other()).await.unwrap();
    let harness = process(&fake).await;
    let resource = harness.resource(NAME);
    let (new, gone) = tokio::join!(resource.plan(None, other()), resource.plan_destroy(&state));
    assert!(new.is_ok() && gone.is_ok());
    // With `-replace`.
    let harness = process(&fake).await;
    harness
        .resource(NAME)
        .plan_in_its_place(&state, other())
        .await
        .unwrap();
    let harness = process(&fake).await;
    let replaced = harness.resource(NAME).update(&state, other()).await.unwrap();
    assert_eq!(replaced.json()["name"], "other");
}

#[tokio::test]
async fn many_connections_are_looked_for_by_one_list() {
    const LIST: &str = "GET integrations/aws-event-bridge";
    let fake = Fake::start().await;
    let harness = process(&fake).await;
    for region in ["eu-west-1", "eu-west-2", "eu-west-3"] {
        let config = connection(json!({ "region": region }));
        harness.resource(NAME).plan(None, config).await.unwrap();
    }
    assert_eq!(fake.count(LIST), 1, "{:?}", fake.state().calls);
    let config = connection(json!({ "region": "eu-north-1" }));
    let harness = process(&fake).await;
    harness
        .resource(NAME)
        .plan_within_apply(None, config)
        .await
        .unwrap();
    assert_eq!(fake.count(LIST), 1);
}

/// An apply would make the first, and fail on the second.
#[tokio::test(start_paused = true)]
async fn two_connections_of_one_plan_for_one_place_are_refused() {
    let fake = Fake::start().await;
    for (name, first) in [
        (json!("prod"), &["`name = \"prod\"`"][..]),
        (json!(UNKNOWN), &["whose name is not known yet"]),
    ] {
        let harness = process(&fake).await;
        let resource = harness.resource(NAME);
        resource
            .plan(None, connection(json!({ "name": name })))
            .await
            .unwrap();
        let second = resource.plan(None, connection(json!({ "name": "second" }))).await;
        let refused = second.unwrap_err();
        names(&refused, first);
        names(
            &refused,
            &[
                "123456789012",
                "us-east-1",
                "aws_account_id",
                "Nothing was changed",
            ],
        );
        for free in [
            json!({ "region": "eu-west-1" }),
            json!({ "aws_account_id": "210987654321" }),
            json!({ "region": UNKNOWN }),
            json!({ "aws_account_id": UNKNOWN }),
        ] {
            resource.plan(None, connection(free)).await.unwrap();
        }
    }
    // One that the state has and keeps, whichever of the two plans comes first.
    let harness = process(&fake).await;
    let kept = harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap();
    for keeps_first in [true, false] {
        let harness = process(&fake).await;
        let resource = harness.resource(NAME);
        resource.read(&kept).await.unwrap();
        let keep = resource.plan(Some(&kept), connection(json!({ "enabled": false })));
        let new = resource.plan(None, connection(json!({ "name": "second" })));
        let (refused, other) = if keeps_first {
            keep.await.unwrap();
            (new.await.unwrap_err(), "`name = \"prod\"`")
        } else {
            new.await.unwrap();
            (keep.await.unwrap_err(), "`name = \"second\"`")
        };
        names(&refused, &[other, "in the state"]);
    }
}

/// No plan of one and the same connection, however often it comes, and none of one that goes or moves is in another's way.
#[tokio::test(start_paused = true)]
async fn a_place_that_one_connection_leaves_is_free_for_another() {
    let (fake, harness) = stage().await;
    let state = harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap();
    let other = || connection(json!({ "name": "other" }));
    let moved = || connection(json!({ "region": "eu-west-1" }));
    // It stays as it is, twice; then `-replace`, in whose second call the private state of the first is sent.
    let resource = process(&fake).await;
    let resource = resource.resource(NAME);
    resource.plan(Some(&state), connection(json!({}))).await.unwrap();
    resource.plan(Some(&state), connection(json!({}))).await.unwrap();
    resource.plan_in_its_place(&state, other()).await.unwrap();
    // A change that replaces it: under `create_before_destroy` both are there for a time.
    let resource = process(&fake).await;
    let resource = resource.resource(NAME);
    let planned = resource.plan(Some(&state), other()).await.unwrap();
    assert_eq!(planned.replaces(), ["name"]);
    resource.plan_in_its_place(&state, other()).await.unwrap();
    // It moves away, and another comes.
    let resource = process(&fake).await;
    let resource = resource.resource(NAME);
    resource.read(&state).await.unwrap();
    resource.plan(Some(&state), moved()).await.unwrap();
    resource.plan_in_its_place(&state, moved()).await.unwrap();
    resource.plan(None, other()).await.unwrap();
    // It goes, and another comes.
    let resource = process(&fake).await;
    let resource = resource.resource(NAME);
    resource.read(&state).await.unwrap();
    resource.plan_destroy(&state).await.unwrap();
    resource.plan(None, other()).await.unwrap();
    // An apply plans it once more, and then makes it.
    harness.resource(NAME).destroy(&state).await.unwrap();
    let harness = process(&fake).await;
    let made = harness.resource(NAME).create(other()).await.unwrap();
    harness.resource(NAME).destroy(&made).await.unwrap();
    harness.resource(NAME).create(other()).await.unwrap();
}
