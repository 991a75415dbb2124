//! `scalr_eventbridge_subscriber`

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, State, Wanted};

use super::fake::{ACCOUNT, Fake, Trouble};
use super::subscriber_settings::full;
use super::{and, events_elsewhere, names, on, with};
use crate::tests::snapshot::scenarios;

scenarios![
    a_subscriber_is_made_and_settles,
    a_subscriber_begins_and_goes_on_where_it_is_asked_to,
    subscribers_of_a_bus_are_changed_one_at_a_time,
    a_lost_answer_about_a_subscriber_is_asked_for_again,
    what_a_plan_says_of_a_subscriber,
    a_log_group_is_no_target_arn,
    what_a_configuration_of_a_subscriber_cannot_have,
    a_subscriber_is_deleted_once_it_can_be,
    subscribers_are_listed_imported_and_looked_up,
    what_aws_refuses_of_a_subscriber_is_reported,
];

pub(super) const NAME: &str = "scalr_eventbridge_subscriber";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/scalr/abcdefghij0123456789abcde";
pub(super) const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:runs";
pub(super) const DEAD: &str = "arn:aws:sqs:us-east-1:123456789012:dead";
pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/deliver";
pub(super) const CALL: &str = "arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents";
pub(super) const PATTERN: &str = r#"{"detail-type":["RunExecuted"]}"#;

pub(in crate::tests) fn config(more: Json) -> Json {
    let config = json!({ "name": "runs", "event_bus_arn": BUS, "target_arn": QUEUE, "role_arn": ROLE });
    and(config, more)
}

pub(super) fn stage() -> (Fake, Harness) {
    let fake = Fake::new();
    let harness = on(fake.config());
    (fake, harness)
}

pub(super) async fn made(harness: &Harness, more: Json) -> State {
    harness.resource(NAME).create(config(more)).await.unwrap()
}

fn states(fake: &Fake, states: &[&'static str]) {
    let states = states.iter().map(|state| (*state, ""));
    fake.state().custom.states.extend(states);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_is_made_and_settles() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let config = config(json!({
        "filter": [{ "scope": "DATA", "pattern": PATTERN }], "tags": { "team": "a" }, "enabled": false,
        "transformer": { "type": "JSONATA", "expression": "{% $events.Data %}" }, "type": "FIFO",
    }));
    states(&fake, &["CREATING"]);
    let planned = resource.plan(None, config.clone()).await.unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    let applied = resource.apply(planned).await;
    assert!(applied.diags.is_empty(), "{}", applied.diags);
    let state = applied.state.unwrap();
    resource.assert_stable(&state, config.clone()).await;
    let shown = state.json();
    assert_eq!(
        (&shown["state"], &shown["region"]),
        (&json!("STOPPED"), &json!("us-east-1"))
    );
    assert_eq!(
        fake.count("v2:DescribeSubscriber"),
        3,
        "it is looked at until it settles"
    );
    for (attribute, other) in [
        ("name", json!("other")),
        ("event_bus_arn", json!(BUS.replace("scalr/", "other/"))),
        ("target_arn", json!(DEAD)),
        ("type", json!("UNORDERED")),
        ("point_in_time", json!({ "type": "HORIZON" })),
    ] {
        let more = match attribute {
            "point_in_time" => json!({ "starting_position": "POINT_IN_TIME" }),
            _ => json!({}),
        };
        let changed = and(and(config.clone(), json!({ attribute: other })), more);
        let planned = resource.plan(Some(&state), changed).await.unwrap();
        assert!(planned.replaces().contains(&attribute.to_owned()));
        if attribute == "point_in_time" {
            assert!(planned.warnings.is_empty(), "{}", planned.warnings);
        } else {
            names(&planned.warnings, &["leaves a gap", "starting_point"]);
        }
    }
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().custom.held_subscribers.is_empty());

    let harness = on(fake.config());
    let resource = harness.resource(NAME);
    states(&fake, &["CREATE_FAILED"]);
    let planned = resource.plan(None, config.clone()).await.unwrap();
    let failed = resource.apply(planned).await;
    names(&failed.diags, &["`runs` is CREATE_FAILED", "StateReason"]);
    resource.destroy(&failed.state.unwrap()).await.unwrap();
    states(&fake, &["CREATING"; 400]);
    let planned = resource.plan(None, config).await.unwrap();
    let late = resource.apply(planned).await;
    assert!(!late.diags.has_errors());
    names(&late.diags, &["may not deliver yet"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_begins_and_goes_on_where_it_is_asked_to() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let whole = |more: Json| {
        let config = config(json!({
            "starting_position": "POINT_IN_TIME", "enabled": false, "batch": { "maximum_batch_window_in_seconds": 3 },
            "point_in_time": { "type": "TIMESTAMP", "starting_point": "2026-09-21T15:33:20+02:00", "end_point": "2026-09-22T00:00:00Z" },
        }));
        and(config, more)
    };
    let state = resource.create(whole(json!({}))).await.unwrap();
    resource.assert_stable(&state, whole(json!({}))).await;
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    let held = fake.state().custom.held_subscribers[&arn].clone();
    assert_eq!(
        held["PointInTimeConfiguration"],
        json!({ "PointType": "TIMESTAMP", "StartingPoint": 1_789_997_600, "EndPoint": 1_790_035_200 })
    );
    assert_eq!(
        held["BatchConfiguration"],
        json!({ "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 3 })
    );
    let imported = resource.import(&arn).await.unwrap();
    assert_eq!(
        imported.json()["point_in_time"]["starting_point"],
        "2026-09-21T13:33:20Z"
    );

    // Where it continues is said only when it begins to run again.
    let on = json!({ "enabled": true, "resume_position": "LATEST", "batch": null });
    let state = resource.update(&state, whole(on.clone())).await.unwrap();
    resource.assert_stable(&state, whole(on.clone())).await;
    let mut sent = fake.state().custom.updated.clone();
    sent.as_object_mut().unwrap().remove("SubscriberArn");
    assert_eq!(
        sent,
        json!({ "State": "RUNNING", "ResumePosition": "LATEST",
            "BatchConfiguration": { "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 0 } })
    );
    resource
        .update(&state, whole(and(on, json!({ "enabled": false }))))
        .await
        .unwrap();
    assert_eq!(fake.state().custom.updated["ResumePosition"], json!(null));
}

/// Changes of two subscribers of one bus: each is over before the next begins.
#[tokio::test(start_paused = true)]
async fn subscribers_of_a_bus_are_changed_one_at_a_time() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    // The first is looked at twice before the second is made.
    states(&fake, &["CREATING"]);
    fake.state().trouble(
        "v2:CreateSubscriber",
        Trouble::Says("ConcurrentModificationException", "Another subscriber."),
    );
    let (one, other) = tokio::join!(
        resource.create(config(json!({}))),
        resource.create(config(json!({ "name": "audit" })))
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    let called: Vec<String> = fake.state().calls.clone();
    let order: Vec<&str> = called
        .iter()
        .filter_map(|call| call.strip_prefix("v2:"))
        .filter(|call| !call.starts_with("List"))
        .collect();
    assert_eq!(
        order,
        [
            "CreateSubscriber",
            "CreateSubscriber",
            "DescribeSubscriber",
            "DescribeSubscriber",
            "CreateSubscriber",
            "DescribeSubscriber",
        ]
    );
    let (one, other) = tokio::join!(resource.destroy(&one), resource.destroy(&other));
    one.unwrap();
    other.unwrap();
    assert!(fake.state().custom.held_subscribers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_about_a_subscriber_is_asked_for_again() {
    for (times, is_made) in [(1, true), (4, false)] {
        let (fake, harness) = stage();
        for _ in 0..times {
            fake.state()
                .trouble("v2:CreateSubscriber", Trouble::Breaks { carried_out: true });
        }
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let made = resource.apply(planned).await;
        assert_eq!(made.diags.has_errors(), !is_made, "{}", made.diags);
        assert_eq!(fake.state().custom.held_subscribers.len(), 1);
        if is_made {
            continue;
        }
        names(&made.diags, &["may be there now", "import"]);
        let harness = on(fake.config());
        let planned = harness
            .resource(NAME)
            .plan(None, config(json!({})))
            .await
            .unwrap();
        names(&planned.warnings, &["`runs` already", "subscriber/runs/"]);
        let refused = harness.resource(NAME).apply(planned).await;
        names(
            &refused.diags,
            &["exists already", "import {", "subscriber/runs/"],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_says_of_a_subscriber() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let filter = |scope: &str, pattern: &str| json!({ "filter": [{ "scope": scope, "pattern": pattern }] });
    let long = format!(r#"{{"a":["{}"]}}"#, "x".repeat(2_100));
    let twice = json!({ "filter": [{ "scope": "DATA", "pattern": PATTERN }, { "scope": "DATA", "pattern": PATTERN }] });
    let both = json!({ "filter": [{ "scope": "DATA", "pattern": long }, { "scope": "SYSTEM_METADATA", "pattern": long }] });
    for (more, words) in [
        (
            filter("DATA", r#"{"a":[{"wildcard":"x*"}]}"#),
            &[
                "AWS refuses the filters of the subscriber `runs`",
                "wildcard",
                "`prefix`",
            ][..],
        ),
        (twice, &["Duplicate filter scope: DATA", "one filter a scope"]),
        (both, &["4096", "Shorten"]),
        (
            filter("METADATA", r#"{"a":["b"]}"#),
            &["METADATA", "matches none of Scalr's events"],
        ),
        (filter("METADATA", r#"{"a":[{"prefix":"b"}]}"#), &["exact values"]),
        (
            filter("DATA", r#"{"detail-type":["RunExectued"]}"#),
            &["matches none of Scalr's events", "RunExecuted"],
        ),
    ] {
        let harness = on(fake.config());
        let planned = harness.resource(NAME).plan(None, config(more)).await.unwrap();
        names(&planned.warnings, words);
    }
    let state = made(&harness, json!({})).await;
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    fake.state().custom.held_subscribers.get_mut(&arn).unwrap()["Revoked"] = json!(true);
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["state"], "REVOKED");
    let planned = resource.plan(Some(&read), config(json!({}))).await.unwrap();
    names(&planned.warnings, &["is revoked", "-replace"]);
}

/// It is said once what to write, whatever else the configuration has.
#[tokio::test(start_paused = true)]
async fn a_log_group_is_no_target_arn() {
    let (_fake, harness) = stage();
    let resource = harness.resource(NAME);
    for more in [
        json!({}),
        json!({ "input": "{}" }),
        json!({ "role_arn": null, "role": { "create": true } }),
    ] {
        let target = json!({ "target_arn": "arn:aws:logs:us-east-1:123456789012:log-group:/a/b:*" });
        let refused = resource.plan(None, config(and(target, more))).await.unwrap_err();
        names(&refused, &["target_arn", "`log_group = { name = \"/a/b\" }`"]);
        assert_eq!(refused.iter().count(), 1, "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_configuration_of_a_subscriber_cannot_have() {
    let (_fake, harness) = stage();
    let resource = harness.resource(NAME);
    for (more, words) in [
        (
            json!({ "target_arn": QUEUE.replace("us-east-1", "eu-west-1") }),
            &["another region", "eu-west-1"][..],
        ),
        (json!({ "target_arn": BUS }), &["own bus"]),
        (json!({ "target_arn": CALL }), &["no arguments", "LogGroupName"]),
        (json!({ "input": "{}" }), &["for calls only", "`transformer`"]),
        (
            json!({ "target_arn": CALL, "input": "{}", "transformer": { "type": "WITH_METADATA" } }),
            &["A call to AWS takes no transformed events"],
        ),
        (
            json!({ "target_arn": "arn:aws:events:us-east-1:123456789012:event-bus/x", "transformer": { "type": "WITH_METADATA" } }),
            &["A Classic event bus takes no transformed events"],
        ),
        (
            json!({ "transformer": { "type": "JSONATA" } }),
            &["needs `expression`"],
        ),
        (
            json!({ "transformer": { "type": "RAW", "expression": "{% 1 %}" } }),
            &["type RAW has no `expression`"],
        ),
        (
            json!({ "starting_position": "POINT_IN_TIME" }),
            &["needs `point_in_time`", "HORIZON"],
        ),
        (
            json!({ "point_in_time": { "type": "HORIZON" } }),
            &["without the starting position POINT_IN_TIME"],
        ),
        (
            json!({ "starting_position": "POINT_IN_TIME", "point_in_time": { "type": "TIMESTAMP" } }),
            &["needs `starting_point`", "5 minutes"],
        ),
        (
            json!({ "starting_position": "POINT_IN_TIME", "point_in_time": { "type": "HORIZON", "starting_point": "2026-09-21T15:33:20Z" } }),
            &["HORIZON has no `starting_point`"],
        ),
        (
            json!({ "filter": [{ "scope": "data", "pattern": "[]" }] }),
            &["DATA"],
        ),
    ] {
        names(&resource.plan(None, config(more)).await.unwrap_err(), words);
    }
    let fake = Fake::new();
    let harness = with(events_elsewhere(), fake.config());
    let refused = harness
        .resource(NAME)
        .plan(None, config(json!({})))
        .await
        .unwrap_err();
    names(&refused, &["endpoints.eventsv2"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_is_deleted_once_it_can_be() {
    const DELETE: &str = "v2:DeleteSubscriber";
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = made(&harness, json!({})).await;
    for code in ["InvalidStateException", "ConcurrentModificationException"] {
        fake.state().trouble(DELETE, Trouble::Says(code, "No."));
    }
    states(&fake, &["UPDATING"]);
    let planned = resource.plan_destroy(&state).await.unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    let gone = resource.apply(planned).await;
    assert!(gone.state.is_none() && fake.count(DELETE) >= 3, "{}", gone.diags);
    resource.destroy(&state).await.unwrap();

    let state = made(&harness, json!({})).await;
    fake.state()
        .trouble(DELETE, Trouble::Says("InvalidStateException", "No."));
    let planned = resource.plan_destroy(&state).await.unwrap();
    let kept = resource.apply(planned).await;
    assert!(kept.state.is_some());
    names(&kept.diags, &["Cannot delete the subscriber `runs`"]);
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_listed_imported_and_looked_up() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let whole = and(full(), json!({ "tags": { "team": "a" } }));
    let state = made(&harness, whole.clone()).await;
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    for id in ["runs", "runs@us-east-1", &arn] {
        let imported = resource.import(id).await.unwrap();
        assert_eq!(imported.json(), state.json(), "{id}");
        resource.assert_stable(&imported, config(whole.clone())).await;
    }
    let wanted = Wanted {
        limit: 100,
        objects: true,
    };
    let listed = harness.list(NAME, json!({}), wanted).await.unwrap().objects;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].object, state.json());
    assert_eq!(
        listed[0].identity,
        json!({ "name": "runs", "region": "us-east-1" })
    );
    let found = harness
        .data_source(NAME, json!({ "name": "runs", "event_bus_arn": BUS }))
        .await
        .unwrap();
    let filters = json!({ "DATA": PATTERN, "SYSTEM_METADATA": r#"{"aws:DeliveryType":["LIVE"]}"# });
    assert_eq!(
        (&found["arn"], &found["target_arn"], &found["filters"]),
        (&json!(arn), &json!(QUEUE), &filters)
    );
    names(&resource.import("none").await.unwrap_err(), &["`none`", ACCOUNT]);
    names(
        &resource.import("a/b").await.unwrap_err(),
        &["subscriber/NAME/ID"],
    );
    let none = harness.data_source(NAME, json!({ "name": "none" })).await;
    names(&none.unwrap_err(), &["no subscriber `none`", ACCOUNT]);
    // The same name on another bus, should AWS allow that.
    let other = arn.replace(":subscriber/runs/0", ":subscriber/runs/9");
    let subscriber = fake.state().custom.held_subscribers[&arn].clone();
    let second = and(subscriber, json!({ "SubscriberArn": other }));
    fake.state().custom.held_subscribers.insert(other.clone(), second);
    names(
        &resource.import("runs").await.unwrap_err(),
        &["2 subscribers", &other],
    );
    let several = harness.data_source(NAME, json!({ "name": "runs" })).await;
    names(&several.unwrap_err(), &["2 subscribers", "event_bus_arn"]);
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_a_subscriber_is_reported() {
    let denied = || Trouble::Says("AccessDeniedException", "Access denied.");
    for call in [
        "v2:CreateSubscriber",
        "v2:UpdateSubscriber",
        "v2:DeleteSubscriber",
        "v2:TagResource",
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let changed = config(json!({ "description": "b", "tags": { "a": "b" } }));
        let state = match call {
            "v2:CreateSubscriber" => None,
            _ => Some(made(&harness, json!({})).await),
        };
        fake.state().trouble(call, denied());
        let planned = match &state {
            Some(state) if call == "v2:DeleteSubscriber" => resource.plan_destroy(state).await.unwrap(),
            state => resource.plan(state.as_ref(), changed).await.unwrap(),
        };
        let refused = resource.apply(planned).await;
        names(
            &refused.diags,
            &["`runs`", &call.replace("v2:", "permission `events:")],
        );
    }
    let (fake, harness) = stage();
    let state = made(&harness, json!({})).await;
    for trouble in [denied(), Trouble::Empty] {
        fake.state().trouble("v2:DescribeSubscriber", trouble);
        let refused = harness.resource(NAME).read(&state).await.unwrap_err();
        names(&refused, &["Cannot read the subscriber `runs`"]);
    }
    fake.state().trouble("v2:DescribeSubscriber", denied());
    let changed = config(json!({ "description": "b" }));
    let planned = harness.resource(NAME).plan(Some(&state), changed).await.unwrap();
    let seen = harness.resource(NAME).apply(planned).await;
    assert!(!seen.diags.has_errors());
    names(&seen.diags, &["Cannot see the state of the subscriber"]);
    fake.state().custom.held_subscribers.clear();
    assert!(harness.resource(NAME).read(&state).await.unwrap().is_none());
}
