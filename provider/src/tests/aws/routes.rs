//! Queues that a target or a bus sends to: looked at with the plan and after the apply.

use serde_json::{Value as Json, json};
use tfplugin::Diagnostics;
use tfplugin::testing::Harness;

use super::fake::{ACCOUNT, Fake, Trouble};
use super::fake_sqs::Queue;
use super::target::{with_rule, with_rule_and_bus};
use super::{SOURCE, and, names, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_queue_that_is_missing_or_lets_nobody_in_is_warned_of,
    an_apply_does_not_repeat_what_the_plan_knew,
    a_queue_that_lets_eventbridge_in_is_not_warned_of,
    what_cannot_be_asked_is_not_warned_of,
    a_policy_that_is_made_in_the_same_apply_is_waited_for,
    the_queue_of_a_bus_is_looked_at,
];

const TARGET: &str = "scalr_eventbridge_target";
const BUS: &str = "scalr_eventbridge_bus";

fn queue(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

/// A policy that lets EventBridge send for what has this ARN.
fn policy(queue: &str, source: &str) -> Json {
    json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage",
        "Resource": queue, "Condition": { "ArnEquals": { "aws:SourceArn": source } },
    }] })
}

fn rule_arn() -> String {
    format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/{SOURCE}/runs")
}

fn config(arn: &str) -> Json {
    json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": arn })
}

async fn with_queues(queues: &[(&str, Option<Json>)]) -> (Fake, Harness) {
    let (fake, harness) = with_rule_and_bus().await;
    let named = queues
        .iter()
        .map(|(name, policy)| ((*name).to_owned(), Queue::with_policy(policy.as_ref())));
    fake.state().queues = Some(named.collect());
    (fake, harness)
}

/// What the plan warns of, and what the apply does; neither fails.
async fn warnings(harness: &Harness, name: &str, config: Json) -> (Diagnostics, Diagnostics) {
    let resource = harness.resource(name);
    let planned = resource.plan(None, config).await.unwrap();
    let with_plan = planned.warnings.clone();
    let applied = resource.apply(planned).await;
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    let after: Vec<_> = applied.diags.into_iter().collect();
    // The harness gives the plan's warnings along.
    let after = after.into_iter().skip(with_plan.iter().count());
    (with_plan, after.collect())
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_missing_or_lets_nobody_in_is_warned_of() {
    let denying = json!({ "Statement": [
        { "Sid": "closed", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*" },
    ] });
    for (held, expected) in [
        (&[][..], "There is no queue `q` for the target of the rule `runs`"),
        (&[("q", None)][..], "\"aws:SourceArn\": \"arn:aws:events:"),
        (
            &[(
                "q",
                Some(policy(&queue("q"), "arn:aws:events:us-east-1:1:rule/x")),
            )][..],
            "sqs:SendMessage",
        ),
        (&[("q", Some(denying))][..], "`closed`"),
    ] {
        let (_fake, harness) = with_queues(held).await;
        let (plan, apply) = warnings(&harness, TARGET, config(&queue("q"))).await;
        names(&plan, &[&queue("q"), expected]);
        // What was missing with the plan is still missing, as the user knows. The policy might have been made since.
        if held.is_empty() {
            assert!(apply.is_empty(), "{apply}");
        } else {
            names(&apply, &[&queue("q"), expected]);
        }
    }
    // Also where the events that are given up go.
    let (_fake, harness) = with_queues(&[("q", Some(policy(&queue("q"), &rule_arn())))]).await;
    let dead = and(
        config(&queue("q")),
        json!({ "dead_letter_config": { "arn": queue("dead") } }),
    );
    let (plan, apply) = warnings(&harness, TARGET, dead).await;
    names(&plan, &["dead-letter queue `dead`", &queue("dead")]);
    assert!(apply.is_empty(), "{apply}");
}

/// The first plan of a target that is there knew its queue: what it said of the policy still holds.
#[tokio::test(start_paused = true)]
async fn an_apply_does_not_repeat_what_the_plan_knew() {
    let (fake, harness) = with_queues(&[("q", None)]).await;
    let resource = harness.resource(TARGET);
    let state = resource.create(config(&queue("q"))).await.unwrap();
    let changed = and(config(&queue("q")), json!({ "input_path": "$.detail" }));
    let planned = resource.plan(Some(&state), changed.clone()).await.unwrap();
    let said = planned.warnings.iter().count();
    names(&planned.warnings, &["may not send", "`q`"]);
    let applied = resource.apply(planned).await;
    assert_eq!(applied.diags.iter().count(), said, "{}", applied.diags);
    // What it could not know is said: here the queue is gone by then.
    let planned = resource.plan(Some(&state), changed).await.unwrap();
    fake.state().queues.as_mut().unwrap().clear();
    let applied = resource.apply(planned).await;
    names(&applied.diags, &["There is no queue `q`"]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_lets_eventbridge_in_is_not_warned_of() {
    let (fake, harness) = with_queues(&[("q", Some(policy(&queue("q"), &rule_arn())))]).await;
    let (plan, apply) = warnings(&harness, TARGET, config(&queue("q"))).await;
    assert!(plan.is_empty() && apply.is_empty(), "{plan} {apply}");
    // Whether a rule that is not named yet is let in is not known.
    fake.state().targets.clear();
    let resource = harness.resource(TARGET);
    let unknown = and(config(&queue("q")), json!({ "rule": tfplugin::testing::UNKNOWN }));
    let planned = resource.plan(None, unknown).await.unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_not_warned_of() {
    let denied = Trouble::Says("AccessDenied", "You may not.");
    for (call, trouble) in [
        ("GetQueueUrl", denied.clone()),
        ("GetQueueAttributes", denied),
        ("GetQueueUrl", Trouble::Breaks { carried_out: false }),
        (
            "DescribeEventBus",
            Trouble::Says("AccessDeniedException", "You may not."),
        ),
    ] {
        let (fake, harness) = with_queues(&[("q", None)]).await;
        for _ in 0..2 {
            fake.state().trouble(call, trouble.clone());
        }
        let (plan, apply) = warnings(&harness, TARGET, config(&queue("q"))).await;
        assert!(
            plan.is_empty() && apply.is_empty(),
            "{call} {trouble:?}: {plan} {apply}"
        );
        let unreachable = matches!(trouble, Trouble::Breaks { .. });
        assert!(!unreachable || fake.count(call) == 1, "{call} is asked again");
    }
    // No SQS at this endpoint, another account's queue, another region's.
    let (_fake, harness) = with_rule().await;
    let (plan, apply) = warnings(&harness, TARGET, config(&queue("q"))).await;
    assert!(plan.is_empty() && apply.is_empty(), "{plan} {apply}");
    let (fake, harness) = with_queues(&[]).await;
    let other = "arn:aws:sqs:us-east-1:210987654321:q";
    let (plan, apply) = warnings(&harness, TARGET, config(other)).await;
    assert!(plan.is_empty() && apply.is_empty(), "{plan} {apply}");
    assert_eq!(fake.count("GetQueueUrl"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_made_in_the_same_apply_is_waited_for() {
    let (fake, harness) = with_queues(&[("q", None)]).await;
    let resource = harness.resource(TARGET);
    let planned = resource.plan(None, config(&queue("q"))).await.unwrap();
    names(&planned.warnings, &["unless the same apply does"]);
    let with_plan = planned.warnings.iter().count();
    let meanwhile = async {
        fake.until("GetQueueAttributes", 2).await;
        let let_in = Queue::with_policy(Some(&policy(&queue("q"), &rule_arn())));
        fake.state()
            .queues
            .as_mut()
            .unwrap()
            .insert("q".to_owned(), let_in);
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), meanwhile);
    assert_eq!(applied.diags.iter().count(), with_plan, "{}", applied.diags);
}

#[tokio::test(start_paused = true)]
async fn the_queue_of_a_bus_is_looked_at() {
    let bus = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{SOURCE}");
    let wanted = json!({ "event_source_name": SOURCE, "dead_letter_config": { "arn": queue("dead") } });
    for (held, warned) in [(None, true), (Some(policy(&queue("dead"), &bus)), false)] {
        let (fake, harness) = stage().await;
        fake.state().queues = Some([("dead".to_owned(), Queue::with_policy(held.as_ref()))].into());
        let (plan, apply) = warnings(&harness, BUS, wanted.clone()).await;
        // The queue is there without a policy, which may be made in the same apply.
        for found in [plan, apply] {
            assert_eq!(found.is_empty(), !warned, "{found}");
            if warned {
                names(&found, &[&queue("dead"), &bus]);
            }
        }
    }
}
