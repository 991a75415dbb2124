//! `scalr_eventbridge_subscriber` with a role that it makes.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::{Fake, Trouble};
use super::{and, events_elsewhere, names, on, with};
use crate::tests::snapshot::scenarios;

scenarios![
    a_role_is_made_with_the_least_it_needs_and_deleted,
    a_role_that_was_changed_is_repaired,
    a_role_that_another_made_is_left_alone,
    a_creation_that_fails_leaves_its_role_in_the_state,
    a_destroy_that_does_not_end_keeps_its_role_in_sight,
    what_a_failed_creation_left_is_not_taken_from_its_successor,
    a_subscriber_deleted_by_hand_leaves_its_events_to_the_next,
    a_name_that_is_taken_leaves_the_role_alone,
    another_role_takes_its_place_and_back,
    a_role_that_is_named_instead_stays,
    a_role_that_a_failed_change_made_is_in_the_state,
    permissions_go_after_the_subscriber_no_longer_uses_them,
    a_role_that_is_not_known_yet_is_planned,
    without_permissions_for_iam_there_is_a_way,
    what_a_role_of_a_subscriber_cannot_have,
    a_role_is_not_made_at_aws_for_a_local_eventbridge,
];

pub(super) const NAME: &str = "scalr_eventbridge_subscriber";
pub(super) const ROLE: &str = "runs-us-east-1";
pub(super) const ARN: &str = "arn:aws:iam::123456789012:role/scalr-eventbridge/runs-us-east-1";
const OWNER: &str = "scalr-eventbridge:owner";
const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:runs";
const DEAD: &str = "arn:aws:sqs:us-east-1:123456789012:dead";
const GROUP: &str = "/scalr/runs";
pub(super) const OTHER: &str = "arn:aws:iam::123456789012:role/deliver";

pub(in crate::tests) fn config(more: Json) -> Json {
    let made = json!({ "role_arn": null, "role": { "create": true } });
    super::subscriber::config(and(made, more))
}

pub(super) fn stage() -> (Fake, Harness) {
    let fake = Fake::new();
    let harness = on(fake.config());
    (fake, harness)
}

fn policy(fake: &Fake) -> Json {
    serde_json::from_str(&fake.state().roles[ROLE].policies["deliver"]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_role_is_made_with_the_least_it_needs_and_deleted() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let first = config(json!({ "dead_letter_arn": DEAD }));
    let planned = resource.plan(None, first.clone()).await.unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    let applied = resource.apply(planned).await;
    assert!(applied.diags.is_empty(), "{}", applied.diags);
    let state = applied.state.unwrap();
    resource.assert_stable(&state, first).await;
    let shown = state.json();
    assert_eq!(
        (&shown["role_arn"], &shown["role"]["status"]),
        (&json!(ARN), &json!("ready"))
    );
    let arn = shown["arn"].as_str().unwrap();
    let held = fake.state().custom.held_subscribers[arn].clone();
    assert_eq!(held["InvokeConfiguration"]["RoleArn"], ARN);
    let role = fake.state().roles[ROLE].clone();
    assert_eq!(role.tags[OWNER], "subscriber:runs@us-east-1");
    let trust: Json = serde_json::from_str(&role.trust).unwrap();
    let statement = &trust["Statement"][0];
    assert_eq!(
        statement["Principal"],
        json!({ "Service": "events.amazonaws.com" })
    );
    assert_eq!(
        statement["Condition"],
        json!({
            "StringEquals": { "aws:SourceAccount": "123456789012" },
            "ArnLike": { "aws:SourceArn": "arn:aws:events:us-east-1:123456789012:subscriber/runs/*" },
        })
    );
    let allow = |sid: &str, action: &str, on: &str| json!({ "Sid": sid, "Effect": "Allow", "Action": [action], "Resource": on });
    let send = "sqs:SendMessage";
    assert_eq!(
        policy(&fake)["Statement"],
        json!([allow("Deliver", send, QUEUE), allow("FailureRecords", send, DEAD)])
    );
    assert_eq!(resource.import(arn).await.unwrap().json(), shown);

    // What the subscriber no longer needs is no longer allowed.
    let state = resource.update(&state, config(json!({}))).await.unwrap();
    assert_eq!(policy(&fake)["Statement"], json!([allow("Deliver", send, QUEUE)]));
    let (made, deleted) = (fake.count("CreateRole"), fake.count("DeleteRole"));
    assert_eq!((made, deleted), (1, 0));
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().roles.is_empty());

    // A log group needs its stream.
    let group = json!({ "name": "/scalr/runs", "create": true, "delete_on_destroy": true });
    let logged = config(json!({ "target_arn": null, "log_group": group }));
    let harness = on(fake.config());
    let state = harness.resource(NAME).create(logged.clone()).await.unwrap();
    harness.resource(NAME).assert_stable(&state, logged).await;
    let stream = "arn:aws:logs:us-east-1:123456789012:log-group:/scalr/runs:log-stream:events";
    assert_eq!(
        policy(&fake)["Statement"],
        json!([allow("Deliver", "logs:PutLogEvents", stream)])
    );
    harness.resource(NAME).destroy(&state).await.unwrap();
    assert!(fake.state().roles.is_empty() && fake.state().groups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_changed_is_repaired() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    for (change, status) in [
        ("role", "role missing"),
        ("trust", "trust policy differs"),
        ("policy", "policy differs"),
        ("no policy", "policy differs"),
    ] {
        {
            let mut held = fake.state();
            let role = held.roles.get_mut(ROLE).unwrap();
            match change {
                "trust" => role.trust = "{}".to_owned(),
                "policy" => role
                    .policies
                    .values_mut()
                    .for_each(|text| *text = "{}".to_owned()),
                "no policy" => role.policies.clear(),
                _ => held.roles.clear(),
            }
        }
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["role"]["status"], status, "{change}");
        let repaired = resource.update(&read, config(json!({}))).await.unwrap();
        assert_eq!(repaired.json(), state.json(), "{change}");
        resource.assert_stable(&repaired, config(json!({}))).await;
    }
    assert_eq!(fake.count("v2:UpdateSubscriber"), 0);
    // Somebody else leads the deliveries through another role.
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    fake.state().custom.held_subscribers.get_mut(&arn).unwrap()["InvokeConfiguration"]["RoleArn"] =
        json!(OTHER);
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["role_arn"], OTHER);
    let back = resource.update(&read, config(json!({}))).await.unwrap();
    assert_eq!(back.json(), state.json());
}

#[tokio::test(start_paused = true)]
async fn a_role_that_another_made_is_left_alone() {
    let tags = |owner: &str| BTreeMap::from([(OWNER.to_owned(), owner.to_owned())]);
    for (held, is_adopted) in [
        (tags("subscriber:runs@us-east-1"), true),
        (tags("subscriber:runs@eu-west-1"), false),
        (BTreeMap::new(), false),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let role = super::fake_iam::Role {
            path: "/scalr-eventbridge/".to_owned(),
            trust: "{}".to_owned(),
            tags: held.clone(),
            ..Default::default()
        };
        fake.state().roles.insert(ROLE.to_owned(), role);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert_eq!(applied.diags.has_errors(), !is_adopted, "{held:?}");
        if !is_adopted {
            names(
                &applied.diags,
                &["`runs-us-east-1` exists already", "role_arn", "tag-role"],
            );
            assert!(applied.state.is_none());
            assert_eq!(fake.state().roles[ROLE].trust, "{}");
        }
    }
    // One that somebody took over is not deleted, and one that has more is said.
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    let more = ("more".to_owned(), "{}".to_owned());
    fake.state().roles.get_mut(ROLE).unwrap().policies.extend([more]);
    let planned = resource.plan_destroy(&state).await.unwrap();
    let kept = resource.apply(planned).await;
    names(&kept.diags, &["Cannot delete the role", "list-role-policies"]);
    fake.state().roles.get_mut(ROLE).unwrap().tags.clear();
    resource.destroy(&kept.state.unwrap()).await.unwrap();
    assert_eq!(fake.state().roles.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_leaves_its_role_in_the_state() {
    let denied = || Trouble::Says("AccessDenied", "Access denied.");
    for (call, trouble) in [
        (
            "v2:CreateSubscriber",
            Trouble::Says("AccessDeniedException", "Access denied."),
        ),
        ("PutRolePolicy", denied()),
        ("GetRolePolicy", denied()),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        fake.state().trouble(call, trouble);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let failed = resource.apply(planned).await;
        assert!(failed.diags.has_errors());
        let state = failed.state.unwrap();
        let read = resource.read(&state).await.unwrap().unwrap();
        assert_eq!(read.json()["role"]["status"], "subscriber missing");
        resource.destroy(&read).await.unwrap();
        assert!(fake.state().roles.is_empty(), "{call}");
        assert!(resource.read(&state).await.unwrap().is_none(), "{call}");
    }
    // An answer that is lost is no reason to make another.
    for trouble in [Trouble::Breaks { carried_out: true }, Trouble::Empty] {
        let (fake, harness) = stage();
        fake.state().trouble("CreateRole", trouble);
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        if applied.diags.has_errors() {
            names(&applied.diags, &["Cannot make the role"]);
            resource.create(config(json!({}))).await.unwrap();
        }
        assert_eq!(fake.state().roles.len(), 1);
    }
}

/// It is killed, or IAM refuses: the subscriber is gone, and the role is not.
#[tokio::test(start_paused = true)]
async fn a_destroy_that_does_not_end_keeps_its_role_in_sight() {
    let denied = || Trouble::Says("AccessDenied", "Access denied.");
    for call in ["DeleteRole", "DeleteRolePolicy"] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let state = resource.create(config(json!({}))).await.unwrap();
        fake.state().trouble(call, denied());
        let planned = resource.plan_destroy(&state).await.unwrap();
        let failed = resource.apply(planned).await;
        names(
            &failed.diags,
            &["Cannot delete the role", "next apply or destroy deletes it"],
        );
        // What a killed one leaves is the state before.
        for left in [&failed.state.unwrap(), &state] {
            let read = resource.read(left).await.unwrap().unwrap();
            let shown = read.json();
            assert_eq!(
                (&shown["arn"], &shown["role"]["status"]),
                (&json!(null), &json!("subscriber missing"))
            );
            let planned = resource.plan(Some(&read), config(json!({}))).await.unwrap();
            assert_eq!(planned.replaces(), ["arn"], "{call}");
        }
        let read = resource.read(&state).await.unwrap().unwrap();
        // Without permission to look, it may still be there.
        fake.state().trouble("GetRole", denied());
        assert!(resource.read(&state).await.unwrap().is_some());
        resource.destroy(&read).await.unwrap();
        assert!(fake.state().roles.is_empty(), "{call}");
        assert!(resource.read(&state).await.unwrap().is_none(), "{call}");
    }
}

/// With `create_before_destroy` the subscriber that is there has the role by then.
#[tokio::test(start_paused = true)]
async fn what_a_failed_creation_left_is_not_taken_from_its_successor() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let denied = Trouble::Says("AccessDeniedException", "Access denied.");
    fake.state().trouble("v2:CreateSubscriber", denied);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let left = resource.apply(planned).await.state.unwrap();
    let state = resource.create(config(json!({}))).await.unwrap();
    resource.destroy(&left).await.unwrap();
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["role"]["status"], "ready");
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().roles.is_empty());
}

/// The role alone stays in sight: a creation adopts the log group with its events, as it does where no role is left.
#[tokio::test(start_paused = true)]
async fn a_subscriber_deleted_by_hand_leaves_its_events_to_the_next() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let group = json!({ "name": GROUP, "create": true, "delete_on_destroy": true });
    let config = config(json!({ "target_arn": null, "log_group": group }));
    let state = resource.create(config.clone()).await.unwrap();
    fake.state().custom.held_subscribers.clear();
    let read = resource.read(&state).await.unwrap().unwrap();
    let shown = read.json();
    assert_eq!(
        (&shown["role"]["status"], &shown["log_group"]),
        (&json!("subscriber missing"), &json!(null))
    );
    let planned = resource.plan(Some(&read), config.clone()).await.unwrap();
    assert_eq!(planned.replaces(), ["arn"]);
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    resource.destroy(&read).await.unwrap();
    assert!(fake.state().groups.contains_key(GROUP) && fake.state().roles.is_empty());
    let harness = on(fake.config());
    let state = harness.resource(NAME).create(config.clone()).await.unwrap();
    harness.resource(NAME).assert_stable(&state, config).await;
    assert_eq!(
        (fake.count("CreateLogGroup"), fake.count("DeleteLogGroup")),
        (1, 0)
    );
}

/// The tag of the role that is there names a subscriber of this name: that of another state, which delivers.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_leaves_the_role_alone() {
    let (fake, harness) = stage();
    harness.resource(NAME).create(config(json!({}))).await.unwrap();
    let held = fake.state().roles[ROLE].clone();
    let harness = on(fake.config());
    let resource = harness.resource(NAME);
    let another = config(json!({ "target_arn": DEAD }));
    let planned = resource.plan(None, another).await.unwrap();
    let refused = resource.apply(planned).await;
    names(&refused.diags, &["`runs` exists already", "import {"]);
    assert!(refused.state.is_none());
    assert_eq!(fake.state().roles[ROLE].policies, held.policies);
}

#[tokio::test(start_paused = true)]
async fn another_role_takes_its_place_and_back() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let theirs = config(json!({ "role": null, "role_arn": OTHER }));
    let state = resource.create(theirs.clone()).await.unwrap();
    let planned = resource.plan(Some(&state), config(json!({}))).await.unwrap();
    assert!(planned.replaces().is_empty());
    let state = resource.apply(planned).await.state.unwrap();
    assert_eq!(state.json()["role_arn"], ARN);
    resource.assert_stable(&state, config(json!({}))).await;
    let state = resource.update(&state, theirs.clone()).await.unwrap();
    resource.assert_stable(&state, theirs).await;
    assert!(fake.state().roles.is_empty());
    let calls = fake.state().calls.clone();
    let last = |name: &str| calls.iter().rposition(|call| call == name);
    assert!(last("v2:UpdateSubscriber") < last("DeleteRole"));
}

/// The subscriber still delivers through it: it is no longer this subscriber's, and not deleted.
#[tokio::test(start_paused = true)]
async fn a_role_that_is_named_instead_stays() {
    for is_denied in [false, true] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let mut state = resource.create(config(json!({}))).await.unwrap();
        let named = config(json!({ "role": null, "role_arn": ARN }));
        if is_denied {
            let denied = Trouble::Says("AccessDenied", "Access denied.");
            fake.state().trouble("UntagRole", denied);
            let planned = resource.plan(Some(&state), named.clone()).await.unwrap();
            let failed = resource.apply(planned).await;
            names(
                &failed.diags,
                &["Cannot untag the role", "iam:UntagRole", "is as configured"],
            );
            state = resource.read(&failed.state.unwrap()).await.unwrap().unwrap();
        }
        let state = resource.update(&state, named.clone()).await.unwrap();
        resource.assert_stable(&state, named).await;
        assert_eq!(fake.count("v2:UpdateSubscriber"), 0);
        assert!(!fake.state().roles[ROLE].tags.contains_key(OWNER));
        resource.destroy(&state).await.unwrap();
        assert!(fake.state().roles.contains_key(ROLE), "denied: {is_denied}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_a_failed_change_made_is_in_the_state() {
    for call in ["PutRolePolicy", "v2:UpdateSubscriber"] {
        for goes_back in [false, true] {
            let (fake, harness) = stage();
            let resource = harness.resource(NAME);
            let theirs = config(json!({ "role": null, "role_arn": OTHER }));
            let state = resource.create(theirs.clone()).await.unwrap();
            let denied = Trouble::Says("AccessDeniedException", "Access denied.");
            fake.state().trouble(call, denied);
            let planned = resource.plan(Some(&state), config(json!({}))).await.unwrap();
            let failed = resource.apply(planned).await;
            assert!(failed.diags.has_errors(), "{call}");
            let kept = failed.state.unwrap();
            assert_eq!(kept.json()["role"]["status"], "policy differs", "{call}");
            let read = resource.read(&kept).await.unwrap().unwrap();
            assert_eq!(read.json()["role_arn"], OTHER, "{call}");
            if goes_back {
                let state = resource.update(&read, theirs.clone()).await.unwrap();
                resource.assert_stable(&state, theirs).await;
            } else {
                resource.destroy(&read).await.unwrap();
            }
            assert!(fake.state().roles.is_empty(), "{call} {goes_back}");
        }
    }
}

/// Until the change is through, it delivers where it did before.
#[tokio::test(start_paused = true)]
async fn permissions_go_after_the_subscriber_no_longer_uses_them() {
    let with = |group: &str, dead: Json| {
        let group = json!({ "name": group, "create": true });
        config(json!({ "target_arn": null, "log_group": group, "dead_letter_arn": dead }))
    };
    let stream =
        |group: &str| format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}:log-stream:events");
    let allowed = |fake: &Fake| -> Vec<String> {
        let statements = policy(fake)["Statement"].as_array().unwrap().clone();
        let on = statements
            .iter()
            .map(|one| one["Resource"].as_str().unwrap().to_owned());
        on.collect()
    };
    for (call, passes, said) in [
        ("v2:UpdateSubscriber", 0, "Cannot change the subscriber `runs`"),
        ("PutRolePolicy", 1, "The subscriber is changed"),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let state = resource.create(with(GROUP, json!(DEAD))).await.unwrap();
        let both = [stream("/other"), stream(GROUP), DEAD.to_owned()];
        let next = || with("/other", json!(null));
        fake.state().let_through(call, passes);
        fake.state()
            .trouble(call, Trouble::Says("AccessDenied", "Access denied."));
        let planned = resource.plan(Some(&state), next()).await.unwrap();
        let failed = resource.apply(planned).await;
        names(&failed.diags, &[said]);
        assert_eq!(allowed(&fake), both, "{call}");
        let read = resource.read(&failed.state.unwrap()).await.unwrap().unwrap();
        assert_eq!(read.json()["role"]["status"], "policy differs", "{call}");
        let state = resource.update(&read, next()).await.unwrap();
        resource.assert_stable(&state, next()).await;
        assert_eq!(allowed(&fake), [stream("/other")], "{call}");
    }
}

/// From a role of another's to one that depends on another resource: what is planned has to be what comes out.
#[tokio::test(start_paused = true)]
async fn a_role_that_is_not_known_yet_is_planned() {
    let (_fake, harness) = stage();
    let resource = harness.resource(NAME);
    let theirs = config(json!({ "role": null, "role_arn": OTHER }));
    let unknown = || config(json!({ "role": UNKNOWN }));
    let others = resource.create(theirs).await.unwrap();
    let own = resource.update(&others, config(json!({}))).await.unwrap();
    for (held, role) in [(&others, UNKNOWN), (&own, ARN)] {
        let planned = resource.plan(Some(held), unknown()).await.unwrap();
        assert_eq!(planned.json()["role_arn"], role);
    }
}

#[tokio::test(start_paused = true)]
async fn without_permissions_for_iam_there_is_a_way() {
    let denied = || Trouble::Says("AccessDenied", "Access denied.");
    for call in ["GetRole", "CreateRole"] {
        let (fake, harness) = stage();
        fake.state().trouble(call, denied());
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let failed = resource.apply(planned).await;
        names(&failed.diags, &["iam:PutRolePolicy", "set `role_arn`", "nothing"]);
        assert!(failed.state.is_none());
    }
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state().trouble("GetRole", denied());
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json(), state.json());
}

#[tokio::test(start_paused = true)]
async fn what_a_role_of_a_subscriber_cannot_have() {
    let (_fake, harness) = stage();
    let resource = harness.resource(NAME);
    let call = json!({ "target_arn": "arn:aws:events:::aws-sdk:dynamodb:putItem", "input": "{}" });
    for (config, words) in [
        (
            config(json!({ "role": null })),
            &["has no role", "`role_arn`"][..],
        ),
        (config(json!({ "role_arn": OTHER })), &["has two roles"]),
        (
            config(json!({ "role": { "create": false } })),
            &["without `create = true`"],
        ),
        (config(call), &["needs a role that is made elsewhere"]),
    ] {
        names(&resource.plan(None, config).await.unwrap_err(), words);
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_is_not_made_at_aws_for_a_local_eventbridge() {
    let fake = Fake::new();
    let mut settings = events_elsewhere();
    settings.endpoints.eventsv2 = settings.endpoints.events.clone();
    let harness = with(settings, fake.config());
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let refused = resource.apply(planned).await;
    names(&refused.diags, &["endpoints.iam", "AWS_ENDPOINT_URL_IAM"]);
    assert_eq!(fake.count("CreateRole"), 0);
}
