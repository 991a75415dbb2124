//! `scalr_eventbridge_connection`

use serde_json::{Value as Json, json};
use tfplugin::testing::Wanted;

use super::connection_taken::process;
use super::fake::Trouble;
use super::{and, connection, names, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_connection_lives_pauses_and_goes,
    one_created_paused_is_paused,
    import_reads_everything,
    an_import_that_finds_nothing_says_where_it_looked,
    it_waits_for_the_name_of_the_event_source,
    a_wait_that_times_out_keeps_the_connection,
    a_wait_that_is_interrupted_keeps_the_connection,
    a_taken_place_gives_the_import_block,
    a_region_that_may_not_exist_is_said_at_plan,
    a_lost_answer_gives_the_import_block_and_no_second_call,
    an_update_of_a_connection_that_is_gone_is_an_error,
    the_data_source_finds_it_in_three_ways,
    what_fails_after_the_connection_is_there_is_a_warning,
    what_scalr_refuses_of_a_connection_is_reported,
    a_connection_that_failed_is_warned_of,
    the_data_source_refuses_what_is_ambiguous,
    a_pause_is_read_back,
    a_list_gives_what_an_import_gives,
];

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
    names(&resource.import("prod").await.unwrap_err(), &["`prod`"]);
}

#[tokio::test]
async fn a_list_gives_what_an_import_gives() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    let other = json!({ "name": "other", "region": "eu-west-1", "enabled": false });
    resource.create(connection(other)).await.unwrap();
    let wanted = Wanted {
        limit: 100,
        objects: true,
    };
    let before = fake.count("GET");
    for (config, names) in [
        (json!({}), &["other", "prod"][..]),
        (json!({ "name": "prod" }), &["prod"]),
        (
            json!({ "account_id": "acc-1", "aws_account_id": "123456789012" }),
            &["other", "prod"],
        ),
        (json!({ "account_id": "acc-2" }), &[]),
        (json!({ "aws_account_id": "999999999999" }), &[]),
        (json!({ "region": "us-east-1", "status": "pending" }), &["prod"]),
        (json!({ "status": "disabled" }), &["other"]),
    ] {
        let listed = harness.list(NAME, config.clone(), wanted).await.unwrap();
        let found: Vec<_> = listed
            .objects
            .iter()
            .map(|one| one.display_name.as_str())
            .collect();
        assert_eq!(found, names, "{config}");
    }
    assert_eq!(fake.count("GET") - before, 7, "one call a list");

    let listed = harness
        .list(NAME, json!({ "name": "prod" }), wanted)
        .await
        .unwrap();
    assert_eq!(
        (&listed.objects[0].object, &listed.objects[0].identity),
        (&state.json(), &json!({ "id": "in-1" }))
    );
    let generated = resource.generate(&state).await.unwrap();
    let unset = [
        "account_id",
        "enabled",
        "error_message",
        "event_source_arn",
        "event_source_name",
        "id",
        "status",
        "timeouts",
    ];
    let unset: Json = unset
        .into_iter()
        .map(|name| (name.to_owned(), json!(null)))
        .collect();
    assert_eq!(generated, and(connection(json!({})), unset));
    resource.assert_stable(&state, generated).await;

    fake.state().refuses.push(("GET", 403, json!({})));
    let refused = harness.list(NAME, json!({}), wanted).await.unwrap_err();
    assert!(refused.to_string().contains("list the connections"), "{refused}");
    assert!(
        harness
            .list(NAME, json!({ "status": "paused" }), wanted)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_import_that_finds_nothing_says_where_it_looked() {
    let (fake, harness) = stage().await;
    for (name, id) in [
        (NAME, "in-9"),
        ("scalr_eventbridge_activation", "in-9"),
        ("scalr_audit_log_setting", "acc-1"),
    ] {
        let missing = harness.resource(name).import(id).await.unwrap_err();
        names(&missing, &[&format!("`{id}`"), &fake.url()]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_the_name_of_the_event_source() {
    let (fake, harness) = stage().await;
    fake.state().asks_until_named = 3;
    let state = harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap();
    assert_eq!(
        state.json()["event_source_name"],
        "aws.partner/scalr.com/acme/prod"
    );
    // One for the plan.
    assert_eq!(fake.count("GET"), 4);
}

/// A wait that ends early keeps the connection whole, with a warning: an error would have it replaced.
#[track_caller]
fn kept(applied: &tfplugin::testing::Applied) {
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    names(&applied.diags, &["`in-1`"]);
    let state = applied.state.as_ref().unwrap().json();
    assert_eq!(
        (&state["id"], &state["event_source_name"]),
        (&json!("in-1"), &Json::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_times_out_keeps_the_connection() {
    let (fake, harness) = stage().await;
    fake.state().asks_until_named = u32::MAX;
    let resource = harness.resource(NAME);
    let planned = resource
        .plan(None, connection(json!({ "timeouts": { "create": "9s" } })))
        .await
        .unwrap();
    kept(&resource.apply(planned).await);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_interrupted_keeps_the_connection() {
    let (fake, harness) = stage().await;
    fake.state().asks_until_named = u32::MAX;
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, connection(json!({}))).await.unwrap();
    let interrupt = async {
        fake.until("GET", 2).await;
        harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    kept(&applied);
}

/// The place was free when it was planned.
#[tokio::test]
async fn a_taken_place_gives_the_import_block() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    // One plan does not have both.
    let elsewhere = process(&fake).await;
    let elsewhere = elsewhere.resource(NAME);
    let other = elsewhere
        .plan(None, connection(json!({ "name": "other" })))
        .await
        .unwrap();
    let same = resource.plan(None, connection(json!({}))).await.unwrap();
    let third = process(&fake).await;
    third.resource(NAME).create(connection(json!({}))).await.unwrap();
    let refused = elsewhere.apply(other).await.diags;
    // An import under the other name would plan a replacement.
    let block = "to = scalr_eventbridge_connection.prod\n    id = \"in-1\"";
    names(&refused, &["`in-1`", "`name = \"prod\"`", block]);
    assert_eq!(fake.state().connections.len(), 1);
    let same = resource.apply(same).await.diags;
    names(&same, &["`in-1`"]);
    assert!(!format!("{same}").contains("name = "), "{same}");
}

/// A region of no partition is an error. One that is not known is warned of, and nothing that exists is deleted for it.
#[tokio::test]
async fn a_region_that_may_not_exist_is_said_at_plan() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    let there = |region: &str| connection(json!({ "region": region }));
    let elsewhere = process(&fake).await;
    let new = elsewhere
        .resource(NAME)
        .plan(None, there("us-east-9"))
        .await
        .unwrap();
    names(&new.warnings, &["region", "`us-east-9`", "`us-east-1`"]);
    let moved = resource.plan(Some(&state), there("us-east-9")).await;
    names(
        &moved.unwrap_err(),
        &["region", "`us-east-9`", "Nothing has changed", "`us-east-1`"],
    );
    let known = resource.plan(Some(&state), there("eu-west-1")).await.unwrap();
    assert!(known.warnings.is_empty(), "{}", known.warnings);
    let newer = resource.create(there("us-east-9")).await.unwrap();
    let stays = resource.plan(Some(&newer), there("us-east-9")).await.unwrap();
    assert!(stays.warnings.is_empty(), "{}", stays.warnings);
    let refused = resource
        .validate(connection(json!({ "region": "uk-south-1" })))
        .await;
    names(&refused.unwrap_err(), &["no partition"]);
}

#[tokio::test]
async fn a_lost_answer_gives_the_import_block_and_no_second_call() {
    let (fake, harness) = stage().await;
    fake.state().trouble = Some(Trouble::LosesAnswers);
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, connection(json!({}))).await.unwrap();
    let applied = resource.apply(planned).await;
    assert!(applied.state.is_none());
    names(&applied.diags, &["`in-1`"]);
    assert_eq!(fake.count("POST"), 1);
}

#[tokio::test]
async fn an_update_of_a_connection_that_is_gone_is_an_error() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    fake.state().connections.clear();
    let error = resource
        .update(&state, connection(json!({ "enabled": false })))
        .await
        .unwrap_err();
    names(&error, &["`in-1`"]);
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
        (json!({ "id": "in-9" }), "`in-9`"),
        (json!({ "name": "x" }), "`x`"),
        (json!({ "name": "prdo" }), "`prod`"),
        (json!({}), "`id`"),
        (json!({ "id": "in-1", "name": "prod" }), "`id`"),
        (json!({ "region": "us-east-1" }), "`region`"),
    ] {
        names(&harness.data_source(NAME, way).await.unwrap_err(), &[part]);
    }
}

fn error_document(status: u16, detail: &str, pointer: &str) -> Json {
    let source = json!({ "pointer": pointer });
    json!({ "errors": [{ "status": status.to_string(), "title": "Refused", "detail": detail, "source": source }] })
}

#[tokio::test(start_paused = true)]
async fn what_fails_after_the_connection_is_there_is_a_warning() {
    for (call, enabled, ignores) in [
        ("PATCH", false, false),
        ("GET", true, false),
        ("none", false, true),
    ] {
        let (fake, harness) = stage().await;
        {
            let mut held = fake.state();
            held.asks_until_named = u32::from(enabled) * 5;
            held.trouble = ignores.then_some(Trouble::IgnoresChanges);
            held.refuses = vec![(call, 403, error_document(403, "You may not.", ""))];
        }
        let resource = harness.resource(NAME);
        let planned = resource
            .plan(None, connection(json!({ "enabled": enabled })))
            .await
            .unwrap();
        let applied = resource.apply(planned).await;
        assert!(applied.state.is_some() && !applied.diags.has_errors() && !applied.diags.is_empty());
    }
    let (fake, harness) = stage().await;
    fake.state().asks_until_named = u32::MAX;
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, connection(json!({}))).await.unwrap();
    let gone = async {
        fake.until("GET", 1).await;
        fake.state().connections.clear();
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), gone);
    assert!(applied.state.is_some() && !applied.diags.has_errors());
}

#[tokio::test(start_paused = true)]
async fn what_scalr_refuses_of_a_connection_is_reported() {
    for (status, errors) in [
        (422, error_document(422, "Is taken.", "/data/attributes/name")),
        (
            422,
            error_document(422, "No such account.", "/data/attributes/aws-account-id"),
        ),
        (422, error_document(422, "Not there.", "/data/attributes/region")),
        (409, error_document(409, "Busy.", "")),
        (401, error_document(401, "Unauthorized", "")),
        (403, error_document(403, "You may not.", "")),
        (404, json!({})),
        (502, json!({})),
        (200, json!({ "nonsense": true })),
    ] {
        let (fake, harness) = stage().await;
        fake.state().refuses = vec![("POST", status, errors)];
        harness
            .resource(NAME)
            .create(connection(json!({})))
            .await
            .unwrap_err();
    }
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    let paused = connection(json!({ "enabled": false }));
    for (status, errors) in [
        (422, error_document(422, "Not now.", "/data/attributes/status")),
        (403, error_document(403, "You may not.", "")),
        (502, json!({})),
    ] {
        fake.state().refuses = vec![
            ("PATCH", status, errors.clone()),
            ("DELETE", status, errors.clone()),
            ("GET", status, errors),
        ];
        resource.update(&state, paused.clone()).await.unwrap_err();
        resource.destroy(&state).await.unwrap_err();
        resource.read(&state).await.unwrap_err();
    }
    fake.state().refuses.clear();
    fake.state().trouble = Some(Trouble::IgnoresChanges);
    resource.update(&state, paused).await.unwrap_err();
    fake.set_status("disabled");
    let read = resource.read(&state).await.unwrap().unwrap();
    resource.update(&read, connection(json!({}))).await.unwrap_err();
    fake.state().connections.clear();
    let renamed = connection(json!({ "timeouts": { "create": "1m" } }));
    let _ = resource.update(&state, renamed).await;
}

#[tokio::test]
async fn a_connection_that_failed_is_warned_of() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(connection(json!({}))).await.unwrap();
    for message in [Json::Null, json!("No such AWS account.")] {
        fake.set_status("failed");
        fake.state().connections[0]["attributes"]["err-message"] = message;
        assert!(resource.read(&state).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn the_data_source_refuses_what_is_ambiguous() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    resource.create(connection(json!({}))).await.unwrap();
    resource
        .create(connection(json!({ "region": "eu-west-1" })))
        .await
        .unwrap();
    harness
        .data_source(NAME, json!({ "name": "prod" }))
        .await
        .unwrap_err();
    let nowhere = json!({ "aws_account_id": "210987654321", "region": "us-east-1" });
    harness.data_source(NAME, nowhere).await.unwrap_err();
    harness
        .data_source(NAME, json!({ "id": "prod" }))
        .await
        .unwrap_err();
    fake.state().refuses = vec![("GET", 403, error_document(403, "You may not.", ""))];
    harness
        .data_source(NAME, json!({ "name": "prod" }))
        .await
        .unwrap_err();
}

/// The answer to a pause may show the status from before it.
#[tokio::test(start_paused = true)]
async fn a_pause_is_read_back() {
    for (lag, works) in [(1, true), (3, true), (50, false)] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(NAME);
        let state = resource.create(connection(json!({}))).await.unwrap();
        fake.state().lag = lag;
        let paused = resource
            .update(&state, connection(json!({ "enabled": false })))
            .await;
        let status = paused.ok().map(|state| state.json()["status"].clone());
        assert_eq!(status, works.then(|| json!("disabled")), "{lag}");

        let (fake, harness) = stage().await;
        fake.state().lag = lag + 1;
        let new = harness
            .resource(NAME)
            .create(connection(json!({ "enabled": false })))
            .await
            .unwrap();
        assert_eq!(new.json()["status"] == "disabled", works, "{lag}");
    }
    // On resume no bus is known of: nothing is waited for.
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource
        .create(connection(json!({ "enabled": false })))
        .await
        .unwrap();
    fake.state().refreshed = "pending";
    let resumed = resource.update(&state, connection(json!({}))).await.unwrap();
    assert_eq!(
        (&resumed.json()["status"], fake.count("PATCH")),
        (&json!("pending"), 2)
    );
}
