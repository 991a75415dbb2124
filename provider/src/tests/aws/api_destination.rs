//! `scalr_eventbridge_api_destination`

use serde_json::{Value as Json, json};
use tfplugin::testing::UNKNOWN;

use super::fake::{ACCOUNT, Fake, Trouble};
use super::{and, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    it_is_made_with_its_connection_and_changed_in_place,
    a_secret_is_sent_when_its_version_changes_and_stored_nowhere,
    credentials_of_another_kind_are_a_change,
    a_secret_that_has_to_be_sent_is_asked_for_with_the_plan,
    what_exists_is_not_adopted,
    a_connection_without_its_destination_is_kept_in_the_state,
    what_is_missing_is_repaired,
    an_import_needs_no_secret,
    an_authorization_is_waited_for,
    a_connection_that_goes_slowly_is_waited_for,
    what_aws_refuses_of_it_is_reported,
    two_of_one_name_are_refused,
];

const NAME: &str = "scalr_eventbridge_api_destination";
const SECRET: &str = "letmein-letmein";

pub(in crate::tests) fn config(more: Json) -> Json {
    and(
        json!({
            "name": "hook", "invocation_endpoint": "https://hooks.example.com/scalr",
            "api_key": { "name": "x-api-key" }, "secret_wo": SECRET, "secret_wo_version": 1,
        }),
        more,
    )
}

pub(in crate::tests) fn of_kind(kind: &str) -> Json {
    let credentials = match kind {
        "basic" => json!({ "username": "me" }),
        "oauth" => json!({
            "client_id": "me", "authorization_endpoint": "https://login.example.com/token",
            "body_parameters": { "grant_type": "client_credentials" },
        }),
        _ => return config(json!({})),
    };
    config(json!({ "api_key": null, kind: credentials }))
}

fn secret(version: i64, secret: &Json) -> Json {
    config(json!({ "secret_wo": secret, "secret_wo_version": version }))
}

fn held_secret(fake: &Fake) -> Json {
    fake.state().connections["hook"]["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"].clone()
}

#[tokio::test(start_paused = true)]
async fn it_is_made_with_its_connection_and_changed_in_place() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let mut state = resource.create(config(json!({}))).await.unwrap();
    resource.assert_stable(&state, config(json!({}))).await;
    let shown = state.json();
    assert_eq!(shown["status"], "ready");
    for (at, kind) in [("arn", "api-destination"), ("connection_arn", "connection")] {
        let start = format!("arn:aws:events:us-east-1:{ACCOUNT}:{kind}/hook/");
        assert!(shown[at].as_str().unwrap().starts_with(&start), "{shown}");
    }
    for more in [
        json!({ "invocation_endpoint": "https://hooks.example.com/other", "http_method": "PUT" }),
        json!({ "invocation_rate_limit_per_second": 5 }),
        json!({ "header_parameters": { "accept": "application/json" } }),
        json!({}),
        json!({ "api_key": { "name": "authorization" } }),
    ] {
        let changed = config(more);
        let planned = resource.plan(Some(&state), changed.clone()).await.unwrap();
        assert_eq!(planned.replaces(), Vec::<String>::new());
        state = resource.update(&state, changed.clone()).await.unwrap();
        resource.assert_stable(&state, changed).await;
    }
    assert_eq!(
        fake.state().api_destinations["hook"]["InvocationRateLimitPerSecond"],
        300
    );
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().connections.is_empty() && fake.state().api_destinations.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_sent_when_its_version_changes_and_stored_nowhere() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    for kind in ["api_key", "basic", "oauth"] {
        let state = resource.create(of_kind(kind)).await.unwrap();
        assert!(!state.json().to_string().contains(SECRET), "{}", state.json());
        assert!(
            fake.state().connections["hook"].to_string().contains(SECRET),
            "{kind}"
        );
        resource.assert_stable(&state, of_kind(kind)).await;
        resource.destroy(&state).await.unwrap();
    }
    let mut state = resource.create(config(json!({}))).await.unwrap();
    for (version, sent, held) in [
        (1, "another-secret", SECRET),
        (2, "another-secret", "another-secret"),
        (2, SECRET, "another-secret"),
        (3, SECRET, SECRET),
    ] {
        state = resource
            .update(&state, secret(version, &json!(sent)))
            .await
            .unwrap();
        assert_eq!(held_secret(&fake), held, "{version}");
    }
    // Another header, and the same secret.
    let updates = fake.count("UpdateConnection");
    let headers = and(
        secret(3, &json!("never-sent-key")),
        json!({ "header_parameters": { "a": "b" } }),
    );
    resource.update(&state, headers).await.unwrap();
    assert_eq!(
        (fake.count("UpdateConnection"), held_secret(&fake)),
        (updates + 1, json!(SECRET))
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_of_another_kind_are_a_change() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let mut state = resource.create(config(json!({}))).await.unwrap();
    for kind in ["basic", "oauth", "api_key"] {
        state = resource.update(&state, of_kind(kind)).await.unwrap();
        resource.assert_stable(&state, of_kind(kind)).await;
        assert!(
            fake.state().connections["hook"].to_string().contains(SECRET),
            "{kind}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_has_to_be_sent_is_asked_for_with_the_plan() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let without = |kind: &str| and(of_kind(kind), json!({ "secret_wo": null }));
    for kind in ["api_key", "basic", "oauth"] {
        let refused = resource.plan(None, without(kind)).await.unwrap_err();
        names(&refused, &["`secret_wo`"]);
    }
    // It may become known with the apply, and turn out to be null.
    resource.plan(None, secret(1, &json!(UNKNOWN))).await.unwrap();
    let state = resource.create(config(json!({}))).await.unwrap();
    resource.plan(Some(&state), secret(1, &Json::Null)).await.unwrap();
    let renamed = and(secret(1, &Json::Null), json!({ "name": "other" }));
    for config in [secret(2, &Json::Null), without("basic"), renamed] {
        let refused = resource.plan(Some(&state), config).await.unwrap_err();
        names(&refused, &["`secret_wo`"]);
    }
}

/// Neither object can be tagged, so nothing says whose it is.
#[tokio::test(start_paused = true)]
async fn what_exists_is_not_adopted() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    resource.create(config(json!({}))).await.unwrap();
    for _ in 0..2 {
        let refused = on(fake.config()).resource(NAME).create(config(json!({}))).await;
        names(&refused.unwrap_err(), &["`hook`", "hook@us-east-1"]);
        fake.state().api_destinations.clear();
    }
    // A call whose answer was lost.
    fake.state().connections.clear();
    fake.state()
        .trouble("CreateConnection", Trouble::Breaks { carried_out: true });
    let lost = resource.create(config(json!({}))).await.unwrap_err();
    names(&lost, &["events:CreateConnection", "hook@us-east-1"]);
    let imported = resource.import("hook").await.unwrap();
    let state = resource.update(&imported, config(json!({}))).await.unwrap();
    resource.assert_stable(&state, config(json!({}))).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_its_destination_is_kept_in_the_state() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    for trouble in [
        Trouble::Says("LimitExceededException", "Too many."),
        Trouble::Breaks { carried_out: true },
    ] {
        fake.state().trouble("CreateApiDestination", trouble);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        names(&applied.diags, &["`hook`", "events:CreateApiDestination"]);
        let state = applied.state.unwrap();
        assert!(!state.json().to_string().contains(SECRET), "{}", state.json());
        resource.destroy(&state).await.unwrap();
        assert!(fake.state().connections.is_empty() && fake.state().api_destinations.is_empty());
    }
}

type Break = fn(&Fake);

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_repaired() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let mut state = resource.create(config(json!({}))).await.unwrap();
    let breaks: [(Break, &str); 3] = [
        (|fake| fake.state().connections.clear(), "connection missing"),
        (
            |fake| fake.state().api_destinations.clear(),
            "API destination missing",
        ),
        (
            |fake| {
                let mut held = fake.state();
                let connection = held.connections.get_mut("hook").unwrap();
                connection["ConnectionState"] = json!("DEAUTHORIZED");
                connection["StateReason"] = json!("Somebody did that");
            },
            "not authorized",
        ),
    ];
    for (breaks, status) in breaks {
        breaks(&fake);
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["status"], status);
        if status != "API destination missing" {
            let without = resource.plan(Some(&read), secret(1, &Json::Null)).await;
            names(&without.unwrap_err(), &["`secret_wo`"]);
        }
        state = resource.update(&read, config(json!({}))).await.unwrap();
        resource.assert_stable(&state, config(json!({}))).await;
        assert_eq!(held_secret(&fake), SECRET);
        let held = fake.state();
        assert_eq!(
            held.api_destinations["hook"]["ConnectionArn"],
            held.connections["hook"]["ConnectionArn"]
        );
    }
    fake.state().connections.clear();
    fake.state().api_destinations.clear();
    assert!(resource.read(&state).await.unwrap().is_none());
    fake.state().other_account = Some("210987654321");
    let elsewhere = on(fake.config());
    names(
        &elsewhere.resource(NAME).read(&state).await.unwrap_err(),
        &[ACCOUNT],
    );
}

#[tokio::test(start_paused = true)]
async fn an_import_needs_no_secret() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    for kind in ["api_key", "basic", "oauth"] {
        let config = of_kind(kind);
        let state = resource.create(config.clone()).await.unwrap();
        let arn = state.json()["arn"].as_str().unwrap().to_owned();
        for id in ["hook", arn.as_str()] {
            let imported = resource.import(id).await.unwrap();
            let written = and(
                config.clone(),
                json!({ "secret_wo": null, "secret_wo_version": null }),
            );
            resource.assert_stable(&imported, written).await;
        }
        resource.destroy(&state).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_is_waited_for() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    fake.state()
        .connection_states
        .extend(["AUTHORIZING", "AUTHORIZING"]);
    let state = resource.create(of_kind("oauth")).await.unwrap();
    assert_eq!(fake.count("DescribeConnection"), 4);
    resource.destroy(&state).await.unwrap();
    // What goes wrong then is a warning: both are there.
    for states in [vec!["AUTHORIZING"; 50], vec!["AUTHORIZING", "DEAUTHORIZED"]] {
        fake.state().connection_states.extend(states);
        let short = and(of_kind("oauth"), json!({ "timeouts": { "create": "10s" } }));
        let planned = resource.plan(None, short).await.unwrap();
        let applied = resource.apply(planned).await;
        names(&applied.diags, &["`hook`"]);
        assert!(!applied.diags.has_errors(), "{}", applied.diags);
        fake.state().connection_states.clear();
        resource.destroy(&applied.state.unwrap()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_goes_slowly_is_waited_for() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().connection_states.extend(["DELETING", "DELETING"]);
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().connections.is_empty());
    assert_eq!(fake.count("DeleteConnection"), 1);

    let short = config(json!({ "timeouts": { "delete": "3s" } }));
    let state = resource.create(short).await.unwrap();
    fake.state().connection_states.extend(["DELETING"; 20]);
    names(&resource.destroy(&state).await.unwrap_err(), &["`hook`"]);
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_it_is_reported() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let denied = || Trouble::Says("AccessDeniedException", "You may not send letmein-letmein.");
    for call in ["DescribeApiDestination", "DescribeConnection", "CreateConnection"] {
        fake.state().trouble(call, denied());
        let refused = resource.create(config(json!({}))).await.unwrap_err();
        names(&refused, &[&format!("`events:{call}`")]);
        assert!(!refused.to_string().contains(SECRET), "{refused}");
    }
    let state = resource.create(config(json!({}))).await.unwrap();
    let changed = || {
        let headers = json!({ "header_parameters": { "a": "b" }, "http_method": "PUT" });
        and(secret(2, &json!(SECRET)), headers)
    };
    for call in ["DescribeConnection", "UpdateConnection", "UpdateApiDestination"] {
        fake.state().trouble(call, denied());
        let refused = resource.update(&state, changed()).await.unwrap_err();
        names(&refused, &[&format!("`events:{call}`")]);
        assert!(!refused.to_string().contains(SECRET), "{refused}");
    }
    for call in ["DescribeConnection", "DescribeApiDestination"] {
        fake.state().trouble(call, denied());
        names(
            &resource.read(&state).await.unwrap_err(),
            &[&format!("`events:{call}`")],
        );
    }
    for call in ["DeleteApiDestination", "DeleteConnection"] {
        fake.state().trouble(call, denied());
        names(
            &resource.destroy(&state).await.unwrap_err(),
            &[&format!("`events:{call}`")],
        );
    }
    resource.destroy(&state).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_of_one_name_are_refused() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let here = || config(json!({ "region": "us-east-1" }));
    resource.plan(None, here()).await.unwrap();
    names(
        &resource.plan(None, here()).await.unwrap_err(),
        &["`hook`", "another `name`"],
    );
}
