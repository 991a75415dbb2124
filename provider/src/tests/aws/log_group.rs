//! The log group of a `scalr_eventbridge_target`: whose it is, and what keeps EventBridge out of it.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, State};

use super::fake::{ACCOUNT, Fake, Trouble, group_arn};
use super::target::{config, made, with_rule};
use super::{GROUP, SOURCE};
use crate::tests::snapshot::scenarios;

scenarios![
    a_group_of_somebody_else_is_refused,
    a_group_that_is_missing_is_refused,
    what_keeps_eventbridge_out_is_named,
    a_policy_that_keeps_changing_is_given_up,
    a_group_stays_or_goes_as_the_configuration_says,
    what_is_missing_shows_in_the_status,
    what_aws_refuses_of_a_group_is_reported,
];

const NAME: &str = "scalr_eventbridge_target";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

async fn refused(harness: &Harness, group: Json) {
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(group)).await.unwrap();
    let applied = resource.apply(planned).await;
    assert!(applied.state.is_none() && applied.diags.has_errors());
}

fn tagged(owner: Option<&str>) -> std::collections::BTreeMap<String, String> {
    let tag = |owner: &str| ("scalr-eventbridge:owner".to_owned(), owner.to_owned());
    owner.map(tag).into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_of_somebody_else_is_refused() {
    for owner in [
        None,
        Some("theirs/r"),
        Some("aws.partner/scalr.com/acme/prod/runs2"),
    ] {
        let (fake, harness) = with_rule().await;
        let rule = (SOURCE.to_owned(), "runs2".to_owned());
        fake.state().rules.insert(rule, json!({ "Name": "runs2" }));
        fake.state().make_group(GROUP, tagged(owner));
        refused(&harness, json!({ "create": true })).await;
    }
    // The rule that had it is gone: it passes on.
    let (fake, harness) = with_rule().await;
    fake.state()
        .make_group(GROUP, tagged(Some("aws.partner/scalr.com/acme/prod/old")));
    fake.state().trouble("TagResource", DENIED);
    refused(&harness, json!({ "create": true })).await;
    fake.state().let_through("DescribeRule", 1);
    fake.state().trouble("DescribeRule", DENIED);
    refused(&harness, json!({ "create": true })).await;
    made(&harness, json!({ "create": true })).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_missing_is_refused() {
    let (fake, harness) = with_rule().await;
    refused(&harness, json!({})).await;
    fake.state().rules.clear();
    refused(&harness, json!({ "create": true })).await;
}

fn denying(sid: Option<&str>) -> String {
    let mut statement = json!({
        "Effect": "Deny", "Principal": "*", "Action": "logs:*", "Resource": "*",
    });
    if let Some(sid) = sid {
        statement["Sid"] = json!(sid);
    }
    json!({ "Statement": [statement] }).to_string()
}

#[tokio::test(start_paused = true)]
async fn what_keeps_eventbridge_out_is_named() {
    let long = json!({ "Statement": [], "Id": "x".repeat(51_100) }).to_string();
    let long_account = json!({ "Statement": [], "Id": "x".repeat(5_000) }).to_string();
    for (group, account) in [
        (Some(denying(None)), None),
        (Some(denying(Some("NoEvents"))), None),
        (Some("[]".to_owned()), None),
        (Some(long), Some(long_account)),
    ] {
        let (fake, harness) = with_rule().await;
        {
            let mut held = fake.state();
            held.policies
                .extend(group.map(|document| (group_arn(GROUP), document)));
            held.account_policies
                .extend(account.map(|document| ("scalr-eventbridge".to_owned(), document)));
        }
        refused(&harness, json!({ "create": true })).await;
    }
    for call in ["DescribeResourcePolicies", "PutResourcePolicy"] {
        for trouble in [DENIED, Trouble::Breaks { carried_out: false }] {
            let (fake, harness) = with_rule().await;
            fake.state().trouble(call, trouble);
            refused(&harness, json!({ "create": true })).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_keeps_changing_is_given_up() {
    let (fake, harness) = with_rule().await;
    for _ in 0..20 {
        let busy = Trouble::Says("OperationAbortedException", "Busy.");
        fake.state().trouble("PutResourcePolicy", busy);
    }
    refused(&harness, json!({ "create": true })).await;
    assert!(fake.count("PutResourcePolicy") < 20);
}

async fn own(group: Json) -> (Fake, Harness, State) {
    let (fake, harness) = with_rule().await;
    let state = made(&harness, group).await;
    (fake, harness, state)
}

#[tokio::test(start_paused = true)]
async fn a_group_stays_or_goes_as_the_configuration_says() {
    let (fake, harness, state) = own(json!({ "create": true })).await;
    harness.resource(NAME).destroy(&state).await.unwrap();
    assert!(fake.state().groups.contains_key(GROUP));

    let goes = json!({ "create": true, "delete_on_destroy": true });
    let (fake, harness, state) = own(goes.clone()).await;
    fake.state()
        .tags
        .insert(group_arn(GROUP), tagged(Some("theirs/r")));
    harness.resource(NAME).destroy(&state).await.unwrap();
    assert!(fake.state().groups.contains_key(GROUP));

    let (fake, harness, state) = own(goes.clone()).await;
    {
        let key = (SOURCE.to_owned(), "runs".to_owned());
        let other = json!({ "Id": "other", "Arn": group_arn(GROUP) });
        fake.state().targets.get_mut(&key).unwrap().push(other);
    }
    harness.resource(NAME).destroy(&state).await.unwrap();
    assert!(fake.state().groups.contains_key(GROUP));

    let (fake, harness, state) = own(goes.clone()).await;
    let moved = json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": { "name": "/other" } });
    let planned = harness.resource(NAME).plan(Some(&state), moved).await.unwrap();
    assert_eq!(planned.replaces(), ["log_group"]);
    harness.resource(NAME).destroy(&state).await.unwrap();
    assert!(fake.state().groups.is_empty());

    let (fake, harness, state) = own(json!({ "create": true })).await;
    let planned = harness
        .resource(NAME)
        .plan(Some(&state), config(json!({})))
        .await
        .unwrap();
    fake.state().trouble("UntagResource", DENIED);
    assert!(harness.resource(NAME).apply(planned).await.diags.has_errors());
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_shows_in_the_status() {
    let (fake, harness, state) = own(json!({ "create": true })).await;
    let resource = harness.resource(NAME);
    let status = async || resource.read(&state).await.unwrap().unwrap().json()["log_group"]["status"].clone();
    assert_eq!(status().await, "ready");
    fake.state().policies.insert(group_arn(GROUP), denying(None));
    assert_eq!(status().await, "policy denies");
    fake.state().policies.clear();
    assert_eq!(status().await, "policy missing");
    fake.state().groups.clear();
    assert_eq!(status().await, "log group missing");
    fake.state().other_account = Some("210987654321");
    fake.state().trouble(
        "ListTargetsByRule",
        Trouble::Says("ResourceNotFoundException", "There is none."),
    );
    let elsewhere = super::on(fake.config());
    elsewhere.resource(NAME).read(&state).await.unwrap_err();
    assert!(
        state.json()["log_group"]["arn"]
            .as_str()
            .unwrap()
            .contains(ACCOUNT)
    );
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_of_a_group_is_reported() {
    for call in [
        "DescribeLogGroups",
        "CreateLogGroup",
        "PutRetentionPolicy",
        "ListTargetsByRule",
        "DescribeRule",
    ] {
        for trouble in [DENIED, Trouble::Breaks { carried_out: true }] {
            let (fake, harness) = with_rule().await;
            fake.state().trouble(call, trouble);
            refused(&harness, json!({ "create": true, "retention_in_days": 30 })).await;
        }
    }
    let exists = Trouble::Says("ResourceAlreadyExistsException", "There is one.");
    let (fake, harness) = with_rule().await;
    fake.state().trouble("CreateLogGroup", exists);
    made(&harness, json!({ "create": true })).await;
    let (fake, harness, state) = own(json!({ "create": true })).await;
    for call in [
        "ListTargetsByRule",
        "DescribeLogGroups",
        "ListTagsForResource",
        "DescribeResourcePolicies",
    ] {
        fake.state().trouble(call, DENIED);
        harness.resource(NAME).read(&state).await.unwrap_err();
    }
}
