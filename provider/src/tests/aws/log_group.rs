//! The log group of a `scalr_eventbridge_target`: whose it is, and what keeps EventBridge out of it.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Applied, Harness, State, UNKNOWN};

use super::fake::{ACCOUNT, Fake, Trouble, group_arn};
use super::target::{config, made, with_rule};
use super::{GROUP, SOURCE, and, names};
use crate::tests::snapshot::scenarios;

scenarios![
    a_group_of_somebody_else_is_refused,
    a_group_that_is_missing_is_refused,
    what_keeps_eventbridge_out_is_named,
    a_policy_that_keeps_changing_is_given_up,
    a_group_stays_or_goes_as_the_configuration_says,
    what_is_missing_shows_in_the_status,
    a_plan_refuses_a_group_without_an_owner_where_it_can_be_read,
    a_creation_that_fails_leaves_its_group_to_a_destroy,
    a_group_that_a_failed_creation_found_is_not_deleted,
    a_target_that_is_gone_leaves_its_group_to_a_destroy,
    our_statements_are_written_where_others_grant_the_same,
    statements_of_others_go_back_as_aws_takes_them,
    an_arn_that_ends_in_a_star_is_the_one_without,
    the_key_of_a_group_is_kept,
    what_aws_refuses_of_a_group_is_reported,
];

const NAME: &str = "scalr_eventbridge_target";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

/// The apply of a target that is planned without an error fails.
async fn refused(harness: &Harness, group: Json) -> Applied {
    refused_after(harness, group, || ()).await
}

/// Trouble begins after the plan.
async fn refused_after(harness: &Harness, group: Json, trouble: impl FnOnce()) -> Applied {
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(group)).await.unwrap();
    trouble();
    let applied = resource.apply(planned).await;
    assert!(applied.diags.has_errors());
    applied
}

pub(super) fn tagged(owner: Option<&str>) -> std::collections::BTreeMap<String, String> {
    let tag = |owner: &str| ("scalr-eventbridge:owner".to_owned(), owner.to_owned());
    owner.map(tag).into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn a_group_of_somebody_else_is_refused() {
    for owner in [Some("theirs/r"), Some("aws.partner/scalr.com/acme/prod/runs2")] {
        let (fake, harness) = with_rule().await;
        let rule = (SOURCE.to_owned(), "runs2".to_owned());
        fake.state().rules.insert(rule, json!({ "Name": "runs2" }));
        fake.state().make_group(GROUP, tagged(owner));
        let applied = refused(&harness, json!({ "create": true })).await;
        assert!(applied.state.is_none());
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

pub(super) fn denying(sid: Option<&str>) -> String {
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
            let trouble = || fake.state().trouble(call, trouble);
            refused_after(&harness, json!({ "create": true }), trouble).await;
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

const GOES: fn() -> Json = || json!({ "create": true, "delete_on_destroy": true, "retention_in_days": 30 });

/// Wherever it fails once the group is there: the group is in the state, and a destroy removes it.
#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_leaves_its_group_to_a_destroy() {
    let lost = |carried_out| Trouble::Breaks { carried_out };
    for (call, trouble) in [
        ("CreateLogGroup", lost(true)),
        ("PutRetentionPolicy", DENIED),
        ("DescribeResourcePolicies", DENIED),
        ("PutResourcePolicy", DENIED),
        ("PutTargets", Trouble::Says("LimitExceededException", "Five.")),
        ("PutTargets", lost(true)),
        ("PutTargets", lost(false)),
    ] {
        let (fake, harness) = with_rule().await;
        let resource = harness.resource(NAME);
        let why = format!("{call} {trouble:?}");
        let applied = refused_after(&harness, GOES(), || fake.state().trouble(call, trouble)).await;
        let tainted = applied.state.expect(&why);
        let read = resource.read(&tainted).await.unwrap().expect(&why);
        resource.destroy(&read).await.expect(&why);
        {
            let held = fake.state();
            let left = (held.groups.len(), held.policies.len(), held.targets.len());
            assert_eq!(left, (0, 0, 0), "{why}: {held:?}");
        }
        // As Terraform replaces what is tainted.
        let state = resource.create(config(GOES())).await.expect(&why);
        resource.assert_stable(&state, config(GOES())).await;
    }
    // Where nothing was made, the next refresh sees nothing.
    for (call, trouble) in [("CreateLogGroup", DENIED), ("CreateLogGroup", lost(false))] {
        let (fake, harness) = with_rule().await;
        let applied = refused_after(&harness, GOES(), || fake.state().trouble(call, trouble)).await;
        if let Some(state) = applied.state {
            assert!(harness.resource(NAME).read(&state).await.unwrap().is_none());
        }
    }
}

/// It may hold events from before.
#[tokio::test(start_paused = true)]
async fn a_group_that_a_failed_creation_found_is_not_deleted() {
    let (fake, harness) = with_rule().await;
    let resource = harness.resource(NAME);
    let mine = Some("aws.partner/scalr.com/acme/prod/runs");
    fake.state().make_group(GROUP, tagged(mine));
    let failing = || fake.state().trouble("PutTargets", DENIED);
    let tainted = refused_after(&harness, GOES(), failing).await.state.unwrap();
    resource.destroy(&tainted).await.unwrap();
    assert!(fake.state().groups.contains_key(GROUP) && fake.state().policies.is_empty());
    // Once it is made whole, it is the target's.
    let state = made(&harness, GOES()).await;
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().groups.is_empty());
}

/// Target or rule were removed by hand.
#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_leaves_its_group_to_a_destroy() {
    for group in [GOES(), json!({})] {
        let (fake, harness) = with_rule().await;
        let resource = harness.resource(NAME);
        if group == json!({}) {
            fake.state().make_group(GROUP, tagged(None));
        }
        let state = made(&harness, group.clone()).await;
        fake.state().targets.clear();
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["log_group"]["status"], "target missing");
        // An apply puts it back.
        let back = resource.update(&read, config(group.clone())).await.unwrap();
        resource.assert_stable(&back, config(group.clone())).await;
        fake.state().targets.clear();
        fake.state().rules.clear();
        let read = resource.read(&back).await.unwrap().unwrap();
        resource.destroy(&read).await.unwrap();
        assert!(fake.state().policies.is_empty());
        assert_eq!(fake.state().groups.is_empty(), group != json!({}));
        // Nothing of it is left, so it is gone.
        assert!(resource.read(&back).await.unwrap().is_none());
    }
}

pub(super) async fn own(group: Json) -> (Fake, Harness, State) {
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

fn allowing(principal: &Json) -> String {
    let statement = json!({
        "Sid": "theirs", "Effect": "Allow", "Principal": principal, "Action": "logs:*",
        "Resource": format!("{}:*", group_arn(GROUP)),
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn sids(fake: &Fake) -> Vec<String> {
    let document = fake.state().policies.get(&group_arn(GROUP)).cloned();
    let policy: Json = document.map_or(Json::Null, |text| serde_json::from_str(&text).unwrap());
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    statements
        .iter()
        .map(|one| one["Sid"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What a plan can see is refused there, before anything is made; what it cannot see is left to the apply.
#[tokio::test(start_paused = true)]
async fn a_plan_refuses_a_group_without_an_owner_where_it_can_be_read() {
    let (fake, harness) = with_rule().await;
    fake.state().make_group(GROUP, tagged(None));
    let resource = harness.resource(NAME);
    let wanted = || config(json!({ "create": true }));
    let calls = fake.state().calls.len();
    let refused = resource.plan(None, wanted()).await.unwrap_err();
    names(
        &refused,
        &[GROUP, "create = false", "aws.partner/scalr.com/acme/prod/runs"],
    );
    assert_eq!(
        fake.state().calls[calls..],
        ["DescribeLogGroups", "ListTagsForResource"]
    );
    // Bus and rule are made in the same apply.
    let unknown = and(wanted(), json!({ "event_bus_name": UNKNOWN, "rule": UNKNOWN }));
    names(
        &resource.plan(None, unknown).await.unwrap_err(),
        &[GROUP, "BUS/RULE"],
    );
    for call in ["DescribeLogGroups", "ListTagsForResource"] {
        fake.state().trouble(call, DENIED);
        resource.plan(None, wanted()).await.unwrap();
    }
    // One that is to be used, and one that a rule owns, which may be replaced by then.
    resource.plan(None, config(json!({}))).await.unwrap();
    fake.state().make_group(GROUP, tagged(Some("theirs/r")));
    resource.plan(None, wanted()).await.unwrap();
    // A target that is there may not take one either.
    fake.state().make_group(GROUP, tagged(None));
    let state = made(&harness, json!({})).await;
    let refused = resource.plan(Some(&state), wanted()).await.unwrap_err();
    names(&refused, &[GROUP]);
    // Where AWS is not reached, it is asked once.
    let unreachable = Trouble::Breaks { carried_out: false };
    fake.state().trouble("DescribeLogGroups", unreachable);
    let calls = fake.count("DescribeLogGroups");
    for _ in 0..3 {
        resource.plan(None, wanted()).await.unwrap();
    }
    assert_eq!(fake.count("DescribeLogGroups"), calls + 1);
}

/// Somebody else's permission may go at any time, and events with it.
#[tokio::test(start_paused = true)]
async fn our_statements_are_written_where_others_grant_the_same() {
    let (fake, harness) = with_rule().await;
    let theirs = allowing(&json!({ "Service": "events.amazonaws.com" }));
    fake.state()
        .account_policies
        .insert("theirs".to_owned(), theirs.clone());
    let state = made(&harness, json!({ "create": true })).await;
    assert_eq!(sids(&fake).len(), 2);
    fake.state().account_policies.clear();
    let resource = harness.resource(NAME);
    let status = async || resource.read(&state).await.unwrap().unwrap().json()["log_group"]["status"].clone();
    assert_eq!(status().await, "ready");
    // A target that has only theirs is not ready.
    fake.state().account_policies.insert("theirs".to_owned(), theirs);
    fake.state().policies.clear();
    assert_eq!(status().await, "policy missing");
}

/// CloudWatch Logs gives the root ARN back for an account id, and refuses it.
#[tokio::test(start_paused = true)]
async fn statements_of_others_go_back_as_aws_takes_them() {
    let (fake, harness) = with_rule().await;
    let theirs = allowing(&json!({ "AWS": "arn:aws:iam::210987654321:root" }));
    fake.state().policies.insert(group_arn(GROUP), theirs.clone());
    let state = made(&harness, json!({ "create": true })).await;
    assert_eq!(sids(&fake).len(), 3);
    harness.resource(NAME).destroy(&state).await.unwrap();
    let left = fake.state().policies[&group_arn(GROUP)].clone();
    let (left, theirs): (Json, Json) = (
        serde_json::from_str(&left).unwrap(),
        serde_json::from_str(&theirs).unwrap(),
    );
    assert_eq!(left, theirs);
}

/// CloudWatch Logs shows a group's ARN with `:*`, and EventBridge gives back what it was given.
#[tokio::test(start_paused = true)]
async fn an_arn_that_ends_in_a_star_is_the_one_without() {
    let (fake, harness, state) = own(json!({ "create": true })).await;
    let key = (SOURCE.to_owned(), "runs".to_owned());
    fake.state().targets.get_mut(&key).unwrap()[0]["Arn"] = json!(format!("{}:*", group_arn(GROUP)));
    let resource = harness.resource(NAME);
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["arn"], group_arn(GROUP));
    let id = format!("{SOURCE}/runs/{}", state.json()["target_id"].as_str().unwrap());
    let imported = resource.import(&id).await.unwrap();
    let changed = and(
        config(json!({ "create": true })),
        json!({ "input_path": "$.detail" }),
    );
    let updated = resource.update(&imported, changed.clone()).await.unwrap();
    resource.assert_stable(&updated, changed).await;
}

/// A group is made with its key; another key, or none, is a change in place.
#[tokio::test(start_paused = true)]
async fn the_key_of_a_group_is_kept() {
    const KEYS: [&str; 2] = [
        "arn:aws:kms:us-east-1:123456789012:key/one",
        "arn:aws:kms:us-east-1:123456789012:key/other",
    ];
    let group = |key: Option<&str>| json!({ "create": true, "kms_key_id": key });
    let (fake, harness, mut state) = own(group(Some(KEYS[0]))).await;
    let resource = harness.resource(NAME);
    assert_eq!(fake.count("AssociateKmsKey"), 0);
    for key in [Some(KEYS[0]), Some(KEYS[1]), None, Some(KEYS[0])] {
        state = resource.update(&state, config(group(key))).await.unwrap();
        assert_eq!(fake.state().groups[GROUP]["kmsKeyId"], json!(key));
        resource.assert_stable(&state, config(group(key))).await;
    }
    // Drift, and what AWS refuses.
    fake.state().groups.get_mut(GROUP).unwrap()["kmsKeyId"] = json!(KEYS[1]);
    let read = resource.read(&state).await.unwrap().unwrap();
    for call in ["AssociateKmsKey", "DisassociateKmsKey"] {
        let wanted = (call == "AssociateKmsKey").then_some(KEYS[0]);
        fake.state().trouble(call, DENIED);
        let refused = resource.update(&read, config(group(wanted))).await;
        names(&refused.unwrap_err(), &[GROUP, &format!("logs:{call}")]);
    }
    resource
        .update(&read, config(group(Some(KEYS[0]))))
        .await
        .unwrap();
    assert_eq!(fake.state().groups[GROUP]["kmsKeyId"], json!(KEYS[0]));
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
            let trouble = || fake.state().trouble(call, trouble);
            let group = json!({ "create": true, "retention_in_days": 30 });
            refused_after(&harness, group, trouble).await;
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
