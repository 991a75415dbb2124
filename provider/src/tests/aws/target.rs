//! `scalr_eventbridge_target`

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, State};

use super::fake::{Fake, Trouble, group_arn};
use super::{GROUP, SOURCE, and, names, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_destroy_that_fails_anywhere_goes_on_the_next_time,
    a_group_that_is_released_loses_its_tag_and_stays,
    a_group_that_is_no_longer_the_destination_is_released,
    a_revocation_that_fails_on_update_says_how_things_stand,
    what_was_made_before_the_target_is_named,
    a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_made,
    an_interrupted_wait_names_what_was_made,
    the_permission_is_waited_for_within_bounds,
    who_queues_behind_a_policy_write_can_be_interrupted,
    an_existing_target_is_refused_where_it_differs,
    a_target_of_no_rule_is_refused,
    an_entry_that_fails_fails_the_call,
    a_change_that_fails_says_what_state_the_target_is_in,
];

const NAME: &str = "scalr_eventbridge_target";
const OWNER: &str = "scalr-eventbridge:owner";

pub(super) fn config(group: Json) -> Json {
    json!({
        "rule": "runs", "event_bus_name": SOURCE,
        "log_group": and(json!({ "name": GROUP }), group),
    })
}

pub(in crate::tests) async fn with_rule() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    make_rule(&harness).await;
    (fake, harness)
}

/// The same on a bus that is there.
pub(super) async fn with_rule_and_bus() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    super::hold(&fake, &[]);
    make_rule(&harness).await;
    (fake, harness)
}

async fn make_rule(harness: &Harness) {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    harness
        .resource("scalr_eventbridge_rule")
        .create(json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern }))
        .await
        .unwrap();
}

pub(super) async fn made(harness: &Harness, group: Json) -> State {
    harness.resource(NAME).create(config(group)).await.unwrap()
}

/// The target is what a refresh looks for: it goes last, and a destroy that failed continues where it was.
#[tokio::test(start_paused = true)]
async fn a_destroy_that_fails_anywhere_goes_on_the_next_time() {
    for call in [
        "DescribeResourcePolicies",
        "DeleteResourcePolicy",
        "DescribeLogGroups",
        "ListTagsForResource",
        "DeleteLogGroup",
        "RemoveTargets",
    ] {
        for trouble in [
            Trouble::Says("AccessDeniedException", "You may not."),
            Trouble::Breaks { carried_out: true },
        ] {
            let (fake, harness) = with_rule().await;
            let resource = harness.resource(NAME);
            let state = made(&harness, json!({ "create": true, "delete_on_destroy": true })).await;
            fake.state().trouble(call, trouble.clone());
            let why = format!("{call} {trouble:?}");
            let refused = resource.destroy(&state).await.expect_err(&why);
            names(&refused, &[&format!(":{call}")]);
            if let Some(read) = resource.read(&state).await.expect(&why) {
                resource.destroy(&read).await.expect(&why);
            }
            let held = fake.state();
            assert!(
                held.groups.is_empty() && held.policies.is_empty(),
                "{why}: {held:?}"
            );
            assert!(held.targets.values().all(Vec::is_empty), "{why}: {held:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_released_loses_its_tag_and_stays() {
    let (fake, harness) = with_rule().await;
    let resource = harness.resource(NAME);
    let state = made(&harness, json!({ "create": true, "retention_in_days": 30 })).await;
    assert!(fake.state().tags[&group_arn(GROUP)].contains_key(OWNER));

    let planned = resource.plan(Some(&state), config(json!({}))).await.unwrap();
    names(&planned.warnings, &[GROUP]);
    let state = resource.apply(planned).await.state.unwrap();
    assert!(!fake.state().tags[&group_arn(GROUP)].contains_key(OWNER));
    assert_eq!(fake.state().groups[GROUP]["retentionInDays"], 30);
    let read = resource.read(&state).await.unwrap().unwrap();
    resource.assert_stable(&read, config(json!({}))).await;

    // And it is not taken back.
    let refused = resource
        .plan(Some(&read), config(json!({ "create": true })))
        .await;
    names(&refused.unwrap_err(), &[GROUP]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_no_longer_the_destination_is_released() {
    let (fake, harness) = with_rule().await;
    let resource = harness.resource(NAME);
    let state = made(&harness, json!({ "create": true })).await;
    let by_arn = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": group_arn(GROUP) });
    let planned = resource.plan(Some(&state), by_arn).await.unwrap();
    assert_eq!(planned.replaces(), Vec::<String>::new());
    let applied = resource.apply(planned).await;
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    let held = fake.state();
    assert!(held.policies.is_empty() && held.groups.contains_key(GROUP));
    assert!(!held.tags[&group_arn(GROUP)].contains_key(OWNER));
}

/// The permission is taken back after the target has its new destination; a failure does not say that it is gone.
#[tokio::test(start_paused = true)]
async fn a_revocation_that_fails_on_update_says_how_things_stand() {
    let (fake, harness) = with_rule().await;
    let resource = harness.resource(NAME);
    let state = made(&harness, json!({ "create": true })).await;
    fake.state().trouble(
        "DeleteResourcePolicy",
        Trouble::Says("AccessDeniedException", "You may not."),
    );
    let by_arn = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": group_arn(GROUP) });
    let planned = resource.plan(Some(&state), by_arn).await.unwrap();
    names(
        &resource.apply(planned).await.diags,
        &[GROUP, "logs:DeleteResourcePolicy"],
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_made_before_the_target_is_named() {
    for trouble in [
        Trouble::Says("AccessDeniedException", "You may not."),
        Trouble::Breaks { carried_out: true },
    ] {
        let (fake, harness) = with_rule().await;
        fake.state().trouble("PutTargets", trouble);
        let resource = harness.resource(NAME);
        let config = config(json!({ "create": true }));
        let planned = resource.plan(None, config.clone()).await.unwrap();
        let applied = resource.apply(planned).await;
        assert!(applied.state.is_some() && applied.diags.has_errors());
        names(&applied.diags, &[GROUP]);
        let state = resource.create(config.clone()).await.unwrap();
        resource.assert_stable(&state, config).await;
    }
}

/// Once an answer may have been lost, a refusal does not say that nothing was made.
#[tokio::test(start_paused = true)]
async fn a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_made() {
    let (fake, harness) = with_rule().await;
    {
        let mut held = fake.state();
        held.trouble("PutTargets", Trouble::Says("InternalException", "Try again."));
        held.trouble("PutTargets", Trouble::Says("ValidationException", "No."));
    }
    let resource = harness.resource(NAME);
    let refused = resource
        .create(config(json!({ "create": true })))
        .await
        .unwrap_err();
    names(&refused, &[GROUP, "ValidationException"]);
}

/// A wait that is interrupted names them too.
#[tokio::test(start_paused = true)]
async fn an_interrupted_wait_names_what_was_made() {
    let (fake, harness) = with_rule().await;
    for _ in 0..50 {
        let busy = Trouble::Says("ConcurrentModificationException", "Busy.");
        fake.state().trouble("PutTargets", busy);
    }
    let resource = harness.resource(NAME);
    let planned = resource
        .plan(None, config(json!({ "create": true })))
        .await
        .unwrap();
    let interrupt = async {
        fake.until("PutTargets", 3).await;
        harness.stop().await;
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    assert!(applied.state.is_some() && applied.diags.has_errors());
    names(&applied.diags, &[GROUP]);
}

/// The wait for a permission ends with the operation's time, and with an interruption.
#[tokio::test(start_paused = true)]
async fn the_permission_is_waited_for_within_bounds() {
    let config = and(
        config(json!({ "create": true })),
        json!({ "timeouts": { "create": "20s" } }),
    );
    for interrupted in [false, true] {
        let (fake, harness) = with_rule().await;
        for _ in 0..50 {
            fake.state().trouble("DescribeResourcePolicies", Trouble::Hangs);
        }
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config.clone()).await.unwrap();
        let interrupt = async {
            fake.until("DescribeResourcePolicies", 1).await;
            if interrupted {
                harness.stop().await;
            }
        };
        let started = tokio::time::Instant::now();
        let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
        assert!(applied.state.is_some() && applied.diags.has_errors());
        names(&applied.diags, &[GROUP]);
        let limit = if interrupted { 1 } else { 40 };
        assert!(started.elapsed().as_secs() < limit, "{:?}", started.elapsed());
    }
}

/// One who waits for another's policy write is not kept from ending.
#[tokio::test(start_paused = true)]
async fn who_queues_behind_a_policy_write_can_be_interrupted() {
    let (fake, harness) = with_rule().await;
    // The write of the first hangs, and what writes is not cut short: the second must not wait for it.
    fake.state().trouble("PutResourcePolicy", Trouble::Hangs);
    let resource = harness.resource(NAME);
    let first = resource
        .plan(None, config(json!({ "create": true })))
        .await
        .unwrap();
    let other = and(config(json!({ "create": true })), json!({ "target_id": "other" }));
    let second = resource.plan(None, other).await.unwrap();
    let second = async {
        fake.until("PutResourcePolicy", 1).await;
        let interrupt = async {
            // The plans have looked at it as well.
            fake.until("DescribeLogGroups", 4).await;
            harness.stop().await;
        };
        tokio::join!(resource.apply(second), interrupt).0
    };
    tokio::select! {
        biased;
        _ = resource.apply(first) => panic!("the first call has no answer"),
        applied = second => names(&applied.diags, &[]),
    }
}

#[tokio::test(start_paused = true)]
async fn an_existing_target_is_refused_where_it_differs() {
    let (fake, harness) = with_rule().await;
    made(&harness, json!({ "create": true })).await;
    let resource = harness.resource(NAME);
    let other = json!({ "input_path": "$.detail", "role_arn": null });
    resource
        .create(and(config(json!({ "create": true })), other))
        .await
        .unwrap_err();
    for (target, rule) in [("PutTargets", "x"), ("ListTargetsByRule", "runs")] {
        fake.state()
            .trouble(target, Trouble::Says("AccessDeniedException", "You may not."));
        let arn =
            json!({ "rule": rule, "event_bus_name": SOURCE, "arn": "arn:aws:sqs:us-east-1:123456789012:q" });
        resource.create(arn).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_of_no_rule_is_refused() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    resource
        .create(config(json!({ "create": true })))
        .await
        .unwrap_err();
    fake.state().trouble(
        "DescribeRule",
        Trouble::Says("AccessDeniedException", "You may not."),
    );
    resource
        .create(config(json!({ "create": true })))
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_fails_fails_the_call() {
    let (fake, harness) = with_rule().await;
    let state = made(&harness, json!({ "create": true })).await;
    let resource = harness.resource(NAME);
    fake.state().failed_entry = Some(("ValidationException", "No such destination."));
    let other = and(config(json!({ "create": true })), json!({ "target_id": "other" }));
    resource.create(other).await.unwrap_err();
    resource
        .update(&state, config(json!({ "create": true, "retention_in_days": 7 })))
        .await
        .unwrap_err();
    resource.destroy(&state).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_change_that_fails_says_what_state_the_target_is_in() {
    let (fake, harness) = with_rule().await;
    let state = made(&harness, json!({ "create": true })).await;
    let resource = harness.resource(NAME);
    let path = and(
        config(json!({ "create": true })),
        json!({ "input_path": "$.detail" }),
    );
    for (call, trouble) in [
        ("PutTargets", Trouble::Breaks { carried_out: true }),
        (
            "PutTargets",
            Trouble::Says("AccessDeniedException", "You may not."),
        ),
        (
            "DescribeResourcePolicies",
            Trouble::Says("AccessDeniedException", "You may not."),
        ),
    ] {
        fake.state().trouble(call, trouble);
        resource.update(&state, path.clone()).await.unwrap_err();
    }
    // Somebody gave it what this resource cannot.
    let key = (SOURCE.to_owned(), "runs".to_owned());
    fake.state().targets.get_mut(&key).unwrap()[0]["SqsParameters"] = json!({ "MessageGroupId": "g" });
    resource
        .create(config(json!({ "create": true })))
        .await
        .unwrap_err();
}
