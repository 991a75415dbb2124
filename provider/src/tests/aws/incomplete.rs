//! Answers of AWS's that say success and lack what they must have: never "gone", never "none".

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::Diagnostics;
use tfplugin::testing::{Applied, State};

use super::fake::{Fake, Trouble};
use super::{GROUP, SOURCE, api_destination, custom_bus, on, queue, stage, topic_permission};
use crate::tests::snapshot::scenarios;

scenarios![
    an_answer_without_what_it_must_have_is_an_unknown_outcome,
    a_rule_without_an_arn_is_not_said_to_be_missing,
    what_is_not_shown_is_not_overwritten,
    a_queue_whose_messages_are_not_counted_is_not_deleted,
];

/// Resources in the order in which they are made, with their configurations.
fn chain() -> [(&'static str, Json); 7] {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    let group = json!({ "name": GROUP, "create": true, "delete_on_destroy": true, "retention_in_days": 30 });
    let region = "us-east-1";
    [
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": SOURCE, "region": region }),
        ),
        (
            "scalr_eventbridge_rule",
            json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern, "region": region }),
        ),
        (
            "scalr_eventbridge_target",
            json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": group, "region": region }),
        ),
        (
            "scalr_eventbridge_queue",
            queue::config(json!({ "region": region })),
        ),
        (
            "scalr_eventbridge_topic_permission",
            topic_permission::config(json!({})),
        ),
        (
            "scalr_eventbridge_api_destination",
            api_destination::config(json!({ "region": region })),
        ),
        (
            "scalr_eventbridge_custom_bus",
            custom_bus::config(json!({ "region": region })),
        ),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Create,
    Read,
    Destroy,
}

/// What came of an operation: the state after it, and what it said.
struct Outcome {
    state: Option<Json>,
    said: Diagnostics,
}

/// AWS with what the resource of this place needs; and the resource itself, where it is to be there.
async fn prepared(place: usize, with_itself: bool) -> (Fake, Option<State>) {
    let (fake, harness) = stage().await;
    fake.state().queues = Some(BTreeMap::new());
    fake.state().topics = Some(topic_permission::topics());
    let mut last = None;
    for (name, config) in chain().into_iter().take(place + usize::from(with_itself)) {
        last = Some(harness.resource(name).create(config).await.unwrap());
    }
    fake.state().calls.clear();
    (fake, last.filter(|_| with_itself))
}

async fn run(fake: &Fake, place: usize, operation: Operation, state: Option<&State>) -> Outcome {
    let (name, config) = chain()[place].clone();
    let harness = on(fake.config());
    let resource = harness.resource(name);
    let of_applied = |applied: Applied| Outcome {
        state: applied.state.map(|state| state.json()),
        said: applied.diags,
    };
    match (operation, state) {
        (Operation::Create, _) => {
            of_applied(resource.apply(resource.plan(None, config).await.unwrap()).await)
        }
        (Operation::Read, Some(state)) => match resource.read(state).await {
            Ok(read) => Outcome {
                state: read.map(|state| state.json()),
                said: Diagnostics::default(),
            },
            Err(said) => Outcome { state: None, said },
        },
        (Operation::Destroy, Some(state)) => {
            of_applied(resource.apply(resource.plan_destroy(state).await.unwrap()).await)
        }
        _ => unreachable!("there is a state"),
    }
}

/// Each call of each operation gets `{}`: the operation names the call, or ends as it does without.
#[tokio::test(start_paused = true)]
async fn an_answer_without_what_it_must_have_is_an_unknown_outcome() {
    for (place, (name, _)) in chain().into_iter().enumerate() {
        for operation in [Operation::Create, Operation::Read, Operation::Destroy] {
            let exists = !matches!(operation, Operation::Create);
            let (fake, state) = prepared(place, exists).await;
            let whole = run(&fake, place, operation, state.as_ref()).await;
            assert!(!whole.said.has_errors(), "{name} {operation:?}: {}", whole.said);
            let calls = fake.state().calls.clone();
            for (at, call) in calls.iter().enumerate() {
                let before = calls.iter().take(at).filter(|other| *other == call).count();
                let (fake, state) = prepared(place, exists).await;
                let call: &'static str = call.clone().leak();
                fake.state().let_through(call, before);
                fake.state().trouble(call, Trouble::Empty);
                let got = run(&fake, place, operation, state.as_ref()).await;
                let shown = call.replace("v2:", "eventsv2:");
                let shown = if shown == call {
                    format!(":{call}`")
                } else {
                    format!("`{shown}`")
                };
                let is_named = got
                    .said
                    .iter()
                    .any(|one| format!("{} {}", one.summary, one.detail).contains(&shown));
                let what = format!("{name} {operation:?} {call} {before}");
                assert!(
                    is_named || got.state == whole.state,
                    "{what}: {:?}, not {:?}\n{}",
                    got.state,
                    whole.state,
                    got.said
                );
            }
        }
    }
}

/// The target needs the rule's ARN.
#[tokio::test(start_paused = true)]
async fn a_rule_without_an_arn_is_not_said_to_be_missing() {
    let (fake, _) = prepared(2, false).await;
    // The plan looks for the rule as well.
    fake.state().let_through("DescribeRule", 1);
    fake.state().trouble("DescribeRule", Trouble::Empty);
    let refused = run(&fake, 2, Operation::Create, None).await.said;
    super::names(&refused, &["`events:DescribeRule`", "`Arn`"]);
}

/// Else the statements of others would go: in no answer is no policy.
#[tokio::test(start_paused = true)]
async fn what_is_not_shown_is_not_overwritten() {
    let (fake, state) = prepared(3, true).await;
    let harness = on(fake.config());
    let changed = queue::config(json!({ "region": "us-east-1", "message_retention_seconds": 60 }));
    let resource = harness.resource("scalr_eventbridge_queue");
    let planned = resource.plan(state.as_ref(), changed).await.unwrap();
    fake.state().trouble("GetQueueAttributes", Trouble::Empty);
    let refused = resource.apply(planned).await.diags;
    super::names(&refused, &["`sqs:GetQueueAttributes`", "`QueueArn`"]);
    assert_eq!(fake.count("SetQueueAttributes"), 0);

    let (fake, _) = prepared(4, false).await;
    let held = fake.state().topics.clone();
    for _ in 0..200 {
        fake.state().trouble("GetTopicAttributes", Trouble::Empty);
    }
    let refused = run(&fake, 4, Operation::Create, None).await.said;
    super::names(&refused, &["`sns:GetTopicAttributes`", "`Attributes`"]);
    assert_eq!(fake.state().topics, held);
}

#[tokio::test(start_paused = true)]
async fn a_queue_whose_messages_are_not_counted_is_not_deleted() {
    let (fake, state) = prepared(3, true).await;
    let resource = on(fake.config());
    let resource = resource.resource("scalr_eventbridge_queue");
    let planned = resource.plan_destroy(&state.unwrap()).await.unwrap();
    fake.state().trouble("GetQueueAttributes", Trouble::Empty);
    let refused = resource.apply(planned).await.diags;
    super::names(&refused, &["`sqs:GetQueueAttributes`", "`QueueArn`"]);
    assert_eq!(fake.count("DeleteQueue"), 0);
}
