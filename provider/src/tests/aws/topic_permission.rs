//! `scalr_eventbridge_topic_permission`

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::{ACCOUNT, Fake, Trouble};
use super::{SOURCE, and, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_statement_is_added_and_removed_without_a_change_of_others,
    a_statement_that_is_gone_or_changed_is_written_again,
    an_apply_after_an_interrupted_one_finds_the_statement,
    the_last_statement_leaves_the_policy_of_a_new_topic,
    a_topic_that_is_gone_has_no_permission,
    a_statement_that_does_not_stay_is_written_until_it_does,
    what_aws_refuses_of_a_topic_is_reported,
    a_permission_is_imported_by_both_arns,
    two_for_one_rule_are_refused,
    a_rule_of_another_region_is_warned_of,
    a_missing_topic_is_warned_of_once,
    a_target_is_not_warned_of_a_topic_that_the_same_plan_opens,
    a_target_is_warned_of_a_topic_that_another_rule_is_let_into,
    topics_of_aws_are_left_alone_where_eventbridge_alone_is_elsewhere,
];

const NAME: &str = "scalr_eventbridge_topic_permission";

fn topic() -> String {
    format!("arn:aws:sns:us-east-1:{ACCOUNT}:on-call")
}

fn rule(name: &str) -> String {
    format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/{SOURCE}/{name}")
}

pub(in crate::tests) fn config(more: Json) -> Json {
    and(json!({ "topic_arn": topic(), "rule_arn": rule("runs") }), more)
}

fn theirs() -> Json {
    json!({ "Sid": "theirs", "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "SNS:Publish", "Resource": topic(),
            "Condition": { "StringEquals": { "AWS:SourceOwner": ACCOUNT } } })
}

async fn with_topic() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    fake.state().topics = Some(topics());
    (fake, harness)
}

/// The topic, with a statement of somebody else's.
pub(in crate::tests) fn topics() -> BTreeMap<String, String> {
    let policy = json!({ "Version": "2008-10-17", "Id": "first", "Statement": [theirs()] });
    [(topic(), policy.to_string())].into()
}

fn policy(fake: &Fake) -> Json {
    serde_json::from_str(&fake.state().topics.as_ref().unwrap()[&topic()]).unwrap()
}

fn set_policy(fake: &Fake, policy: &Json) {
    let mut held = fake.state();
    held.topics.as_mut().unwrap().insert(topic(), policy.to_string());
}

fn statements(fake: &Fake) -> Vec<Json> {
    policy(fake)["Statement"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_statement_is_added_and_removed_without_a_change_of_others() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    resource.assert_stable(&state, config(json!({}))).await;
    let second = config(json!({ "rule_arn": rule("second") }));
    let other = resource.create(second).await.unwrap();
    let held = statements(&fake);
    assert_eq!((held.len(), &held[0]), (3, &theirs()));
    let ours = json!({
        "Sid": held[1]["Sid"], "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sns:Publish", "Resource": topic(),
        "Condition": { "ArnEquals": { "aws:SourceArn": [rule("runs")] } },
    });
    assert_eq!(held[1], ours);
    resource.destroy(&state).await.unwrap();
    assert_eq!(statements(&fake).len(), 2);
    resource
        .assert_stable(&other, config(json!({ "rule_arn": rule("second") })))
        .await;
    resource.destroy(&other).await.unwrap();
    assert_eq!(
        (statements(&fake), &policy(&fake)["Id"]),
        (vec![theirs()], &json!("first"))
    );
    // What is gone is no error.
    resource.destroy(&other).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_is_gone_or_changed_is_written_again() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let whole = policy(&fake);
    let mut denied = whole.clone();
    denied["Statement"][1]["Effect"] = json!("Deny");
    let mut gone = whole.clone();
    gone["Statement"].as_array_mut().unwrap().pop();
    for changed in [denied, gone] {
        set_policy(&fake, &changed);
        assert!(resource.read(&state).await.unwrap().is_none(), "{changed}");
        let again = on(fake.config())
            .resource(NAME)
            .create(config(json!({})))
            .await
            .unwrap();
        resource.assert_stable(&again, config(json!({}))).await;
        assert_eq!(policy(&fake), whole);
    }
}

#[tokio::test(start_paused = true)]
async fn an_apply_after_an_interrupted_one_finds_the_statement() {
    let (fake, harness) = with_topic().await;
    fake.state()
        .trouble("SetTopicAttributes", Trouble::Breaks { carried_out: true });
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let applied = resource.apply(planned).await;
    names(&applied.diags, &["sns:SetTopicAttributes", &topic()]);
    let state = resource.create(config(json!({}))).await.unwrap();
    assert_eq!(statements(&fake).len(), 2);
    resource.destroy(&state).await.unwrap();
    assert_eq!(statements(&fake), [theirs()]);
}

/// SNS takes no policy without a statement.
#[tokio::test(start_paused = true)]
async fn the_last_statement_leaves_the_policy_of_a_new_topic() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let ours = statements(&fake).pop();
    set_policy(&fake, &json!({ "Version": "2012-10-17", "Statement": ours }));
    resource.destroy(&state).await.unwrap();
    let left = statements(&fake);
    assert_eq!(
        (left.len(), &left[0]["Sid"]),
        (1, &json!("__default_statement_ID"))
    );
    assert_eq!(left[0]["Condition"]["StringEquals"]["AWS:SourceOwner"], ACCOUNT);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_gone_has_no_permission() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().topics.as_mut().unwrap().clear();
    assert!(resource.read(&state).await.unwrap().is_none());
    resource.destroy(&state).await.unwrap();
    let missing = on(fake.config()).resource(NAME).create(config(json!({}))).await;
    names(&missing.unwrap_err(), &[&topic(), ACCOUNT]);
    fake.state().other_account = Some("210987654321");
    let elsewhere = on(fake.config());
    let refused = elsewhere.resource(NAME).read(&state).await.unwrap_err();
    names(&refused, &[ACCOUNT, "210987654321"]);
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_does_not_stay_is_written_until_it_does() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let short = || config(json!({ "timeouts": { "create": "10s" } }));
    fake.state().lost.push("SetTopicAttributes");
    names(&resource.create(short()).await.unwrap_err(), &[&topic()]);
    let planned = resource.plan(None, short()).await.unwrap();
    let before = fake.count("SetTopicAttributes");
    let remembers = async {
        fake.until("SetTopicAttributes", before + 2).await;
        fake.state().lost.clear();
    };
    let (applied, ()) = tokio::join!(resource.apply(planned), remembers);
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    assert_eq!(statements(&fake).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_a_topic_is_reported() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let denied = || Trouble::Says("AuthorizationError", "You may not.");
    for call in ["GetTopicAttributes", "SetTopicAttributes"] {
        // The plan looks for the topic as well.
        let by_plan = usize::from(call == "GetTopicAttributes");
        fake.state().let_through(call, by_plan);
        fake.state().trouble(call, denied());
        let refused = resource.create(config(json!({}))).await.unwrap_err();
        names(&refused, &[&format!("`sns:{call}`")]);
    }
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().trouble("GetTopicAttributes", denied());
    names(
        &resource.read(&state).await.unwrap_err(),
        &["`sns:GetTopicAttributes`"],
    );
    for call in ["GetTopicAttributes", "SetTopicAttributes"] {
        fake.state().trouble(call, denied());
        names(
            &resource.destroy(&state).await.unwrap_err(),
            &[&format!("`sns:{call}`")],
        );
    }
    set_policy(&fake, &json!([]));
    let refused = on(fake.config()).resource(NAME).create(config(json!({}))).await;
    names(&refused.unwrap_err(), &["JSON", &topic()]);
    for (more, at) in [
        (json!({ "topic_arn": "on-call" }), "topic_arn"),
        (json!({ "topic_arn": format!("{}.fifo", topic()) }), "topic_arn"),
        (json!({ "rule_arn": "runs" }), "rule_arn"),
    ] {
        let refused = resource.validate(config(more)).await.unwrap_err();
        names(&refused, &[at]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_permission_is_imported_by_both_arns() {
    let (_fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let imported = resource
        .import(&format!("{},{}", topic(), rule("runs")))
        .await
        .unwrap();
    assert_eq!(imported.json(), state.json());
    let identity = json!({ "topic_arn": topic(), "rule_arn": rule("runs") });
    let imported = resource.import_by_identity(identity).await.unwrap();
    resource.assert_stable(&imported, config(json!({}))).await;
    for id in [
        topic(),
        format!("{},{}", rule("runs"), topic()),
        format!("{},{}", topic(), rule("other")),
    ] {
        resource.import(&id).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn two_for_one_rule_are_refused() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    resource.plan(None, config(json!({}))).await.unwrap();
    names(
        &resource.plan(None, config(json!({}))).await.unwrap_err(),
        &["another `rule_arn`"],
    );
    // No plan could tell them apart.
    let harness = on(fake.config());
    let resource = harness.resource(NAME);
    let unknown = config(json!({ "rule_arn": UNKNOWN }));
    for _ in 0..2 {
        resource.plan(None, unknown.clone()).await.unwrap();
    }
    resource.create(config(json!({}))).await.unwrap();
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    names(&resource.apply(planned).await.diags, &["two resources"]);
    assert_eq!(statements(&fake).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_another_region_is_warned_of() {
    let (_fake, harness) = with_topic().await;
    let elsewhere = rule("runs").replace("us-east-1", "eu-west-1");
    let planned = harness
        .resource(NAME)
        .plan(None, config(json!({ "rule_arn": elsewhere })))
        .await;
    names(&planned.unwrap().warnings, &["us-east-1", "eu-west-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_is_not_warned_of_a_topic_that_the_same_plan_opens() {
    let (fake, harness) = with_topic().await;
    super::hold(&fake, &["runs"]);
    let target = harness.resource("scalr_eventbridge_target");
    let to_topic = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": topic() });
    let planned = target.plan(None, to_topic.clone()).await.unwrap();
    names(&planned.warnings, &["sns:Publish"]);
    harness
        .resource(NAME)
        .plan(None, config(json!({})))
        .await
        .unwrap();
    let planned = target
        .plan(None, and(to_topic, json!({ "target_id": "other" })))
        .await
        .unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
}

#[tokio::test(start_paused = true)]
async fn a_target_is_warned_of_a_topic_that_another_rule_is_let_into() {
    let (fake, harness) = with_topic().await;
    let resource = harness.resource(NAME);
    let other = json!({ "rule": "other", "event_bus_name": SOURCE, "arn": topic() });
    resource.plan(None, config(json!({}))).await.unwrap();
    let target = harness.resource("scalr_eventbridge_target");
    let planned = target.plan(None, other).await.unwrap();
    names(&planned.warnings, &["sns:Publish", &rule("other")]);
    // A plan that changes nothing lets nobody in.
    let harness = on(fake.config());
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    set_policy(&fake, &json!({ "Statement": [theirs()] }));
    let harness = on(fake.config());
    let unchanged = harness.resource(NAME).plan(Some(&state), config(json!({}))).await;
    unchanged.unwrap();
    let target = harness.resource("scalr_eventbridge_target");
    let same = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": topic() });
    names(&target.plan(None, same).await.unwrap().warnings, &["sns:Publish"]);
}

#[tokio::test(start_paused = true)]
async fn topics_of_aws_are_left_alone_where_eventbridge_alone_is_elsewhere() {
    let (fake, harness) = with_topic().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    fake.state().calls.clear();
    let alone = super::with(super::events_elsewhere(), fake.config());
    let resource = alone.resource(NAME);
    for refused in [
        resource.read(&state).await.unwrap_err(),
        resource.destroy(&state).await.unwrap_err(),
        resource.plan(None, config(json!({}))).await.unwrap_err(),
    ] {
        names(&refused, &["`endpoints.sns`", "SNS"]);
    }
    assert_eq!(fake.state().calls, Vec::<String>::new());
}

/// By the permission or by the target that leads there, whichever is planned first.
#[tokio::test(start_paused = true)]
async fn a_missing_topic_is_warned_of_once() {
    const TARGET: &str = "scalr_eventbridge_target";
    let target = || json!({ "rule": UNKNOWN, "event_bus_name": UNKNOWN, "arn": topic() });
    for targets_first in [false, true] {
        let (fake, harness) = stage().await;
        fake.state().topics = Some(BTreeMap::new());
        let mut plans = vec![(NAME, config(json!({}))), (TARGET, target())];
        if targets_first {
            plans.reverse();
        }
        let mut said = Vec::new();
        for (name, config) in plans {
            let planned = harness.resource(name).plan(None, config).await.unwrap();
            said.extend(planned.warnings.into_iter().map(|one| one.path.to_string()));
        }
        let want = if targets_first { "arn" } else { "topic_arn" };
        assert_eq!(said, [want]);
    }
    let (fake, harness) = with_topic().await;
    let planned = harness
        .resource(NAME)
        .plan(None, config(json!({})))
        .await
        .unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    assert_eq!(fake.count("GetTopicAttributes"), 1);
}
