//! `scalr_eventbridge_event_source`

use serde_json::{Value as Json, json};
use tfplugin::testing::Wanted;

use super::fake::{ACCOUNT, Fake, Trouble};
use super::{SOURCE, and, events_elsewhere, hold, names, on, stage, with};
use crate::tests::snapshot::scenarios;

scenarios![
    an_event_source_is_made_once_the_partners_is_pending,
    the_configuration_is_sent_whole_and_only_where_it_changed,
    a_lost_answer_about_an_event_source_is_asked_for_again,
    what_is_in_the_way_is_said,
    a_source_that_lost_its_bus_is_repaired,
    a_source_that_is_revoked_is_left_alone,
    an_event_source_that_fails_says_so,
    what_a_plan_refuses_of_an_event_source,
    a_pattern_of_an_event_source_that_matches_nothing_is_warned_of,
    an_event_source_is_deleted_once_it_can_be,
    event_sources_are_listed_and_imported,
    drift_of_an_event_source_is_shown_and_repaired,
    what_aws_refuses_of_an_event_source_is_reported,
];

const NAME: &str = "scalr_eventbridge_event_source";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const DEAD: &str = "arn:aws:sqs:us-east-1:123456789012:dead";
const BUS: &str = "arn:aws:events:us-east-1:123456789012:event-busv2/scalr/abcdefghij0123456789abcde";

fn partner() -> String {
    format!("arn:aws:events:us-east-1::event-source/{SOURCE}")
}

pub(in crate::tests) fn config(more: Json) -> Json {
    let config = json!({ "name": "prod", "event_bus_arn": BUS, "partner_event_source_arn": partner() });
    and(config, more)
}

fn states(fake: &Fake, states: &[&'static str]) {
    let states = states.iter().map(|state| (*state, ""));
    fake.state().custom.states.extend(states);
}

#[tokio::test(start_paused = true)]
async fn an_event_source_is_made_once_the_partners_is_pending() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let config = config(json!({ "tags": { "team": "a" } }));
    fake.state().sources.clear();
    let planned = resource.plan(None, config.clone()).await.unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    states(&fake, &["CREATING"]);
    let (made, ()) = tokio::join!(resource.apply(planned), async {
        fake.until("DescribeEventSource", 3).await;
        fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    });
    assert!(made.diags.is_empty(), "{}", made.diags);
    let state = made.state.unwrap();
    resource.assert_stable(&state, config.clone()).await;
    let shown = state.json();
    assert_eq!(
        (&shown["state"], &shown["partner_source_state"], &shown["region"]),
        (&json!("ACTIVE"), &json!("ACTIVE"), &json!("us-east-1"))
    );
    for (attribute, other) in [
        ("name", json!("other")),
        ("event_bus_arn", json!(BUS.replace("scalr/", "other/"))),
        (
            "partner_event_source_arn",
            json!(partner().replace("/prod", "/other")),
        ),
    ] {
        let changed = and(config.clone(), json!({ attribute: other }));
        let planned = resource.plan(Some(&state), changed).await.unwrap();
        assert_eq!(planned.replaces(), [attribute]);
        names(&planned.warnings, &["Replacing", "create_before_destroy"]);
    }
    resource.destroy(&state).await.unwrap();
    assert_eq!(fake.state().sources[SOURCE], "PENDING");
}

#[tokio::test(start_paused = true)]
async fn the_configuration_is_sent_whole_and_only_where_it_changed() {
    let pattern = json!({ "detail-type": ["RunExecuted"] }).to_string();
    let queue = DEAD;
    let full = json!({
        "event_pattern": pattern, "kms_key_identifier": "alias/a", "dead_letter_arn": queue, "description": "a",
    });
    let whole = json!({
        "PartnerEventSourceArn": partner(), "Pattern": pattern, "PartnerBusKmsKeyIdentifier": "alias/a",
        "OnFailureConfiguration": { "Arn": queue },
    });
    for (change, gone) in [
        (json!({ "event_pattern": null }), "Pattern"),
        (
            json!({ "kms_key_identifier": null }),
            "PartnerBusKmsKeyIdentifier",
        ),
        (json!({ "dead_letter_arn": null }), "OnFailureConfiguration"),
        (json!({ "description": "b" }), ""),
        (json!({ "description": null, "tags": { "a": "b" } }), ""),
    ] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(NAME);
        let state = resource.create(config(full.clone())).await.unwrap();
        let changed = and(config(full.clone()), change.clone());
        let state = resource.update(&state, changed.clone()).await.unwrap();
        resource.assert_stable(&state, changed.clone()).await;
        let sent = fake.state().custom.updated.clone();
        let mut want = whole.clone();
        want.as_object_mut().unwrap().remove(gone);
        let sent = &sent["Configuration"]["PartnerEventsConfiguration"];
        assert_eq!(
            *sent,
            if gone.is_empty() { json!(null) } else { want },
            "{change}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_about_an_event_source_is_asked_for_again() {
    for (trouble, times, is_made) in [
        (Trouble::Breaks { carried_out: true }, 1, true),
        (Trouble::Empty, 1, true),
        (Trouble::Breaks { carried_out: true }, 4, false),
    ] {
        let (fake, harness) = stage().await;
        for _ in 0..times {
            fake.state().trouble("v2:CreateEventSource", trouble.clone());
        }
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let made = resource.apply(planned).await;
        assert_eq!(made.diags.has_errors(), !is_made, "{trouble:?}: {}", made.diags);
        assert_eq!(fake.state().custom.sources.len(), 1);
        if is_made {
            continue;
        }
        names(&made.diags, &["may be there now", "import"]);
        // It has the partner's source, and its name.
        let harness = on(fake.config());
        let planned = harness
            .resource(NAME)
            .plan(None, config(json!({})))
            .await
            .unwrap();
        names(
            &planned.warnings,
            &["`prod` already", "event-sourcev2/aws.partner/prod/"],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_is_said() {
    // A Classic bus that somebody made.
    let (fake, harness) = stage().await;
    hold(&fake, &[]);
    fake.state().sources.insert(SOURCE.to_owned(), "ACTIVE");
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    names(&planned.warnings, &["Classic", "dropped", "15 seconds"]);
    let refused = resource.apply(planned).await;
    assert!(refused.state.is_none());
    names(
        &refused.diags,
        &["ACTIVE, not PENDING", "delete-event-bus", "two weeks"],
    );
    assert_eq!(fake.count("v2:CreateEventSource"), 0);

    // The same apply deletes it.
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let (made, ()) = tokio::join!(resource.apply(planned), async {
        let looks = fake.count("DescribeEventSource");
        fake.until("DescribeEventSource", looks + 2).await;
        fake.state().buses.clear();
        fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    });
    assert!(!made.diags.has_errors(), "{}", made.diags);

    // Another event source has the events.
    let other = config(json!({ "name": "other" }));
    let planned = resource.plan(None, other).await.unwrap();
    names(&planned.warnings, &["`prod` has them", "create_before_destroy"]);
    let refused = resource.apply(planned).await;
    names(
        &refused.diags,
        &["The event source `prod` has its events", "create_before_destroy"],
    );

    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    for (state, words) in [
        ("DELETED", &["is DELETED", "Scalr has deleted"][..]),
        ("ACTIVE", &["shows no bus", "describe-event-source"]),
        ("", &["did not appear", "aws_account_id"]),
    ] {
        fake.state().sources.insert(SOURCE.to_owned(), state);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        names(&resource.apply(planned).await.diags, words);
    }
}

/// Somebody deletes the Classic bus that AWS manages.
#[tokio::test(start_paused = true)]
async fn a_source_that_lost_its_bus_is_repaired() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().buses.clear();
    fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["partner_source_state"], "PENDING");
    let repaired = resource.update(&read, config(json!({}))).await.unwrap();
    resource.assert_stable(&repaired, config(json!({}))).await;
    assert_eq!(repaired.json()["partner_source_state"], "ACTIVE");

    fake.state().sources.clear();
    let read = resource.read(&repaired).await.unwrap().unwrap();
    let planned = resource.plan(Some(&read), config(json!({}))).await.unwrap();
    assert!(planned.is_empty());
    names(&planned.warnings, &["MISSING", "-replace"]);
}

/// The owner of the bus has taken it from the source, for good: no update repairs that.
#[tokio::test(start_paused = true)]
async fn a_source_that_is_revoked_is_left_alone() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    fake.state().custom.sources.get_mut(&arn).unwrap()["Revoked"] = json!(true);
    for partner in ["ACTIVE", "PENDING"] {
        fake.state().sources.insert(SOURCE.to_owned(), partner);
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["state"], "REVOKED");
        let planned = resource.plan(Some(&read), config(json!({}))).await.unwrap();
        assert!(planned.is_empty(), "{partner}");
        names(&planned.warnings, &["`prod` is revoked", "-replace"]);
    }
    let found = harness
        .data_source(NAME, json!({ "name": "prod" }))
        .await
        .unwrap();
    assert_eq!(found["revoked"], true);
}

#[tokio::test(start_paused = true)]
async fn an_event_source_that_fails_says_so() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    states(&fake, &["CREATING", "CREATE_FAILED"]);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let made = resource.apply(planned).await;
    names(&made.diags, &["`prod` is CREATE_FAILED", "kms:DescribeKey"]);
    resource.destroy(&made.state.unwrap()).await.unwrap();
    states(&fake, &["CREATING"; 400]);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let made = resource.apply(planned).await;
    assert!(!made.diags.has_errors());
    names(&made.diags, &["may not be ACTIVE yet"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_refuses_of_an_event_source() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    for (more, words) in [
        (
            json!({ "partner_event_source_arn": partner().replace("us-east-1", "eu-west-1") }),
            &["another region", "region = \"eu-west-1\""][..],
        ),
        (
            json!({ "event_pattern": r#"{"source":[{"prefix":"aws.partner"}]}"# }),
            &["`source` at its top", "jsondecode"],
        ),
        (
            json!({ "event_bus_arn": "arn:aws:events:us-east-1:123456789012:event-bus/x" }),
            &["custom event bus", "Classic"],
        ),
        (
            json!({ "dead_letter_arn": "arn:aws:sqs:us-east-1:1:q.fifo" }),
            &["standard"],
        ),
        (json!({ "name": "aws.x" }), &["`aws.`"]),
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
async fn a_pattern_of_an_event_source_that_matches_nothing_is_warned_of() {
    for (pattern, is_matched) in [
        (r#"{"detail-type":["RunExecuted"]}"#, true),
        (r#"{"detail-type":["RunExectued"]}"#, false),
    ] {
        let (_fake, harness) = stage().await;
        let planned = harness
            .resource(NAME)
            .plan(None, config(json!({ "event_pattern": pattern })))
            .await
            .unwrap();
        if is_matched {
            assert!(planned.warnings.is_empty(), "{}", planned.warnings);
        } else {
            names(
                &planned.warnings,
                &[
                    "the event source `prod`",
                    "matches none of Scalr's events",
                    "RunExecuted",
                ],
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_source_is_deleted_once_it_can_be() {
    const DELETE: &str = "v2:DeleteEventSource";
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state()
        .trouble(DELETE, Trouble::Says("InvalidStateException", "No."));
    states(&fake, &["UPDATING"]);
    let planned = resource.plan_destroy(&state).await.unwrap();
    names(&planned.warnings, &["Deleting", "PENDING", "two weeks"]);
    let gone = resource.apply(planned).await;
    assert_eq!(
        (gone.state.is_none(), fake.count(DELETE)),
        (true, 2),
        "{}",
        gone.diags
    );
    resource.destroy(&state).await.unwrap();

    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state()
        .trouble(DELETE, Trouble::Says("InvalidStateException", "No."));
    let planned = resource.plan_destroy(&state).await.unwrap();
    let kept = resource.apply(planned).await;
    assert!(kept.state.is_some());
    names(&kept.diags, &["Cannot delete the event source `prod`"]);
}

#[tokio::test(start_paused = true)]
async fn event_sources_are_listed_and_imported() {
    let (_fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let config = config(json!({
        "description": "x", "tags": { "team": "a" }, "event_pattern": r#"{"detail-type":["RunExecuted"]}"#,
        "kms_key_identifier": KEY, "dead_letter_arn": DEAD,
    }));
    let state = resource.create(config.clone()).await.unwrap();
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    let imported = resource
        .import_by_identity(json!({ "name": "prod" }))
        .await
        .unwrap();
    assert_eq!(imported.json(), state.json());
    for id in ["prod", "prod@us-east-1", &arn] {
        let imported = resource.import(id).await.unwrap();
        assert_eq!(imported.json(), state.json(), "{id}");
        resource.assert_stable(&imported, config.clone()).await;
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
        json!({ "name": "prod", "region": "us-east-1" })
    );
    names(&resource.import("none").await.unwrap_err(), &["`none`", ACCOUNT]);
    names(&resource.import("a/b").await.unwrap_err(), &["event-sourcev2"]);
}

/// AWS shows the key's ARN in place of an alias, which is no drift.
#[tokio::test(start_paused = true)]
async fn drift_of_an_event_source_is_shown_and_repaired() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let config = config(json!({
        "event_pattern": r#"{"detail-type":["RunExecuted"]}"#, "kms_key_identifier": "alias/a", "dead_letter_arn": DEAD,
        "description": "x",
    }));
    let state = resource.create(config.clone()).await.unwrap();
    resource.assert_stable(&state, config.clone()).await;
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    for (member, attribute, theirs) in [
        (
            "Pattern",
            "event_pattern",
            json!(r#"{"detail-type":["AuditLog"]}"#),
        ),
        ("Pattern", "event_pattern", json!(null)),
        ("PartnerBusKmsKeyIdentifier", "kms_key_identifier", json!(KEY)),
        ("PartnerBusKmsKeyIdentifier", "kms_key_identifier", json!(null)),
        (
            "OnFailureConfiguration",
            "dead_letter_arn",
            json!({ "Arn": format!("{DEAD}2") }),
        ),
        ("OnFailureConfiguration", "dead_letter_arn", json!(null)),
    ] {
        {
            let mut held = fake.state();
            let source = held.custom.sources.get_mut(&arn).unwrap();
            let partner = &mut source["Configuration"]["PartnerEventsConfiguration"];
            partner[member] = theirs.clone();
            partner
                .as_object_mut()
                .unwrap()
                .retain(|_, value| !value.is_null());
        }
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_ne!(read.json()[attribute], state.json()[attribute], "{theirs}");
        let repaired = resource.update(&read, config.clone()).await.unwrap();
        assert_eq!(repaired.json()[attribute], state.json()[attribute], "{theirs}");
        resource.assert_stable(&repaired, config.clone()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_an_event_source_is_reported() {
    let denied = || Trouble::Says("AccessDeniedException", "Access denied.");
    for call in [
        "v2:CreateEventSource",
        "v2:UpdateEventSource",
        "v2:DeleteEventSource",
        "v2:TagResource",
    ] {
        let (fake, harness) = stage().await;
        let resource = harness.resource(NAME);
        let changed = config(json!({ "description": "b", "tags": { "a": "b" } }));
        let state = match call {
            "v2:CreateEventSource" => None,
            _ => Some(resource.create(config(json!({}))).await.unwrap()),
        };
        fake.state().trouble(call, denied());
        let planned = match &state {
            Some(state) if call == "v2:DeleteEventSource" => resource.plan_destroy(state).await.unwrap(),
            state => resource.plan(state.as_ref(), changed).await.unwrap(),
        };
        let refused = resource.apply(planned).await;
        names(
            &refused.diags,
            &["`prod`", &call.replace("v2:", "permission `events:")],
        );
    }
    let (fake, harness) = stage().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    for trouble in [denied(), Trouble::Empty] {
        fake.state().trouble("v2:DescribeEventSource", trouble);
        let refused = harness.resource(NAME).read(&state).await.unwrap_err();
        names(&refused, &["Cannot read the event source `prod`"]);
    }
    fake.state().custom.sources.clear();
    assert!(harness.resource(NAME).read(&state).await.unwrap().is_none());
}
