//! `scalr_eventbridge_custom_bus`

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN, Wanted};

use super::fake::{ACCOUNT, Fake, Trouble};
use super::{and, events_elsewhere, names, stage, with};
use crate::tests::snapshot::scenarios;

scenarios![
    a_bus_is_made_and_waited_for_and_changed_in_place,
    only_what_changed_is_sent,
    a_key_is_shown_as_it_is_written,
    a_lost_answer_is_asked_for_with_the_same_token,
    a_bus_that_fails_says_why,
    a_wait_that_ends_leaves_the_bus_in_the_state,
    drift_is_shown_and_repaired,
    a_bus_in_use_is_not_deleted,
    a_deletion_is_waited_for,
    buses_of_other_accounts_are_left_out,
    what_aws_refuses_of_a_custom_bus_is_reported,
    a_plan_warns_of_regions_quotas_and_losses,
    a_custom_bus_is_imported_by_name_arn_and_identity,
    custom_buses_of_aws_are_left_alone_where_eventbridge_alone_is_elsewhere,
];

const NAME: &str = "scalr_eventbridge_custom_bus";
const BUS: &str = "scalr";

pub(in crate::tests) fn config(more: Json) -> Json {
    and(json!({ "name": BUS }), more)
}

fn held(fake: &Fake) -> Json {
    let held = fake.state();
    let bus = held.custom.buses.values().find(|bus| bus["Name"] == BUS);
    bus.cloned().unwrap_or_default()
}

/// The next looks at a bus find these states.
fn states(fake: &Fake, states: &[(&'static str, &'static str)]) {
    fake.state().custom.states.extend(states);
}

fn calls(fake: &Fake) -> Vec<String> {
    let of_bus = |call: &&String| call.ends_with("EventBus") && call.starts_with("v2:");
    fake.state().calls.iter().filter(of_bus).cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn a_bus_is_made_and_waited_for_and_changed_in_place() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    states(&fake, &[("CREATING", ""), ("CREATING", "")]);
    let config = |more| {
        config(and(
            json!({ "tags": { "team": "a" }, "region": "us-east-1" }),
            more,
        ))
    };
    let mut state = resource.create(config(json!({}))).await.unwrap();
    let look = "v2:DescribeEventBus";
    assert_eq!(calls(&fake), ["v2:CreateEventBus", look, look, look]);
    resource.assert_stable(&state, config(json!({}))).await;
    let shown = state.json();
    assert_eq!(
        (&shown["state"], &shown["region"], &shown["retention_in_days"]),
        (&json!("ACTIVE"), &json!("us-east-1"), &json!(1))
    );
    assert_eq!(shown["creation_time"], "2026-09-21T14:13:20Z");
    assert_eq!(shown["arn"], held(&fake)["EventBusArn"]);
    for more in [
        json!({ "retention_in_days": 30, "description": "Scalr's events" }),
        json!({ "retention_in_days": 30, "tags": { "team": "b", "more": "" } }),
        json!({ "kms_key_identifier": "arn:aws:kms:us-east-1:123456789012:key/1" }),
    ] {
        let planned = resource.plan(Some(&state), config(more.clone())).await.unwrap();
        assert_eq!(planned.replaces(), Vec::<String>::new());
        state = resource.update(&state, config(more.clone())).await.unwrap();
        resource.assert_stable(&state, config(more)).await;
    }
    let planned = resource
        .plan(Some(&state), and(config(json!({})), json!({ "name": "other" })))
        .await
        .unwrap();
    assert_eq!(planned.replaces(), ["name"]);
    resource.destroy(&state).await.unwrap();
    assert_eq!(held(&fake), json!(null));
}

/// AWS replaces a block whole, and keeps what a call does not mention.
#[tokio::test(start_paused = true)]
async fn only_what_changed_is_sent() {
    let full = json!({ "retention_in_days": 7, "description": "a", "kms_key_identifier": "alias/a" });
    let key = |key: Option<&str>| key.map_or(json!({}), |key| json!({ "KmsKeyIdentifier": key }));
    for (change, want) in [
        (
            json!({ "retention_in_days": 8 }),
            json!({ "StorageConfiguration": { "RetentionPeriodInDays": 8 } }),
        ),
        (json!({ "description": "b" }), json!({ "Description": "b" })),
        (json!({ "description": null }), json!({ "Description": "" })),
        (
            json!({ "kms_key_identifier": "alias/b" }),
            json!({ "EncryptionConfiguration": key(Some("alias/b")) }),
        ),
        (
            json!({ "kms_key_identifier": null }),
            json!({ "EncryptionConfiguration": key(None) }),
        ),
        (json!({ "tags": { "a": "b" } }), json!(null)),
    ] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(NAME);
        let state = resource.create(config(full.clone())).await.unwrap();
        let changed = and(config(full.clone()), change.clone());
        let state = resource.update(&state, changed.clone()).await.unwrap();
        resource.assert_stable(&state, changed).await;
        let mut sent = fake.state().custom.updated.clone();
        if let Some(members) = sent.as_object_mut() {
            members.remove("EventBusArn");
        }
        assert_eq!(sent, want, "{change}");
    }
}

/// AWS shows the key's ARN in place of an alias.
#[tokio::test(start_paused = true)]
async fn a_key_is_shown_as_it_is_written() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let config = config(json!({ "kms_key_identifier": "alias/events" }));
    states(&fake, &[("CREATING", "")]);
    let state = resource.create(config.clone()).await.unwrap();
    resource.assert_stable(&state, config.clone()).await;
    assert!(held(&fake)["EncryptionConfiguration"]["KmsKeyIdentifier"] != "alias/events");
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    for theirs in [
        json!({ "KmsKeyIdentifier": "arn:aws:kms:us-east-1:1:key/theirs" }),
        json!({}),
    ] {
        fake.state().custom.buses.get_mut(&arn).unwrap()["EncryptionConfiguration"] = theirs;
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_ne!(read.json()["kms_key_identifier"], "alias/events");
        let repaired = resource.update(&read, config.clone()).await.unwrap();
        resource.assert_stable(&repaired, config.clone()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_with_the_same_token() {
    for (trouble, times, is_made) in [
        (Trouble::Breaks { carried_out: true }, 1, true),
        (Trouble::Breaks { carried_out: false }, 3, true),
        (Trouble::Empty, 1, true),
        (Trouble::Says("InternalException", "Oh."), 2, true),
        (Trouble::Breaks { carried_out: true }, 4, false),
    ] {
        let (fake, harness) = stage().await;
        for _ in 0..times {
            fake.state().trouble("v2:CreateEventBus", trouble.clone());
        }
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let made = resource.apply(planned).await;
        assert_eq!(made.diags.has_errors(), !is_made, "{trouble:?}: {}", made.diags);
        assert_eq!(made.state.is_some(), is_made);
        assert_eq!(fake.state().custom.buses.len(), 1);
        if !is_made {
            names(&made.diags, &["`scalr`", "may be there now", "import"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_fails_says_why() {
    const REASON: &str = "KMS_ACCESS_DENIED: The key policy does not let EventBridge in.";
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    states(&fake, &[("CREATING", ""), ("CREATE_FAILED", REASON)]);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let made = resource.apply(planned).await;
    names(
        &made.diags,
        &["CREATE_FAILED", "KMS_ACCESS_DENIED", "can only be deleted"],
    );
    resource.destroy(&made.state.unwrap()).await.unwrap();

    let state = resource.create(config(json!({}))).await.unwrap();
    let changed = config(json!({ "kms_key_identifier": "arn:aws:kms:us-east-1:123456789012:key/1" }));
    states(&fake, &[("UPDATING", ""), ("UPDATE_FAILED", REASON)]);
    fake.state().custom.unchangeable = true;
    let planned = resource.plan(Some(&state), changed.clone()).await.unwrap();
    let updated = resource.apply(planned).await;
    names(
        &updated.diags,
        &["UPDATE_FAILED", "KMS_ACCESS_DENIED", "still there"],
    );
    fake.state().custom.unchangeable = false;
    let read = resource.read(&updated.state.unwrap()).await.unwrap().unwrap();
    let state = resource.update(&read, changed.clone()).await.unwrap();
    resource.assert_stable(&state, changed).await;

    // An earlier change of the key left this state; this one is of something else.
    let changed = config(json!({ "description": "b" }));
    states(&fake, &[("UPDATE_FAILED", REASON)]);
    let updated = resource.update(&state, changed).await.unwrap();
    assert_eq!(updated.json()["state"], "UPDATE_FAILED");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_ends_leaves_the_bus_in_the_state() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    states(&fake, &[("CREATING", ""); 400]);
    let made = resource.apply(planned).await;
    assert!(!made.diags.has_errors());
    names(&made.diags, &["`scalr`", "CREATING", "ACTIVE yet"]);
    fake.state().custom.states.clear();
    let state = resource.read(&made.state.unwrap()).await.unwrap().unwrap();
    resource.assert_stable(&state, config(json!({}))).await;

    resource.destroy(&state).await.unwrap();
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    fake.state().trouble(
        "v2:DescribeEventBus",
        Trouble::Says("AccessDeniedException", "No."),
    );
    let made = resource.apply(planned).await;
    assert!(!made.diags.has_errors());
    names(
        &made.diags,
        &["`scalr`", "events:DescribeEventBus", "next plan shows"],
    );
}

#[tokio::test(start_paused = true)]
async fn drift_is_shown_and_repaired() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let config = config(json!({ "description": "ours", "tags": { "team": "a" } }));
    let state = resource.create(config.clone()).await.unwrap();
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    for (member, value, at) in [
        ("Description", json!("theirs"), "description"),
        (
            "StorageConfiguration",
            json!({ "RetentionPeriodInDays": 9 }),
            "retention_in_days",
        ),
        (
            "EncryptionConfiguration",
            json!({ "KmsKeyIdentifier": "arn:aws:kms:r:1:key/x" }),
            "kms_key_identifier",
        ),
    ] {
        fake.state().custom.buses.get_mut(&arn).unwrap()[member] = value;
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_ne!(read.json()[at], state.json()[at], "{member}");
        let repaired = resource.update(&read, config.clone()).await.unwrap();
        assert_eq!(repaired.json()[at], state.json()[at], "{member}");
        resource.assert_stable(&repaired, config.clone()).await;
    }
    fake.state()
        .tags
        .get_mut(&arn)
        .unwrap()
        .insert("theirs".to_owned(), "x".to_owned());
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["tags_all"]["theirs"], "x");
    let repaired = resource.update(&read, config.clone()).await.unwrap();
    assert_eq!(repaired.json()["tags_all"], json!({ "team": "a" }));

    fake.state().custom.buses.clear();
    assert!(resource.read(&state).await.unwrap().is_none());
    fake.state().other_account = Some("210987654321");
    let (fake, harness) = stage().await;
    fake.state().other_account = Some("210987654321");
    let refused = harness.resource(NAME).read(&state).await.unwrap_err();
    names(&refused, &["210987654321", ACCOUNT]);
}

#[tokio::test(start_paused = true)]
async fn a_bus_in_use_is_not_deleted() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().custom.subscribers = vec!["runs", "audit"];
    let planned = resource.plan_destroy(&state).await.unwrap();
    names(&planned.warnings, &["deletes the events", "1 day"]);
    let kept = resource.apply(planned).await;
    assert!(kept.state.is_some());
    names(
        &kept.diags,
        &[
            "`runs`",
            "ResourceInUseException",
            "15 seconds",
            "list-subscribers",
        ],
    );
    fake.state().custom.subscribers.clear();
    resource.destroy(&state).await.unwrap();
    assert_eq!(held(&fake), json!(null));
    // One that is gone is no error.
    resource.destroy(&state).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_waited_for() {
    const DELETE: &str = "v2:DeleteEventBus";
    for (troubles, shown, deletions, is_deleted) in [
        (vec![], vec!["DELETING", "DELETING"], 1, true),
        (vec![Trouble::Empty], vec!["DELETING"], 1, true),
        (
            vec![Trouble::Says("InvalidStateException", "No.")],
            vec!["UPDATING"],
            2,
            true,
        ),
        (
            vec![Trouble::Says("InvalidStateException", "No.")],
            vec![],
            1,
            false,
        ),
        (
            vec![Trouble::Says("ConcurrentModificationException", "No.")],
            vec![],
            2,
            true,
        ),
    ] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(NAME);
        let state = resource.create(config(json!({}))).await.unwrap();
        let said = format!("{troubles:?}");
        for trouble in troubles {
            fake.state().trouble(DELETE, trouble);
        }
        let shown: Vec<_> = shown.into_iter().map(|state| (state, "")).collect();
        // A deletion that was carried out leaves nothing to be described.
        if deletions > 1 {
            states(&fake, &shown);
        }
        let planned = resource.plan_destroy(&state).await.unwrap();
        let gone = resource.apply(planned).await;
        assert_eq!(gone.state.is_none(), is_deleted, "{said}: {}", gone.diags);
        assert_eq!(fake.count(DELETE), deletions, "{said}");
    }
    // AWS took it, and it failed by itself.
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().custom.undeletable = state.json()["arn"].as_str().map(str::to_owned);
    let planned = resource.plan_destroy(&state).await.unwrap();
    let kept = resource.apply(planned).await;
    assert_eq!((kept.state.is_some(), fake.count(DELETE)), (true, 3));
    names(&kept.diags, &["DELETE_FAILED", "was not deleted"]);
}

/// They are shared with this one.
#[tokio::test(start_paused = true)]
async fn buses_of_other_accounts_are_left_out() {
    let (fake, harness) = stage().await;
    fake.state().custom.hold("210987654321", BUS);
    let resource = harness.resource(NAME);
    let wanted = Wanted {
        limit: 100,
        objects: true,
    };
    assert!(
        harness
            .list(NAME, json!({}), wanted)
            .await
            .unwrap()
            .objects
            .is_empty()
    );
    let refused = resource.import("scalr").await.unwrap_err();
    names(&refused, &["There is no custom event bus `scalr`"]);
    let own = fake.state().custom.hold(ACCOUNT, BUS);
    fake.state().custom.hold(ACCOUNT, "another");
    let config = json!({ "name_prefix": "sc" });
    let listed = harness.list(NAME, config, wanted).await.unwrap().objects;
    let arns: Vec<&Json> = listed.iter().map(|one| &one.object["arn"]).collect();
    assert_eq!(arns, [&json!(own)]);
    assert_eq!(listed[0].identity, json!({ "name": BUS, "region": "us-east-1" }));
    let found = harness.data_source(NAME, json!({ "name": BUS })).await.unwrap();
    assert_eq!((&found["arn"], &found["state"]), (&json!(own), &json!("ACTIVE")));
    assert_eq!(found["retention_window_start_time"], "2026-09-21T14:13:20Z");
    let missing = harness
        .data_source(NAME, json!({ "name": "none" }))
        .await
        .unwrap_err();
    names(&missing, &["There is no custom event bus `none`", ACCOUNT]);
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_a_custom_bus_is_reported() {
    let says = |code, message| Trouble::Says(code, message);
    for (call, trouble, words) in [
        (
            "v2:CreateEventBus",
            says("LimitExceededException", "Too many."),
            &[
                "`eventsv2:CreateEventBus`",
                "5 custom event buses",
                "Service Quotas",
            ][..],
        ),
        (
            "v2:CreateEventBus",
            says("AccessDeniedException", "Access denied."),
            &["IAM permission `events:CreateEventBus`"],
        ),
        (
            "v2:CreateEventBus",
            says("InvalidInputException", "1 validation error detected"),
            &["1 validation error", "changed nothing"],
        ),
    ] {
        let (fake, harness) = stage().await;
        fake.state().trouble(call, trouble);
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let made = resource.apply(planned).await;
        assert!(made.state.is_none());
        names(&made.diags, words);
    }
    let changes = json!({ "description": "b", "tags": { "a": "b" } });
    for call in ["v2:UpdateEventBus", "v2:TagResource", "v2:DeleteEventBus"] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(NAME);
        let state = resource.create(config(json!({}))).await.unwrap();
        fake.state()
            .trouble(call, says("AccessDeniedException", "Access denied."));
        let planned = if call == "v2:DeleteEventBus" {
            resource.plan_destroy(&state).await.unwrap()
        } else {
            resource
                .plan(Some(&state), config(changes.clone()))
                .await
                .unwrap()
        };
        let refused = resource.apply(planned).await;
        assert!(refused.state.is_some(), "{call}");
        names(
            &refused.diags,
            &["`scalr`", &call.replace("v2:", "permission `events:")],
        );
    }
    let (fake, harness) = stage().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    for (call, trouble) in [
        (
            "v2:DescribeEventBus",
            says("AccessDeniedException", "Access denied."),
        ),
        ("v2:DescribeEventBus", Trouble::Empty),
    ] {
        fake.state().trouble(call, trouble);
        let refused = harness.resource(NAME).read(&state).await.unwrap_err();
        names(&refused, &["Cannot read the custom event bus `scalr`"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_warns_of_regions_quotas_and_losses() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let plan = async |config: Json| resource.plan(None, config).await.unwrap().warnings;
    assert!(plan(config(json!({}))).await.is_empty());
    let warned = plan(config(json!({ "region": "eu-west-3" }))).await;
    names(
        &warned,
        &["`eu-west-3`", "`eu-west-1`", "us-west-2", "scalr_eventbridge_bus"],
    );
    assert!(plan(config(json!({ "region": "eu-north-1" }))).await.is_empty());
    assert!(plan(config(json!({ "region": UNKNOWN }))).await.is_empty());

    // One is planned above; four are there.
    for name in ["a", "b", "c", "d"] {
        fake.state().custom.hold(ACCOUNT, name);
    }
    assert!(plan(config(json!({}))).await.is_empty());
    names(
        &plan(config(json!({ "name": "sixth" }))).await,
        &["more than 5", "has 4", "makes 2"],
    );

    let state = resource
        .create(config(json!({ "retention_in_days": 7 })))
        .await
        .unwrap();
    let renamed = resource
        .plan(Some(&state), json!({ "name": "other" }))
        .await
        .unwrap();
    names(&renamed.warnings, &["Replacing", "7 days", "another ARN"]);
    let moved = config(json!({ "region": "eu-west-3" }));
    let refused = resource.plan(Some(&state), moved).await.unwrap_err();
    names(
        &refused,
        &["`eu-west-3`", "delete it first", "Nothing has changed"],
    );

    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let here = || config(json!({ "region": "us-east-1" }));
    resource.plan(None, here()).await.unwrap();
    let twice = resource.plan(None, here()).await.unwrap_err();
    names(
        &twice,
        &[
            "custom event bus `scalr` is made by two resources",
            "another `name`",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_custom_bus_is_imported_by_name_arn_and_identity() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let config = config(json!({ "tags": { "team": "a" }, "description": "x" }));
    let state = resource.create(config.clone()).await.unwrap();
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    for id in ["scalr", "scalr@us-east-1", &arn] {
        let imported = resource.import(id).await.unwrap();
        assert_eq!(imported.json(), state.json(), "{id}");
        resource.assert_stable(&imported, config.clone()).await;
    }
    let identity = resource.identity(&state);
    assert_eq!(identity, json!({ "name": BUS, "region": "us-east-1" }));
    let imported = resource.import_by_identity(json!({ "name": BUS })).await.unwrap();
    assert_eq!(imported.json(), state.json());
    let theirs = arn.replace(ACCOUNT, "210987654321");
    names(&resource.import(&theirs).await.unwrap_err(), &["210987654321"]);
    names(&resource.import("none").await.unwrap_err(), &["`none`", ACCOUNT]);
    names(
        &resource.import("a/b").await.unwrap_err(),
        &["`NAME@REGION`", "Classic"],
    );
    drop(fake);
}

#[tokio::test(start_paused = true)]
async fn custom_buses_of_aws_are_left_alone_where_eventbridge_alone_is_elsewhere() {
    let fake = Fake::new();
    let harness: Harness = with(events_elsewhere(), fake.config());
    let resource = harness.resource(NAME);
    let refused = resource.plan(None, config(json!({}))).await.unwrap_err();
    names(
        &refused,
        &["endpoints.eventsv2", "AWS_ENDPOINT_URL_EVENTBRIDGEV2"],
    );
    for refused in [
        resource.import("scalr").await.unwrap_err(),
        harness
            .data_source(NAME, json!({ "name": BUS }))
            .await
            .unwrap_err(),
    ] {
        names(&refused, &["endpoints.eventsv2"]);
    }
    assert!(!fake.state().calls.iter().any(|call| call.starts_with("v2:")));
}
