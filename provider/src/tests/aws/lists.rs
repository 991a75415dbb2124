//! Lists of buses, rules and targets, and the configurations that are generated of what they find.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, Wanted};

use super::fake::{Fake, Trouble};
use super::target::{made, with_rule};
use super::{GROUP, SOURCE, names, on};
use crate::tests::snapshot::scenarios;

scenarios![
    a_list_gives_what_an_import_gives,
    a_list_with_objects_asks_once_a_rule,
    lists_are_narrowed_down,
    what_a_list_needs_is_said,
];

const BUS: &str = "scalr_eventbridge_bus";
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const OBJECTS: Wanted = Wanted {
    limit: 100,
    objects: true,
};

/// A bus with a rule, and a target with a log group.
async fn stage() -> (Fake, Harness) {
    let (fake, harness) = with_rule().await;
    let bus = json!({ "event_source_name": SOURCE, "tags": { "team": "a" } });
    harness.resource(BUS).create(bus).await.unwrap();
    made(&harness, json!({ "create": true, "retention_in_days": 30 })).await;
    (fake, harness)
}

#[tokio::test(start_paused = true)]
async fn a_list_gives_what_an_import_gives() {
    let (_fake, harness) = stage().await;
    let pattern = r#"{"source":[{"prefix":"aws.partner/scalr.com"}]}"#;
    let bus = json!({ "event_source_name": SOURCE, "region": "us-east-1", "tags": { "team": "a" } });
    let rule =
        json!({ "event_bus_name": SOURCE, "name": "runs", "region": "us-east-1", "event_pattern": pattern });
    let group = json!({ "name": GROUP, "create": true, "retention_in_days": 30 });
    let target =
        json!({ "event_bus_name": SOURCE, "rule": "runs", "region": "us-east-1", "log_group": group });
    for (name, written) in [(BUS, bus), (RULE, rule), (TARGET, target)] {
        let resource = harness.resource(name);
        let listed = harness.list(name, json!({}), OBJECTS).await.unwrap();
        let [object] = listed.objects.as_slice() else {
            panic!("{name}: {listed:?}");
        };
        let imported = resource
            .import_by_identity(object.identity.clone())
            .await
            .unwrap();
        assert_eq!(object.object, imported.json(), "{name}");
        let bare = harness
            .list(
                name,
                json!({}),
                Wanted {
                    objects: false,
                    ..OBJECTS
                },
            )
            .await
            .unwrap();
        assert_eq!(
            (&bare.objects[0].identity, &bare.objects[0].object),
            (&object.identity, &json!(null))
        );

        let generated = resource.generate(&imported).await.unwrap();
        assert_eq!(filled(&generated), written, "{name}");
        resource.assert_stable(&imported, generated).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_with_objects_asks_once_a_rule() {
    let (fake, _) = stage().await;
    // A query is a run of its own: nothing was written since the provider was configured.
    let harness = on(fake.config());
    let before = fake.count("ListTargetsByRule");
    let listed = harness.list(TARGET, json!({}), OBJECTS).await.unwrap();
    assert_eq!(listed.objects[0].object["log_group"]["name"], json!(GROUP));
    assert_eq!(fake.count("ListTargetsByRule") - before, 1);
}

/// Without what is null.
fn filled(json: &Json) -> Json {
    match json {
        Json::Object(all) => {
            let all = all.iter().filter(|(_, value)| !value.is_null());
            all.map(|(key, value)| (key.clone(), filled(value))).collect()
        }
        other => other.clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn lists_are_narrowed_down() {
    let (fake, harness) = stage().await;
    let rule = |name: &str, more: Json| (("custom".to_owned(), name.to_owned()), more);
    fake.state().rules.extend([
        rule("mine", json!({ "EventPattern": "{}" })),
        rule("timed", json!({ "ScheduleExpression": "rate(1 day)" })),
    ]);
    fake.state()
        .buses
        .insert("aws.partner/other.com/x".to_owned(), json!({}));
    for (name, config, wanted) in [
        (BUS, json!({}), &[SOURCE][..]),
        (
            BUS,
            json!({ "name_prefix": "aws.partner/scalr.com/acme/" }),
            &[SOURCE],
        ),
        (BUS, json!({ "name_prefix": "aws.partner/scalr.com/other/" }), &[]),
        (
            RULE,
            json!({ "event_bus_name": SOURCE, "name_prefix": "ru" }),
            &["runs"],
        ),
        (RULE, json!({ "name_prefix": "x" }), &[]),
        (RULE, json!({ "event_bus_name": "custom" }), &["mine"]),
        (TARGET, json!({ "rule": "run" }), &[]),
    ] {
        let listed = harness
            .list(
                name,
                config.clone(),
                Wanted {
                    objects: false,
                    ..OBJECTS
                },
            )
            .await
            .unwrap();
        let found: Vec<_> = listed
            .objects
            .iter()
            .map(|one| one.display_name.as_str())
            .collect();
        assert_eq!(found, wanted, "{name} {config}");
    }
    let target = harness
        .list(TARGET, json!({ "rule": "runs" }), OBJECTS)
        .await
        .unwrap();
    assert!(
        target.objects[0].display_name.starts_with("runs/scalr-"),
        "{target:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_list_needs_is_said() {
    for (name, call) in [
        (BUS, "ListEventBuses"),
        (BUS, "DescribeEventBus"),
        (RULE, "ListRules"),
        (TARGET, "ListTargetsByRule"),
    ] {
        let (fake, harness) = stage().await;
        fake.state()
            .trouble(call, Trouble::Says("AccessDeniedException", "You may not."));
        let refused = harness.list(name, json!({}), OBJECTS).await.unwrap_err();
        names(&refused, &[&format!(":{call}")]);
    }
    let (_fake, harness) = stage().await;
    for (name, config) in [
        (BUS, json!({ "name_prefix": "aws.partner/" })),
        (BUS, json!({ "region": "mars" })),
        (
            RULE,
            json!({ "event_bus_name": "arn:aws:events:us-east-1:123456789012:event-bus/x" }),
        ),
    ] {
        assert!(harness.list(name, config, OBJECTS).await.is_err(), "{name}");
    }
}
