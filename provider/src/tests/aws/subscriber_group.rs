//! `scalr_eventbridge_subscriber` with a log group.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::{Fake, Trouble};
use super::{and, names, on};
use crate::tests::snapshot::scenarios;

scenarios![
    a_log_group_is_made_with_its_stream_before_the_subscriber,
    a_log_group_that_lacks_something_is_repaired,
    a_creation_that_fails_leaves_its_group_in_the_state,
    a_name_that_is_taken_leaves_the_log_group_alone,
    a_log_group_that_could_not_be_deleted_is_in_the_state,
    a_replacement_says_that_the_events_go,
    a_log_group_is_its_subscribers_alone,
    another_log_group_takes_the_events_in_place,
    a_change_of_the_log_group_that_fails_leaves_none_out_of_sight,
    a_log_group_that_is_not_known_yet_is_planned_as_one,
    what_a_log_group_of_a_subscriber_cannot_have,
];

const NAME: &str = "scalr_eventbridge_subscriber";
const GROUP: &str = "/scalr/runs";
const OWNER: &str = "scalr-eventbridge:owner";
const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:runs";

pub(in crate::tests) fn config(group: Json) -> Json {
    let group = and(json!({ "name": GROUP, "create": true }), group);
    super::subscriber::config(json!({ "target_arn": null, "log_group": group }))
}

fn stage() -> (Fake, Harness) {
    let fake = Fake::new();
    let harness = on(fake.config());
    (fake, harness)
}

fn stream(name: &str) -> (String, String) {
    (GROUP.to_owned(), name.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_log_group_is_made_with_its_stream_before_the_subscriber() {
    for deletes in [false, true] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let config = config(json!({ "retention_in_days": 30, "delete_on_destroy": deletes }));
        let planned = resource.plan(None, config.clone()).await.unwrap();
        assert!(planned.warnings.is_empty(), "{}", planned.warnings);
        let applied = resource.apply(planned).await;
        assert!(applied.diags.is_empty(), "{}", applied.diags);
        let state = applied.state.unwrap();
        resource.assert_stable(&state, config.clone()).await;
        let shown = state.json();
        assert_eq!(
            (&shown["log_group"]["status"], &shown["log_group"]["log_stream"]),
            (&json!("ready"), &json!("events"))
        );
        assert_eq!(
            shown["target_arn"],
            "arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents"
        );
        let arn = shown["arn"].as_str().unwrap();
        let held = fake.state().custom.held_subscribers[arn].clone();
        let input = held["InvokeConfiguration"]["UniversalTargetParameters"]["Input"].clone();
        let input: Json = serde_json::from_str(input.as_str().unwrap()).unwrap();
        assert_eq!(
            (&input["LogGroupName"], &input["LogStreamName"]),
            (&json!(GROUP), &json!("events"))
        );
        assert_eq!(
            held["BatchConfiguration"],
            json!({ "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 0 })
        );
        let calls = fake.state().calls.clone();
        let place = |name: &str| calls.iter().position(|call| call == name);
        assert!(place("CreateLogStream") < place("v2:CreateSubscriber"));
        let imported = resource.import(arn).await.unwrap();
        let mut want = shown.clone();
        want["log_group"]["delete_on_destroy"] = json!(false);
        assert_eq!(imported.json(), want);

        let planned = resource.plan_destroy(&state).await.unwrap();
        if !deletes {
            names(&planned.warnings, &["`/scalr/runs` and its events stay"]);
        }
        let gone = resource.apply(planned).await;
        assert!(!gone.diags.has_errors(), "{}", gone.diags);
        assert_eq!(fake.state().groups.is_empty(), deletes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_group_that_lacks_something_is_repaired() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let config = config(json!({ "retention_in_days": 30 }));
    let state = resource.create(config.clone()).await.unwrap();
    for (lack, status) in [
        ("group", "log group missing"),
        ("stream", "log stream missing"),
        ("retention", "ready"),
    ] {
        {
            let mut held = fake.state();
            match lack {
                "group" => held.groups.clear(),
                "stream" => held.streams.clear(),
                _ => held.groups.get_mut(GROUP).unwrap()["retentionInDays"] = json!(7),
            }
        }
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["log_group"]["status"], status, "{lack}");
        let repaired = resource.update(&read, config.clone()).await.unwrap();
        resource.assert_stable(&repaired, config.clone()).await;
        assert!(fake.state().streams.contains(&stream("events")), "{lack}");
        assert_eq!(fake.state().groups[GROUP]["retentionInDays"], 30, "{lack}");
    }
    assert_eq!(fake.count("v2:UpdateSubscriber"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_leaves_its_group_in_the_state() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let config = config(json!({ "delete_on_destroy": true }));
    let denied = || Trouble::Says("AccessDeniedException", "Access denied.");
    for call in ["v2:CreateSubscriber", "CreateLogStream"] {
        fake.state().trouble(call, denied());
        let planned = resource.plan(None, config.clone()).await.unwrap();
        let failed = resource.apply(planned).await;
        assert!(failed.diags.has_errors());
        let state = failed.state.unwrap();
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["log_group"]["status"], "subscriber missing");
        resource.destroy(&read).await.unwrap();
        assert!(fake.state().groups.is_empty());
    }
    fake.state().trouble("CreateLogGroup", denied());
    let planned = resource.plan(None, config.clone()).await.unwrap();
    let failed = resource.apply(planned).await;
    assert!(failed.state.is_none());
    names(
        &failed.diags,
        &["Cannot make the log group", "`logs:CreateLogGroup`"],
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_leaves_the_log_group_alone() {
    let (fake, harness) = stage();
    let theirs = config(json!({ "retention_in_days": 30 }));
    harness.resource(NAME).create(theirs).await.unwrap();
    let harness = on(fake.config());
    let resource = harness.resource(NAME);
    let config = config(json!({ "retention_in_days": 7, "delete_on_destroy": true }));
    let planned = resource.plan(None, config).await.unwrap();
    let refused = resource.apply(planned).await;
    names(&refused.diags, &["`runs` exists already", "import {"]);
    assert!(refused.state.is_none());
    assert_eq!(fake.state().groups[GROUP]["retentionInDays"], 30);
}

#[tokio::test(start_paused = true)]
async fn a_log_group_that_could_not_be_deleted_is_in_the_state() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = resource
        .create(config(json!({ "delete_on_destroy": true })))
        .await
        .unwrap();
    let denied = Trouble::Says("AccessDeniedException", "Access denied.");
    fake.state().trouble("DeleteLogGroup", denied);
    let planned = resource.plan_destroy(&state).await.unwrap();
    let failed = resource.apply(planned).await;
    assert!(failed.diags.has_errors());
    let read = resource.read(&failed.state.unwrap()).await.unwrap().unwrap();
    assert_eq!(read.json()["log_group"]["status"], "subscriber missing");
    // An apply in place of the destroy deletes it too.
    for deletes in [true, false] {
        let config = config(json!({ "delete_on_destroy": deletes }));
        let planned = resource.plan(Some(&read), config).await.unwrap();
        assert_eq!(planned.replaces(), ["arn"]);
        names(
            &planned.warnings,
            &["and its events are deleted", "`terraform state rm`"],
        );
    }
    resource.destroy(&read).await.unwrap();
    assert!(fake.state().groups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_replacement_says_that_the_events_go() {
    for deletes in [false, true] {
        let (_fake, harness) = stage();
        let resource = harness.resource(NAME);
        let group = json!({ "delete_on_destroy": deletes });
        let state = resource.create(config(group.clone())).await.unwrap();
        let another = and(config(group), json!({ "name": "other" }));
        let planned = resource.plan(Some(&state), another).await.unwrap();
        let told = planned
            .warnings
            .to_string()
            .contains("and its events are deleted");
        assert_eq!(told, deletes, "{}", planned.warnings);
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_group_is_its_subscribers_alone() {
    let tags = |owner: &str| BTreeMap::from([(OWNER.to_owned(), owner.to_owned())]);
    for (held, is_adopted) in [
        (tags("subscriber:runs"), true),
        (tags("subscriber:gone"), true),
        (tags("subscriber:audit"), false),
        (tags("aws.partner/scalr.com/acme/prod/gone"), true),
        (BTreeMap::new(), false),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let other = super::subscriber::config(json!({ "name": "audit" }));
        resource.create(other).await.unwrap();
        fake.state().make_group(GROUP, held.clone());
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert_eq!(
            applied.diags.has_errors(),
            !is_adopted,
            "{held:?} {}",
            applied.diags
        );
        if !is_adopted {
            names(
                &applied.diags,
                &["exists already", "create = false", "tag-resource"],
            );
            assert!(applied.state.is_none());
            let theirs = config(json!({ "create": false }));
            let harness = on(fake.config());
            let state = harness.resource(NAME).create(theirs.clone()).await.unwrap();
            harness.resource(NAME).assert_stable(&state, theirs).await;
            harness.resource(NAME).destroy(&state).await.unwrap();
            assert!(!fake.state().groups.is_empty());
        }
    }
    let (_fake, harness) = stage();
    let planned = harness
        .resource(NAME)
        .plan(None, config(json!({ "create": false })))
        .await
        .unwrap();
    let none = harness.resource(NAME).apply(planned).await;
    names(&none.diags, &["There is no log group", "create = true"]);
}

#[tokio::test(start_paused = true)]
async fn another_log_group_takes_the_events_in_place() {
    for deletes in [false, true] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let first = config(json!({ "delete_on_destroy": deletes }));
        let state = resource.create(first.clone()).await.unwrap();
        let second = config(json!({ "name": "/other", "delete_on_destroy": deletes }));
        let planned = resource.plan(Some(&state), second.clone()).await.unwrap();
        assert!(planned.replaces().is_empty());
        let state = resource.apply(planned).await.state.unwrap();
        resource.assert_stable(&state, second.clone()).await;
        // Nothing is destroyed: the one before stays, whatever is to go with the subscriber.
        assert!(fake.state().groups.contains_key(GROUP));
        // Let go, it stays.
        let third = config(json!({ "name": "/other", "create": false }));
        let state = resource.update(&state, third.clone()).await.unwrap();
        resource.assert_stable(&state, third).await;
        assert!(fake.state().tags.values().all(|tags| !tags.contains_key(OWNER)));

        // Somebody else leads them elsewhere.
        let arn = state.json()["arn"].as_str().unwrap().to_owned();
        {
            let mut held = fake.state();
            let subscriber = held.custom.held_subscribers.get_mut(&arn).unwrap();
            subscriber["InvokeConfiguration"]["UniversalTargetParameters"]["Input"] = json!("{}");
        }
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["input"], "{}");
        let back = config(json!({ "name": "/other", "create": false }));
        let state = resource.update(&read, back.clone()).await.unwrap();
        resource.assert_stable(&state, back).await;

        // A queue is another target.
        let queue = super::subscriber::config(json!({ "target_arn": QUEUE }));
        let planned = resource.plan(Some(&state), queue).await.unwrap();
        assert_eq!(planned.replaces(), ["target_arn"]);
    }
}

/// Names of the groups with the tag of a subscriber.
fn owned(fake: &Fake) -> Vec<String> {
    let held = fake.state();
    let owned = held.tags.iter().filter(|(_, tags)| tags.contains_key(OWNER));
    let names = owned.filter_map(|(arn, _)| Some(arn.split_once("log-group:")?.1.to_owned()));
    names.filter(|name| held.groups.contains_key(name)).collect()
}

fn groups(fake: &Fake) -> Vec<String> {
    fake.state().groups.keys().cloned().collect()
}

/// Both groups are the subscriber's until a change is through, wherever it fails.
#[tokio::test(start_paused = true)]
async fn a_change_of_the_log_group_that_fails_leaves_none_out_of_sight() {
    const OTHER: &str = "/scalr/other";
    for call in ["v2:UpdateSubscriber", "CreateLogStream", "UntagResource"] {
        // The events are led to the other group only where the tag alone could not be removed.
        let is_led = call == "UntagResource";
        for (next, deletes) in [
            (Some(GROUP), false),
            (Some(OTHER), false),
            (Some("/scalr/third"), true),
            (None, false),
            (None, true),
        ] {
            let (fake, harness) = stage();
            let resource = harness.resource(NAME);
            let with = |name: &str| config(json!({ "name": name, "delete_on_destroy": deletes }));
            let state = resource.create(with(GROUP)).await.unwrap();
            fake.state()
                .trouble(call, Trouble::Says("AccessDeniedException", "Access denied."));
            let planned = resource.plan(Some(&state), with(OTHER)).await.unwrap();
            let failed = resource.apply(planned).await;
            assert!(failed.diags.has_errors(), "{call}");
            let read = resource.read(&failed.state.unwrap()).await.unwrap().unwrap();
            let shown = read.json()["log_group"].clone();
            let (at, status) = if is_led {
                (OTHER, "another log group left")
            } else {
                (GROUP, "another log group left")
            };
            assert_eq!(
                (&shown["name"], &shown["status"]),
                (&json!(at), &json!(status)),
                "{call}"
            );
            assert_eq!(owned(&fake), [OTHER, GROUP], "{call}");
            let Some(next) = next else {
                resource.destroy(&read).await.unwrap();
                // The one that had the events before keeps them.
                let stays: &[&str] = match (deletes, is_led) {
                    (false, _) => &[OTHER, GROUP],
                    (true, true) => &[GROUP],
                    (true, false) => &[],
                };
                assert_eq!(groups(&fake), stays, "{call}");
                continue;
            };
            let planned = resource.plan(Some(&read), with(next)).await.unwrap();
            assert!(!planned.is_empty(), "{call} {next}");
            let applied = resource.apply(planned).await;
            assert!(!applied.diags.has_errors(), "{call} {next}: {}", applied.diags);
            let state = applied.state.unwrap();
            resource.assert_stable(&state, with(next)).await;
            assert_eq!(owned(&fake), [next], "{call}");
            if !is_led && next != OTHER {
                names(&applied.diags, &["`/scalr/other`", "delete-log-group"]);
            }
            assert_eq!(state.json()["log_group"]["status"], "ready", "{call} {next}");
            resource.destroy(&state).await.unwrap();
            assert_eq!(groups(&fake).contains(&next.to_owned()), !deletes);
        }
    }
}

/// The whole attribute comes from elsewhere, and no other target is written: it will be a log group.
#[tokio::test(start_paused = true)]
async fn a_log_group_that_is_not_known_yet_is_planned_as_one() {
    let unknown = || and(config(json!({})), json!({ "log_group": UNKNOWN }));
    for (before, replaces) in [
        (None, false),
        (Some(config(json!({}))), false),
        (
            Some(super::subscriber::config(json!({ "target_arn": QUEUE }))),
            true,
        ),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let state = match &before {
            Some(before) => Some(resource.create(before.clone()).await.unwrap()),
            None => None,
        };
        let planned = resource.plan(state.as_ref(), unknown()).await.unwrap();
        let want: &[&str] = if replaces { &["target_arn"] } else { &[] };
        assert_eq!(planned.replaces(), want);
        let target = planned.json()["target_arn"].clone();
        assert_ne!(target, QUEUE, "{before:?}");
        // What it turns out to be is no other action.
        let harness = on(fake.config());
        let resource = harness.resource(NAME);
        let planned = resource.plan(state.as_ref(), config(json!({}))).await.unwrap();
        assert_eq!(planned.replaces(), want);
        if target != UNKNOWN {
            assert_eq!(planned.json()["target_arn"], target);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_log_group_of_a_subscriber_cannot_have() {
    let (_fake, harness) = stage();
    let resource = harness.resource(NAME);
    let with = |more: Json| and(config(json!({})), more);
    for (config, words) in [
        (
            super::subscriber::config(json!({ "target_arn": null })),
            &["has no target", "`log_group`"][..],
        ),
        (with(json!({ "target_arn": QUEUE })), &["has two targets"]),
        (with(json!({ "input": "{}" })), &["`input` beside `log_group`"]),
        (
            with(json!({ "transformer": { "type": "WITH_METADATA" } })),
            &["A call to AWS takes no transformed events"],
        ),
        (
            config(json!({ "create": false, "retention_in_days": 30 })),
            &["`retention_in_days` without `create = true`"],
        ),
        (
            config(json!({ "create": false, "delete_on_destroy": true })),
            &["`delete_on_destroy` without `create = true`"],
        ),
        (config(json!({ "log_stream": "a:b" })), &["without `:` and `*`"]),
    ] {
        names(&resource.plan(None, config).await.unwrap_err(), words);
    }
}
