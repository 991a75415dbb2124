//! `scalr_eventbridge_queue`

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::{ACCOUNT, Fake, Trouble};
use super::{SOURCE, and, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_queue_is_made_in_one_call_and_changed_in_place,
    what_was_written_is_waited_for,
    statements_of_others_stay,
    drift_is_shown_and_repaired,
    an_existing_queue_is_refused_where_it_differs,
    a_lost_answer_says_that_the_queue_may_be_there_and_the_next_apply_adopts_it,
    a_name_that_was_just_deleted_is_waited_for,
    messages_are_not_deleted_unasked,
    what_aws_refuses_of_a_queue_is_reported,
    a_policy_that_cannot_take_our_statement_is_reported,
    a_rule_of_another_region_is_warned_of,
    rules_that_are_not_known_yet_are_waited_for,
    a_queue_that_goes_to_another_address_may_hold_messages,
    a_target_is_warned_of_a_queue_that_another_rule_is_let_into,
    queues_of_aws_are_left_alone_where_eventbridge_alone_is_elsewhere,
];

const NAME: &str = "scalr_eventbridge_queue";
const QUEUE: &str = "audit";

fn rule(name: &str) -> String {
    format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/{SOURCE}/{name}")
}

pub(in crate::tests) fn config(more: Json) -> Json {
    and(json!({ "name": QUEUE, "rule_arns": [rule("audit")] }), more)
}

async fn with_sqs() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    fake.state().queues = Some(BTreeMap::new());
    (fake, harness)
}

fn attribute(fake: &Fake, name: &str) -> Option<String> {
    let held = fake.state();
    held.queues.as_ref()?.get(QUEUE)?.attributes.get(name).cloned()
}

fn set(fake: &Fake, name: &str, value: &str) {
    let mut held = fake.state();
    let queue = held.queues.as_mut().unwrap().get_mut(QUEUE).unwrap();
    queue.attributes.insert(name.to_owned(), value.to_owned());
}

fn policy(fake: &Fake) -> Json {
    serde_json::from_str(&attribute(fake, "Policy").unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_made_in_one_call_and_changed_in_place() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    resource.assert_stable(&state, config(json!({}))).await;
    let calls = fake.state().calls.clone();
    let writes: Vec<&String> = calls.iter().filter(|call| call.ends_with("Queue")).collect();
    assert_eq!(writes, ["CreateQueue"]);
    let asked = fake.count("GetQueueUrl");
    resource.read(&state).await.unwrap();
    assert_eq!(fake.count("GetQueueUrl"), asked + 1);
    let shown = state.json();
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{QUEUE}");
    assert_eq!(
        (&shown["arn"], &shown["region"]),
        (&json!(arn), &json!("us-east-1"))
    );
    assert!(shown["url"].as_str().unwrap().ends_with(QUEUE), "{shown}");
    let statement = json!({
        "Sid": "ScalrEventBridge", "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": { "ArnEquals": { "aws:SourceArn": [rule("audit")] } },
    });
    assert_eq!(policy(&fake)["Statement"], json!([statement]));
    let encrypted = || {
        (
            attribute(&fake, "SqsManagedSseEnabled"),
            attribute(&fake, "KmsMasterKeyId"),
        )
    };
    assert_eq!(encrypted(), (Some("true".to_owned()), None));

    let mut state = state;
    for (more, sse, key) in [
        (
            json!({ "kms_master_key_id": "alias/mine" }),
            "false",
            "alias/mine",
        ),
        (
            json!({ "rule_arns": [rule("a"), rule("b")], "message_retention_seconds": 60, "visibility_timeout_seconds": 0 }),
            "true",
            "",
        ),
        (
            json!({ "tags": { "team": "x" }, "force_destroy": true }),
            "true",
            "",
        ),
    ] {
        let planned = resource.plan(Some(&state), config(more.clone())).await.unwrap();
        assert_eq!(planned.replaces(), Vec::<String>::new());
        state = resource.update(&state, config(more.clone())).await.unwrap();
        resource.assert_stable(&state, config(more)).await;
        assert_eq!(encrypted(), (Some(sse.to_owned()), Some(key.to_owned())));
    }
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().queues.as_ref().unwrap().is_empty());
}

/// SQS may show for a while what a queue had before.
#[tokio::test(start_paused = true)]
async fn what_was_written_is_waited_for() {
    let changed = || config(json!({ "visibility_timeout_seconds": 5 }));
    for (lag, warns) in [(0, false), (3, false), (1_000, true)] {
        let (fake, harness) = with_sqs().await;
        fake.state().queues_lag = lag;
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let made = resource.apply(planned).await;
        assert_eq!(
            (made.diags.is_empty(), made.diags.has_errors()),
            (!warns, false),
            "{lag}"
        );
        let planned = resource.plan(made.state.as_ref(), changed()).await.unwrap();
        let updated = resource.apply(planned).await;
        assert_eq!(
            (updated.diags.is_empty(), updated.diags.has_errors()),
            (!warns, false),
            "{lag}"
        );
        if !warns {
            resource.assert_stable(&updated.state.unwrap(), changed()).await;
        }
    }
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let planned = resource.plan(Some(&state), changed()).await.unwrap();
    fake.state().let_through("GetQueueAttributes", 1);
    fake.state()
        .trouble("GetQueueAttributes", Trouble::Says("AccessDenied", "No."));
    let applied = resource.apply(planned).await;
    assert!(!applied.diags.has_errors());
    names(&applied.diags, &["`audit`", "AccessDenied"]);
    resource.assert_stable(&applied.state.unwrap(), changed()).await;
}

#[tokio::test(start_paused = true)]
async fn statements_of_others_stay() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let theirs = json!({ "Sid": "theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:ReceiveMessage", "Resource": "*" });
    let mut document = policy(&fake);
    document["Statement"].as_array_mut().unwrap().push(theirs.clone());
    set(&fake, "Policy", &document.to_string());
    resource.assert_stable(&state, config(json!({}))).await;
    let changed = config(json!({ "rule_arns": [rule("a")] }));
    let state = resource.update(&state, changed.clone()).await.unwrap();
    resource.assert_stable(&state, changed).await;
    let statements = policy(&fake)["Statement"].as_array().unwrap().clone();
    assert!(
        statements.len() == 2 && statements.contains(&theirs),
        "{statements:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn drift_is_shown_and_repaired() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    for (name, value, at) in [
        ("Policy", "", "rule_arns"),
        ("MessageRetentionPeriod", "60", "message_retention_seconds"),
        ("VisibilityTimeout", "1", "visibility_timeout_seconds"),
        ("KmsMasterKeyId", "alias/theirs", "kms_master_key_id"),
    ] {
        set(&fake, name, value);
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_ne!(read.json()[at], state.json()[at], "{name}");
        let repaired = resource.update(&read, config(json!({}))).await.unwrap();
        resource.assert_stable(&repaired, config(json!({}))).await;
        assert_eq!(repaired.json()[at], state.json()[at], "{name}");
    }
    fake.state().queues.as_mut().unwrap().clear();
    assert!(resource.read(&state).await.unwrap().is_none());
    // With other credentials everything would seem deleted.
    fake.state().other_account = Some("210987654321");
    let elsewhere = on(fake.config());
    let refused = elsewhere.resource(NAME).read(&state).await.unwrap_err();
    names(&refused, &[ACCOUNT, "210987654321"]);
}

#[tokio::test(start_paused = true)]
async fn an_existing_queue_is_refused_where_it_differs() {
    let (fake, harness) = with_sqs().await;
    harness.resource(NAME).create(config(json!({}))).await.unwrap();
    for (more, held, named) in [
        (
            json!({ "message_retention_seconds": 60 }),
            None,
            "message_retention_seconds",
        ),
        (json!({ "rule_arns": [rule("x")] }), None, "rule_arns"),
        (json!({ "tags": { "a": "1" } }), None, "tags"),
        (json!({}), Some(("RedrivePolicy", "{}")), "does not have"),
    ] {
        if let Some((name, value)) = held {
            set(&fake, name, value);
        }
        let other = on(fake.config());
        let refused = other.resource(NAME).create(config(more)).await.unwrap_err();
        names(&refused, &[named, "audit@us-east-1"]);
    }
    assert_eq!(fake.count("SetQueueAttributes"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_says_that_the_queue_may_be_there_and_the_next_apply_adopts_it() {
    let (fake, harness) = with_sqs().await;
    fake.state()
        .trouble("CreateQueue", Trouble::Breaks { carried_out: true });
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let applied = resource.apply(planned).await;
    assert!(applied.state.is_none() && applied.diags.has_errors());
    names(&applied.diags, &["`audit`", "sqs:CreateQueue"]);
    let state = resource.create(config(json!({}))).await.unwrap();
    resource.assert_stable(&state, config(json!({}))).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_just_deleted_is_waited_for() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    for code in [
        "QueueDeletedRecently",
        "AWS.SimpleQueueService.QueueDeletedRecently",
    ] {
        fake.state()
            .trouble("CreateQueue", Trouble::Says(code, "Wait 60 seconds."));
    }
    let state = resource.create(config(json!({}))).await.unwrap();
    assert_eq!(fake.count("CreateQueue"), 3);
    resource.destroy(&state).await.unwrap();
    for _ in 0..3 {
        fake.state().trouble(
            "CreateQueue",
            Trouble::Says("QueueDeletedRecently", "Wait 60 seconds."),
        );
    }
    let refused = resource
        .create(config(json!({ "timeouts": { "create": "8s" } })))
        .await;
    names(&refused.unwrap_err(), &["60 seconds"]);
}

#[tokio::test(start_paused = true)]
async fn messages_are_not_deleted_unasked() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let planned = resource.plan_destroy(&state).await.unwrap();
    set(&fake, "ApproximateNumberOfMessagesNotVisible", "2");
    names(
        &resource.plan_destroy(&state).await.unwrap_err(),
        &["`audit`", "force_destroy"],
    );
    // They came after the plan.
    let applied = resource.apply(planned).await;
    names(&applied.diags, &["`audit`", "force_destroy"]);
    assert!(applied.diags.has_errors() && fake.count("DeleteQueue") == 0);
    let renamed = config(json!({ "name": "other" }));
    names(
        &resource.plan(Some(&state), renamed).await.unwrap_err(),
        &["`audit`"],
    );

    let forced = config(json!({ "force_destroy": true }));
    let state = resource.update(&state, forced).await.unwrap();
    assert_eq!(fake.count("SetQueueAttributes"), 0);
    resource.destroy(&state).await.unwrap();
    assert_eq!(fake.count("DeleteQueue"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_a_queue_is_reported() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let denied = || Trouble::Says("AccessDenied", "You may not.");
    for call in ["GetQueueUrl", "CreateQueue"] {
        fake.state().trouble(call, denied());
        let refused = resource.create(config(json!({}))).await.unwrap_err();
        names(&refused, &[&format!("`sqs:{call}`")]);
    }
    let state = resource.create(config(json!({}))).await.unwrap();
    let changed = || config(json!({ "message_retention_seconds": 60, "tags": { "a": "1" } }));
    for call in ["GetQueueAttributes", "SetQueueAttributes", "TagQueue"] {
        fake.state().trouble(call, denied());
        let refused = resource.update(&state, changed()).await.unwrap_err();
        names(&refused, &[&format!("`sqs:{call}`")]);
    }
    for call in ["GetQueueUrl", "GetQueueAttributes", "ListQueueTags"] {
        fake.state().trouble(call, denied());
        names(
            &resource.read(&state).await.unwrap_err(),
            &[&format!("`sqs:{call}`")],
        );
    }
    // Who may not ask gets the code of a queue that is not there.
    let unseen = Trouble::Says(
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist or you do not have access to it.",
    );
    fake.state().trouble("GetQueueUrl", unseen);
    names(&resource.read(&state).await.unwrap_err(), &["`sqs:GetQueueUrl`"]);
    let trouble = Trouble::Breaks { carried_out: false };
    fake.state().trouble("DeleteQueue", trouble);
    names(&resource.destroy(&state).await.unwrap_err(), &["sqs:DeleteQueue"]);

    let planned = resource.plan(Some(&state), changed()).await.unwrap();
    fake.state().queues.as_mut().unwrap().clear();
    let applied = resource.apply(planned).await;
    names(&applied.diags, &["`audit`", "us-east-1"]);
    assert!(applied.diags.has_errors());
    resource.destroy(&state).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_cannot_take_our_statement_is_reported() {
    let (fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let many: Vec<String> = (0..100).map(|n| rule(&n.to_string())).collect();
    let refused = resource.create(config(json!({ "rule_arns": many }))).await;
    names(&refused.unwrap_err(), &["`audit`", "8192"]);
    let state = resource.create(config(json!({}))).await.unwrap();
    set(&fake, "Policy", "[]");
    let refused = resource
        .update(&state, config(json!({ "rule_arns": [rule("x")] })))
        .await;
    names(&refused.unwrap_err(), &["`audit`", "JSON"]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_another_region_is_warned_of() {
    let (_fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    let rule = rule("audit").replace("us-east-1", "eu-west-1");
    let config = config(json!({ "rule_arns": [rule], "region": "us-east-1" }));
    let planned = resource.plan(None, config).await.unwrap();
    names(&planned.warnings, &[&rule, "us-east-1"]);
}

#[tokio::test(start_paused = true)]
async fn rules_that_are_not_known_yet_are_waited_for() {
    let (_fake, harness) = with_sqs().await;
    let resource = harness.resource(NAME);
    for rules in [json!(UNKNOWN), json!([UNKNOWN])] {
        let config = config(json!({ "rule_arns": rules }));
        resource.validate(config.clone()).await.unwrap();
        resource.plan(None, config).await.unwrap();
    }
}

/// The destroy of the old address leaves the queue to the new one.
#[tokio::test(start_paused = true)]
async fn a_queue_that_goes_to_another_address_may_hold_messages() {
    let (fake, harness) = with_sqs().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    set(&fake, "ApproximateNumberOfMessages", "2");
    let elsewhere = on(fake.config());
    let resource = elsewhere.resource(NAME);
    names(&resource.plan_destroy(&state).await.unwrap_err(), &["`moved`"]);
    let here = config(json!({ "region": "us-east-1" }));
    let made = resource.plan(None, here.clone()).await.unwrap();
    let destroyed = resource.plan_destroy(&state).await.unwrap();
    let made = resource.apply(made).await;
    assert!(!made.diags.has_errors(), "{}", made.diags);
    let destroyed = resource.apply(destroyed).await;
    assert!(!destroyed.diags.has_errors(), "{}", destroyed.diags);
    names(&destroyed.diags, &["another resource"]);
    // The tag of the adoption says so to other processes.
    let later = on(fake.config());
    let resource = later.resource(NAME);
    let destroyed = resource.apply(resource.plan_destroy(&state).await.unwrap()).await;
    assert!(!destroyed.diags.has_errors() && fake.count("DeleteQueue") == 0);
    resource.assert_stable(&made.state.unwrap(), here).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_is_warned_of_a_queue_that_another_rule_is_let_into() {
    let (fake, harness) = with_sqs().await;
    super::hold(&fake, &["second", "third"]);
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{QUEUE}");
    let both = json!([rule("audit"), rule("second")]);
    for (rules, of, is_warned) in [
        (both.clone(), "second", false),
        (both, "third", true),
        (json!([rule("audit"), UNKNOWN]), "third", false),
        (json!([rule("audit")]), "second", true),
    ] {
        let harness = on(fake.config());
        let config = config(json!({ "rule_arns": rules }));
        harness.resource(NAME).plan(Some(&state), config).await.unwrap();
        let target = json!({ "rule": of, "event_bus_name": SOURCE, "arn": arn });
        let planned = harness
            .resource("scalr_eventbridge_target")
            .plan(None, target)
            .await;
        let warnings = planned.unwrap().warnings;
        assert_eq!(warnings.is_empty(), !is_warned, "{rules} {of}: {warnings}");
    }
}

#[tokio::test(start_paused = true)]
async fn queues_of_aws_are_left_alone_where_eventbridge_alone_is_elsewhere() {
    let (fake, harness) = with_sqs().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    fake.state().calls.clear();
    let alone = super::with(super::events_elsewhere(), fake.config());
    let resource = alone.resource(NAME);
    let changed = config(json!({ "rule_arns": [rule("other")] }));
    for refused in [
        resource.read(&state).await.unwrap_err(),
        resource.plan(Some(&state), changed).await.unwrap_err(),
        resource.destroy(&state).await.unwrap_err(),
        resource.plan(None, config(json!({}))).await.unwrap_err(),
    ] {
        names(&refused, &["`endpoints.sqs`", "SQS"]);
    }
    assert_eq!(fake.state().calls, Vec::<String>::new());
}
