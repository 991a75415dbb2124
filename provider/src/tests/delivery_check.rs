//! `scalr_eventbridge_delivery_check`: a run whose event arrives, or does not, on both sides' fakes.

use serde_json::{Value as Json, json};
use tfplugin::testing::Harness;

use super::aws::fake::{Fake, Trouble, group_arn};
use super::aws::{GROUP, SOURCE};
use super::snapshot::scenarios;
use super::{and, aws, names, scalr};

scenarios![
    an_event_that_arrives_ends_the_check,
    a_broken_link_is_named,
    a_broken_link_before_a_custom_bus_is_named,
    no_run_is_started_for_what_is_missing,
    a_paused_connection_beside_another_stops_no_check,
    an_interrupted_check_says_that_the_run_goes_on,
    what_cannot_be_looked_at_is_said,
    a_log_group_that_cannot_be_searched_is_said_before_a_run,
];

const NAME: &str = "scalr_eventbridge_delivery_check";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

pub(super) struct Fakes {
    pub(super) aws: Fake,
    pub(super) scalr: scalr::fake::Fake,
    pub(super) harness: Harness,
}

/// The whole chain, from an active connection to a log group.
pub(super) async fn whole() -> Fakes {
    let aws = Fake::new();
    aws.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let scalr = scalr::fake::Fake::start().await;
    let harness = aws::beside(aws.config(), Some(&scalr.url()));
    let pattern = json!({ "detail-type": ["RunExecuted"] }).to_string();
    let group = json!({ "name": GROUP, "create": true });
    for (name, config) in [
        ("connection", scalr::connection(json!({}))),
        ("bus", json!({ "event_source_name": SOURCE })),
        (
            "rule",
            json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern }),
        ),
        (
            "target",
            json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": group }),
        ),
        ("activation", json!({ "connection_id": "in-1" })),
    ] {
        harness
            .resource(&format!("scalr_eventbridge_{name}"))
            .create(config)
            .await
            .unwrap();
    }
    Fakes { aws, scalr, harness }
}

fn config(more: Json) -> Json {
    and(
        json!({ "workspace_id": "ws-1", "log_group": GROUP, "timeouts": { "create": "10s" } }),
        more,
    )
}

#[tokio::test(start_paused = true)]
async fn an_event_that_arrives_ends_the_check() {
    let fakes = whole().await;
    let event =
        json!({ "id": "e-1", "time": "2023-11-14T22:13:20Z", "detail": { "event": { "run-id": "run-1" } } });
    fakes.aws.state().log_events.push(event.to_string());
    let resource = fakes.harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    assert_eq!(
        (&state.json()["run_id"], &state.json()["event_id"]),
        (&json!("run-1"), &json!("e-1"))
    );
    resource.assert_stable(&state, config(json!({}))).await;
    resource.destroy(&state).await.unwrap();
}

/// What breaks the chain at one link; the first breaks nothing.
const BREAKS: [fn(&Fakes); 19] = [
    |_| {},
    |s| s.scalr.state().run_status = "planning",
    |s| s.aws.state().policies.clear(),
    |s| s.aws.state().targets.clear(),
    |s| s.aws.state().rules.clear(),
    |s| {
        let mut held = s.aws.state();
        held.rules.clear();
        held.targets.clear();
    },
    |s| rule(s, "State", Some("DISABLED")),
    |s| pattern(s, r#"{"detail-type": ["AuditLog"]}"#),
    |s| pattern(s, r#"{"detail": {"event": {"reslt": ["errored"]}}}"#),
    |s| pattern(s, r#"{"detail": {"event": {"environment": ["prod"]}}}"#),
    |s| pattern(s, "{"),
    |s| rule(s, "EventPattern", None),
    |s| {
        s.aws.state().buses.clear();
    },
    |s| {
        s.aws.state().sources.insert(SOURCE.to_owned(), "PENDING");
    },
    |s| s.aws.state().sources.clear(),
    |s| s.scalr.state().connections.clear(),
    |s| s.scalr.set_status("disabled"),
    |s| {
        s.scalr.set_status("failed");
        s.scalr.state().connections[0]["attributes"]["err-message"] = json!("No such account.");
    },
    |s| s.scalr.set_status("pending"),
];

#[tokio::test(start_paused = true)]
async fn a_broken_link_is_named() {
    for breaks in BREAKS {
        let fakes = whole().await;
        breaks(&fakes);
        let missed = fakes
            .harness
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap_err();
        assert_eq!(missed.iter().count(), 1, "{missed}");
    }
    // The group goes after it was looked for.
    let fakes = whole().await;
    let resource = fakes.harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let goes = async {
        fakes.aws.until("FilterLogEvents", 2).await;
        fakes.aws.state().groups.clear();
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), goes);
    assert!(applied.diags.has_errors());
}

/// A chain that leads to a custom event bus; its subscribers are of the acceptance cases.
#[tokio::test(start_paused = true)]
async fn a_broken_link_before_a_custom_bus_is_named() {
    type Breaks = fn(&Fakes);
    let breaks: [(Breaks, &str); 7] = [
        (|_| {}, "The subscriber is gone"),
        (
            |s| s.aws.state().custom.subscribers.push("queue"),
            "No subscriber leads to the log group",
        ),
        (
            |s| s.aws.state().trouble("v2:ListSubscribers", DENIED),
            "the subscribers of `scalr`",
        ),
        (
            |s| s.aws.state().trouble("v2:ListEventSources", DENIED),
            "The subscriber is gone",
        ),
        (
            |s| {
                s.aws.state().trouble("v2:ListSubscribers", DENIED);
                s.aws.state().buses.remove(SOURCE);
            },
            "The managed event bus is gone",
        ),
        (
            |s| {
                s.aws.state().trouble("v2:ListSubscribers", DENIED);
                s.aws.state().targets.clear();
            },
            "The managed rule is gone",
        ),
        (
            |s| s.aws.state().custom.buses.clear(),
            "The custom event bus is gone",
        ),
    ];
    for (breaks, says) in breaks {
        let fakes = whole_on_a_custom_bus().await;
        breaks(&fakes);
        let missed = fakes.harness.resource(NAME).create(config(json!({}))).await;
        names(&missed.unwrap_err(), &[says]);
    }
}

/// From an active connection to a custom event bus.
async fn whole_on_a_custom_bus() -> Fakes {
    let aws = Fake::new();
    aws.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let scalr = scalr::fake::Fake::start().await;
    let harness = aws::beside(aws.config(), Some(&scalr.url()));
    let make = async |name: &str, config: Json| {
        let resource = harness.resource(&format!("scalr_eventbridge_{name}"));
        resource.create(config).await.unwrap()
    };
    make("connection", scalr::connection(json!({}))).await;
    let bus = make("custom_bus", json!({ "name": "scalr" })).await;
    let partner = format!("arn:aws:events:us-east-1::event-source/{SOURCE}");
    let source =
        json!({ "name": "prod", "event_bus_arn": bus.json()["arn"], "partner_event_source_arn": partner });
    make("event_source", source).await;
    make("activation", json!({ "connection_id": "in-1" })).await;
    let group = json!({ "logGroupName": GROUP, "logGroupArn": group_arn(GROUP) });
    aws.state().groups.insert(GROUP.to_owned(), group);
    Fakes { aws, scalr, harness }
}

fn pattern(fakes: &Fakes, pattern: &str) {
    rule(fakes, "EventPattern", Some(pattern));
}

fn rule(fakes: &Fakes, key: &str, value: Option<&str>) {
    let mut held = fakes.aws.state();
    held.rules.values_mut().for_each(|rule| rule[key] = json!(value));
}

#[tokio::test(start_paused = true)]
async fn no_run_is_started_for_what_is_missing() {
    let fakes = whole().await;
    let resource = fakes.harness.resource(NAME);
    resource
        .create(config(json!({ "log_group": "/none" })))
        .await
        .unwrap_err();
    fakes.aws.state().let_through("DescribeLogGroups", 1);
    fakes.aws.state().trouble("DescribeLogGroups", DENIED);
    resource.create(config(json!({}))).await.unwrap_err();
    fakes.aws.state().trouble("FilterLogEvents", DENIED);
    resource.create(config(json!({}))).await.unwrap_err();
    fakes.scalr.set_status("disabled");
    let paused = resource.create(config(json!({}))).await.unwrap_err();
    names(&paused, &["`prod`", "`enabled = true`"]);
    add_connection(&fakes, "disabled");
    let paused = resource.create(config(json!({}))).await.unwrap_err();
    names(&paused, &["`prod` (`in-1`)", "`test` (`in-2`)"]);
    assert_eq!(fakes.scalr.count("POST runs"), 0);
    fakes.scalr.state().connections.truncate(1);
    fakes.scalr.set_status("active");
    for (status, errors) in [
        (
            404,
            json!({ "errors": [{ "status": "404", "title": "None", "detail": "No such workspace.", "source": { "pointer": "/data/relationships/workspace" } }] }),
        ),
        (
            403,
            json!({ "errors": [{ "status": "403", "title": "Forbidden", "detail": "You may not." }] }),
        ),
        (502, json!(null)),
    ] {
        fakes.scalr.state().refuses = vec![("POST runs", status, errors)];
        resource.create(config(json!({}))).await.unwrap_err();
    }
}

/// One more to the same account and region.
fn add_connection(fakes: &Fakes, status: &str) {
    let mut held = fakes.scalr.state();
    let mut more = held.connections[0].clone();
    more["id"] = json!("in-2");
    more["attributes"]["name"] = json!("test");
    more["attributes"]["status"] = json!(status);
    held.connections.push(more);
}

#[tokio::test(start_paused = true)]
async fn a_paused_connection_beside_another_stops_no_check() {
    for (first, second) in [("active", "disabled"), ("disabled", "active")] {
        let fakes = whole().await;
        fakes.scalr.set_status(first);
        add_connection(&fakes, second);
        let event = json!({ "id": "e-1", "time": "2023-11-14T22:13:20Z", "detail": { "event": { "run-id": "run-1" } } });
        fakes.aws.state().log_events.push(event.to_string());
        fakes
            .harness
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_check_says_that_the_run_goes_on() {
    let fakes = whole().await;
    let resource = fakes.harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let interrupt = async {
        fakes.aws.until("FilterLogEvents", 3).await;
        fakes.harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    assert!(applied.state.is_none() && applied.diags.has_errors());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_at_is_said() {
    let fakes = whole().await;
    let key = (SOURCE.to_owned(), "runs".to_owned());
    fakes.aws.state().targets.get_mut(&key).unwrap()[0]["Input"] = json!("{}");
    for call in ["ListRuleNamesByTarget", "DescribeEventSource", "DescribeRule"] {
        fakes.aws.state().trouble(call, DENIED);
        fakes
            .harness
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap_err();
    }
    fakes
        .harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
    fakes.scalr.state().refuses = vec![
        ("GET workspaces", 403, json!({ "errors": [] })),
        ("GET integrations", 403, json!({ "errors": [] })),
    ];
    fakes
        .harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
    // The group's ARN is written with a star by some.
    fakes.aws.state().targets.get_mut(&key).unwrap()[0]["Arn"] = json!(format!("{}:*", group_arn(GROUP)));
    for _ in 0..20 {
        fakes.aws.state().trouble(
            "FilterLogEvents",
            Trouble::Says("ThrottlingException", "Slow down."),
        );
    }
    fakes
        .harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
    fakes.aws.state().let_through("FilterLogEvents", 1);
    fakes.aws.state().trouble("FilterLogEvents", DENIED);
    fakes
        .harness
        .resource(NAME)
        .create(config(json!({})))
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_log_group_that_cannot_be_searched_is_said_before_a_run() {
    let fakes = whole().await;
    fakes.aws.state().groups.get_mut(GROUP).unwrap()["logGroupClass"] = json!("INFREQUENT_ACCESS");
    let resource = fakes.harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    names(&planned.warnings, &["INFREQUENT_ACCESS"]);
    let runs = fakes.scalr.count("POST");
    let applied = resource.apply(planned).await;
    names(&applied.diags, &["INFREQUENT_ACCESS"]);
    assert!(applied.diags.has_errors() && applied.state.is_none());
    assert_eq!(fakes.scalr.count("POST"), runs);
}
