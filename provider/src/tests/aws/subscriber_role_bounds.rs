//! `scalr_eventbridge_subscriber` with a role that it makes: its permissions boundary, and that it goes with its subscriber.

use serde_json::{Value as Json, json};

use super::fake::Trouble;
use super::subscriber_role::{ARN, NAME, OTHER, ROLE, config, stage};
use super::{and, names, on};
use crate::tests::snapshot::scenarios;

scenarios![
    a_role_has_the_permissions_boundary_that_is_written,
    a_role_that_goes_with_the_old_subscriber_is_not_the_new_ones,
];

/// An organisation may let no other role be made.
#[tokio::test(start_paused = true)]
async fn a_role_has_the_permissions_boundary_that_is_written() {
    const LIMIT: &str = "arn:aws:iam::123456789012:policy/limit";
    const NEWER: &str = "arn:aws:iam::123456789012:policy/newer";
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let with = |boundary: Option<&str>| {
        config(json!({ "role": { "create": true, "permissions_boundary": boundary } }))
    };
    let held = || fake.state().roles[ROLE].boundary.clone();
    let mut state = resource.create(with(Some(LIMIT))).await.unwrap();
    resource.assert_stable(&state, with(Some(LIMIT))).await;
    assert_eq!(held().as_deref(), Some(LIMIT));
    assert_eq!(fake.count("PutRolePermissionsBoundary"), 0, "it is made with it");
    let imported = resource
        .import(state.json()["arn"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(imported.json()["role"]["permissions_boundary"], LIMIT);
    for next in [Some(NEWER), None, Some(LIMIT)] {
        state = resource.update(&state, with(next)).await.unwrap();
        resource.assert_stable(&state, with(next)).await;
        assert_eq!(held().as_deref(), next);
    }
    // Somebody changes it.
    for theirs in [None, Some(NEWER.to_owned())] {
        fake.state().roles.get_mut(ROLE).unwrap().boundary = theirs;
        let read = resource.read(&state).await.unwrap().unwrap();
        let planned = resource.plan(Some(&read), with(Some(LIMIT))).await.unwrap();
        assert!(!planned.is_empty() && planned.replaces().is_empty());
        state = resource.apply(planned).await.state.unwrap();
        assert_eq!(held().as_deref(), Some(LIMIT));
    }
    // A destroy and another subscriber need no more.
    for (call, next) in [
        ("PutRolePermissionsBoundary", Some(NEWER)),
        ("DeleteRolePermissionsBoundary", None),
    ] {
        fake.state()
            .trouble(call, Trouble::Says("AccessDenied", "Not authorized."));
        let planned = resource.plan(Some(&state), with(next)).await.unwrap();
        let failed = resource.apply(planned).await;
        names(
            &failed.diags,
            &["permissions boundary of the role", call, "your organisation"],
        );
        state = failed.state.unwrap();
    }
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().roles.is_empty());
    let refused = resource.plan(None, with(Some("limit"))).await.unwrap_err();
    names(&refused, &["permissions_boundary", "managed policy"]);
}

/// Replaced by an attribute; or by `-replace` or a taint, which only the plan of the new one tells.
#[tokio::test(start_paused = true)]
async fn a_role_that_goes_with_the_old_subscriber_is_not_the_new_ones() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let made = resource.create(config(json!({}))).await.unwrap();
    let named = |more: Json| super::subscriber::config(and(json!({ "role_arn": ARN }), more));
    let replaced = json!({ "type": "FIFO" });
    let in_its_place = async |config: Json| {
        let harness = on(fake.config());
        harness.resource(NAME).plan_in_its_place(&made, config).await
    };
    let refused = resource
        .plan(Some(&made), named(replaced.clone()))
        .await
        .unwrap_err();
    names(&refused, &[ARN, "two steps", "role_arn"]);
    let again = in_its_place(named(json!({}))).await.unwrap_err();
    names(&again, &[ARN, "two steps"]);
    // Of a tainted one nothing but what was refreshed is known.
    let tainted = on(fake.config());
    tainted.resource(NAME).read(&made).await.unwrap();
    let again = tainted.resource(NAME).plan(None, named(json!({}))).await;
    names(&again.unwrap_err(), &[ARN, "untaint"]);
    let another = named(json!({ "name": "another" }));
    tainted.resource(NAME).plan(None, another).await.unwrap();
    // The other role that a replacement makes or names is none of it.
    for other in [
        config(replaced.clone()),
        named(json!({ "role_arn": OTHER, "type": "FIFO" })),
    ] {
        resource.plan(Some(&made), other.clone()).await.unwrap();
        in_its_place(other).await.unwrap();
    }
    // In two steps.
    let state = resource.update(&made, named(json!({}))).await.unwrap();
    let state = resource.update(&state, named(replaced.clone())).await.unwrap();
    assert_eq!(state.json()["role_arn"], ARN);
    resource.assert_stable(&state, named(replaced)).await;
}
