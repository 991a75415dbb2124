//! What changes hands within one apply, or between a killed apply and the next one: the object stays, and one resource has
//! it. A harness is a process that is configured once; several of them share the AWS.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Applied, Harness, State};

use super::fake::{Fake, Holdings, Trouble, group_arn};
use super::{GROUP, SOURCE, and, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    what_changes_hands_within_one_apply_stays,
    a_new_process_leaves_what_a_killed_apply_adopted,
    what_an_apply_adopted_without_a_state_is_taken_back,
    a_state_of_an_earlier_version_is_judged_by_the_tag_as_well,
    an_import_takes_over_what_was_adopted,
    a_tag_that_an_earlier_target_left_is_overwritten,
    an_adoption_that_cannot_be_tagged_is_a_warning,
    a_log_group_that_is_made_ready_is_not_deleted,
    a_plan_looks_at_a_log_group_when_no_destroy_is_under_way,
    two_resources_that_make_one_object_are_refused,
    a_resource_beside_the_one_that_has_the_object_is_refused,
    one_resource_is_not_taken_for_two,
    the_second_of_two_that_no_plan_could_tell_apart_is_refused,
    targets_that_nothing_removes_end_the_wait,
    targets_that_are_being_removed_are_waited_for,
];

const BUS: &str = "scalr_eventbridge_bus";
pub(super) const RULE: &str = "scalr_eventbridge_rule";
pub(super) const TARGET: &str = "scalr_eventbridge_target";
const QUEUE: &str = "scalr_eventbridge_queue";

/// A kind of object: its configuration, and whether it is there whole.
struct Kind {
    name: &'static str,
    config: fn() -> Json,
    is_there: fn(&Holdings) -> bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: BUS,
        config: || json!({ "event_source_name": SOURCE, "adopt_existing": true }),
        is_there: |held| held.buses.contains_key(SOURCE),
    },
    Kind {
        name: RULE,
        config: || rule(json!({})),
        is_there: |held| held.rules.contains_key(&(SOURCE.to_owned(), "other".to_owned())),
    },
    Kind {
        name: TARGET,
        config: || target(json!({ "create": true, "delete_on_destroy": true })),
        is_there: |held| {
            has_target(held)
                && held.groups.contains_key(GROUP)
                && held.policies.contains_key(&group_arn(GROUP))
        },
    },
    Kind {
        name: TARGET,
        config: by_arn,
        is_there: has_target,
    },
    Kind {
        name: QUEUE,
        config: || and(super::queue::config(json!({})), json!({ "region": "us-east-1" })),
        is_there: |held| held.queues.iter().any(|queues| queues.contains_key("audit")),
    },
];

pub(super) fn rule(more: Json) -> Json {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    and(
        json!({ "name": "other", "event_bus_name": SOURCE, "event_pattern": pattern, "region": "us-east-1" }),
        more,
    )
}

pub(super) fn target(group: Json) -> Json {
    let group = and(json!({ "name": GROUP }), group);
    json!({ "rule": "runs", "event_bus_name": SOURCE, "region": "us-east-1", "log_group": group })
}

fn by_arn() -> Json {
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    json!({ "rule": "runs", "event_bus_name": SOURCE, "region": "us-east-1", "arn": arn })
}

fn has_target(held: &Holdings) -> bool {
    let runs = (SOURCE.to_owned(), "runs".to_owned());
    held.targets.get(&runs).is_some_and(|targets| targets.len() == 1)
}

/// AWS with what an object of a kind needs.
async fn prepared(kind: &Kind) -> Fake {
    if kind.name == TARGET {
        with_rule().await
    } else {
        let (fake, _) = stage().await;
        fake.state().queues = (kind.name == QUEUE).then(BTreeMap::new);
        fake
    }
}

/// AWS with the rule `runs`.
pub(super) async fn with_rule() -> Fake {
    let (fake, harness) = stage().await;
    let runs = rule(json!({ "name": "runs" }));
    harness.resource(RULE).create(runs).await.unwrap();
    fake
}

/// A process of its own.
pub(super) fn process(fake: &Fake) -> Harness {
    on(fake.config())
}

/// What an earlier apply made.
async fn earlier(fake: &Fake, kind: &Kind) -> State {
    process(fake)
        .resource(kind.name)
        .create((kind.config)())
        .await
        .unwrap()
}

async fn create(harness: &Harness, kind: &Kind) -> Applied {
    let resource = harness.resource(kind.name);
    let planned = resource.plan(None, (kind.config)()).await.unwrap();
    resource.apply(planned).await
}

async fn destroy(harness: &Harness, kind: &Kind, state: &State) -> Applied {
    let resource = harness.resource(kind.name);
    let planned = resource.plan_destroy(state).await.unwrap();
    resource.apply(planned).await
}

#[track_caller]
pub(super) fn without_errors(applied: Applied, what: &str) -> Option<State> {
    assert!(!applied.diags.has_errors(), "{what}: {}", applied.diags);
    applied.state
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    CreateFirst,
    DestroyFirst,
    Together,
}

/// An address is renamed without `moved`, or an object is replaced with `create_before_destroy`.
#[tokio::test(start_paused = true)]
async fn what_changes_hands_within_one_apply_stays() {
    for kind in &KINDS {
        for order in [Order::CreateFirst, Order::DestroyFirst, Order::Together] {
            let what = format!("{} {order:?}", kind.name);
            let fake = prepared(kind).await;
            let old = earlier(&fake, kind).await;
            let harness = process(&fake);
            let (created, destroyed) = match order {
                Order::CreateFirst => {
                    let created = create(&harness, kind).await;
                    (created, destroy(&harness, kind, &old).await)
                }
                Order::DestroyFirst => {
                    let destroyed = destroy(&harness, kind, &old).await;
                    (create(&harness, kind).await, destroyed)
                }
                Order::Together => tokio::join!(create(&harness, kind), destroy(&harness, kind, &old)),
            };
            if order == Order::CreateFirst {
                names(&destroyed.diags, &["`moved`"]);
            }
            assert!(without_errors(destroyed, &what).is_none(), "{what}");
            let new = without_errors(created, &what).unwrap();
            assert!((kind.is_there)(&fake.state()), "{what}: {:?}", fake.state());
            harness
                .resource(kind.name)
                .assert_stable(&new, (kind.config)())
                .await;
            without_errors(destroy(&process(&fake), kind, &new).await, &what);
            assert!(!(kind.is_there)(&fake.state()), "{what}: {:?}", fake.state());
        }
    }
}

/// Killed between the create and the destroy: the old object is in the state as deposed, and another process destroys it.
#[tokio::test(start_paused = true)]
async fn a_new_process_leaves_what_a_killed_apply_adopted() {
    for kind in &KINDS {
        let fake = prepared(kind).await;
        let old = earlier(&fake, kind).await;
        let new = earlier(&fake, kind).await;
        let next = process(&fake);
        let old = next.resource(kind.name).read(&old).await.unwrap().unwrap();
        let destroyed = destroy(&next, kind, &old).await;
        names(&destroyed.diags, &["scalr-eventbridge:"]);
        assert!(without_errors(destroyed, kind.name).is_none());
        assert!((kind.is_there)(&fake.state()), "{}", kind.name);
        without_errors(destroy(&process(&fake), kind, &new).await, kind.name);
        assert!(!(kind.is_there)(&fake.state()), "{}", kind.name);
    }
}

/// Killed before the state was written: it has the old object alone, and AWS the tag of one that is in no state. A plan
/// shows that, and the apply takes the object back. So do two states that both have it, by turns.
#[tokio::test(start_paused = true)]
async fn what_an_apply_adopted_without_a_state_is_taken_back() {
    for kind in &KINDS {
        let fake = prepared(kind).await;
        let state = earlier(&fake, kind).await;
        earlier(&fake, kind).await;
        let next = process(&fake);
        let resource = next.resource(kind.name);
        let read = resource.read(&state).await.unwrap().unwrap();
        let planned = resource.plan(Some(&read), (kind.config)()).await.unwrap();
        assert!(
            !planned.is_empty() && planned.replaces().is_empty(),
            "{}",
            kind.name
        );
        let state = without_errors(resource.apply(planned).await, kind.name).unwrap();
        resource.assert_stable(&state, (kind.config)()).await;
        without_errors(destroy(&process(&fake), kind, &state).await, kind.name);
        assert!(!(kind.is_there)(&fake.state()), "{}", kind.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_of_an_earlier_version_is_judged_by_the_tag_as_well() {
    for kind in &KINDS {
        for (adopted, refreshed) in [(true, true), (true, false), (false, true), (false, false)] {
            let fake = prepared(kind).await;
            let state = earlier(&fake, kind).await;
            if adopted {
                earlier(&fake, kind).await;
            }
            let next = process(&fake);
            let resource = next.resource(kind.name);
            // It has no private state.
            let mut old = resource.upgrade(0, &state.json()).await.unwrap();
            if refreshed {
                old = resource.read(&old).await.unwrap().unwrap();
            }
            without_errors(destroy(&next, kind, &old).await, kind.name);
            assert_eq!(
                (kind.is_there)(&fake.state()),
                adopted,
                "{} {refreshed}",
                kind.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_takes_over_what_was_adopted() {
    for (kind, id) in KINDS.iter().zip([
        SOURCE.to_owned(),
        format!("{SOURCE}/other"),
        format!("{SOURCE}/runs/ID"),
        format!("{SOURCE}/runs/ID"),
        "audit".to_owned(),
    ]) {
        let fake = prepared(kind).await;
        earlier(&fake, kind).await;
        let new = earlier(&fake, kind).await;
        let target = new.json()["target_id"].as_str().unwrap_or_default().to_owned();
        let next = process(&fake);
        let resource = next.resource(kind.name);
        let imported = resource.import(&id.replace("ID", &target)).await.unwrap();
        without_errors(destroy(&next, kind, &imported).await, kind.name);
        let held = fake.state();
        assert!(held.queues.iter().all(BTreeMap::is_empty), "{held:?}");
        assert!(
            held.buses.is_empty() && held.targets.values().all(Vec::is_empty),
            "{held:?}"
        );
        assert!(!held.rules.contains_key(&(SOURCE.to_owned(), "other".to_owned())));
    }
}

/// A target that was removed behind Terraform's back leaves the tag on its rule; the next one of its id is its own.
#[tokio::test(start_paused = true)]
async fn a_tag_that_an_earlier_target_left_is_overwritten() {
    let kind = &KINDS[3];
    let fake = with_rule().await;
    earlier(&fake, kind).await;
    earlier(&fake, kind).await;
    fake.state().targets.clear();
    let new = earlier(&fake, kind).await;
    without_errors(destroy(&process(&fake), kind, &new).await, kind.name);
    assert!(!has_target(&fake.state()));
    // And one that is destroyed takes its tag along.
    assert!(
        fake.state().tags.values().all(BTreeMap::is_empty),
        "{:?}",
        fake.state().tags
    );
}

#[tokio::test(start_paused = true)]
async fn an_adoption_that_cannot_be_tagged_is_a_warning() {
    for kind in &KINDS {
        let fake = prepared(kind).await;
        earlier(&fake, kind).await;
        let denied = Trouble::Says("AccessDeniedException", "You may not.");
        let call = if kind.name == QUEUE {
            "TagQueue"
        } else {
            "TagResource"
        };
        fake.state().trouble(call, denied);
        let created = create(&process(&fake), kind).await;
        names(&created.diags, &[&format!(":{call}")]);
        assert!(without_errors(created, kind.name).is_some());
    }
}

/// Another target of the rule is about to lead to the group that goes with this one.
#[tokio::test(start_paused = true)]
async fn a_log_group_that_is_made_ready_is_not_deleted() {
    let kind = &KINDS[2];
    let fake = with_rule().await;
    let old = earlier(&fake, kind).await;
    let harness = process(&fake);
    // Between the log group and PutTargets.
    for _ in 0..5 {
        let busy = Trouble::Says("ConcurrentModificationException", "Busy.");
        fake.state().trouble("PutTargets", busy);
    }
    let resource = harness.resource(TARGET);
    let second = and((kind.config)(), json!({ "target_id": "second" }));
    let planned = resource.plan(None, second).await.unwrap();
    let destroyed = async {
        fake.until("PutTargets", 1).await;
        destroy(&harness, kind, &old).await
    };
    let (created, destroyed) = tokio::join!(resource.apply(planned), destroyed);
    names(&destroyed.diags, &[GROUP]);
    without_errors(destroyed, "destroy");
    let new = without_errors(created, "create").unwrap();
    assert!((kind.is_there)(&fake.state()), "{:?}", fake.state());
    // The last to go takes it along.
    without_errors(destroy(&process(&fake), kind, &new).await, "destroy");
    assert!(fake.state().groups.is_empty());
}

/// An apply plans each resource once more: the group that it sees then may be going with another target.
#[tokio::test(start_paused = true)]
async fn a_plan_looks_at_a_log_group_when_no_destroy_is_under_way() {
    let kind = &KINDS[2];
    let fake = with_rule().await;
    let old = earlier(&fake, kind).await;
    let harness = process(&fake);
    for _ in 0..5 {
        let busy = Trouble::Says("ConcurrentModificationException", "Busy.");
        fake.state().trouble("RemoveTargets", busy);
    }
    let resource = harness.resource(TARGET);
    let plan = async {
        fake.until("RemoveTargets", 1).await;
        resource.plan(None, (kind.config)()).await
    };
    let (destroyed, planned) = tokio::join!(destroy(&harness, kind, &old), plan);
    without_errors(destroyed, "destroy");
    planned.unwrap();
    let last = |name: &str| fake.state().calls.iter().rposition(|call| call == name);
    assert!(last("DescribeLogGroups") > last("RemoveTargets"));
}

/// Each kind with the attribute that tells two of it apart.
fn told_apart_by(kind: &Kind) -> &'static str {
    match kind.name {
        BUS => "event_source_name",
        RULE | QUEUE => "name",
        _ => "target_id",
    }
}

/// The bus that rules and targets are planned on is there.
async fn prepared_with_bus(kind: &Kind) -> Fake {
    let fake = prepared(kind).await;
    if kind.name != BUS {
        super::hold(&fake, &[]);
    }
    fake
}

#[tokio::test(start_paused = true)]
async fn two_resources_that_make_one_object_are_refused() {
    for kind in &KINDS {
        let fake = prepared_with_bus(kind).await;
        let harness = process(&fake);
        let resource = harness.resource(kind.name);
        let config = and((kind.config)(), json!({ "region": "us-east-1" }));
        resource.plan(None, config.clone()).await.unwrap();
        let refused = resource.plan(None, config.clone()).await.unwrap_err();
        let paths: Vec<_> = refused.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, [told_apart_by(kind)]);
        // The next walk has a configuration of its own, a reattached process the same.
        process(&fake)
            .resource(kind.name)
            .plan(None, config)
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_resource_beside_the_one_that_has_the_object_is_refused() {
    for kind in &KINDS {
        for keeps_first in [true, false] {
            let fake = prepared_with_bus(kind).await;
            let config = || and((kind.config)(), json!({ "region": "us-east-1" }));
            let made = process(&fake).resource(kind.name).create(config()).await.unwrap();
            let harness = process(&fake);
            let resource = harness.resource(kind.name);
            let refused = if keeps_first {
                resource.plan(Some(&made), config()).await.unwrap();
                resource.plan(None, config()).await.unwrap_err()
            } else {
                resource.plan(None, config()).await.unwrap();
                resource.plan(Some(&made), config()).await.unwrap_err()
            };
            let paths: Vec<_> = refused.iter().map(|one| one.path.to_string()).collect();
            assert_eq!(paths, [told_apart_by(kind)], "{keeps_first}");
        }
    }
}

/// What looks like a second creation, and is none: a replacement that the provider or the user asks for, one of a tainted
/// object (planned as a creation alone), a rename without `moved` (the old one is destroyed), a `moved` block (a change).
#[tokio::test(start_paused = true)]
async fn one_resource_is_not_taken_for_two() {
    for kind in &KINDS {
        let fake = prepared(kind).await;
        let config = || and((kind.config)(), json!({ "region": "us-east-1" }));
        let made = process(&fake).resource(kind.name).create(config()).await.unwrap();
        // `-replace`, or `replace_triggered_by`.
        let harness = process(&fake);
        harness
            .resource(kind.name)
            .plan_replacement(&made, config())
            .await
            .unwrap();
        // A tainted object, and a rename.
        for _ in ["tainted", "renamed"] {
            let harness = process(&fake);
            let resource = harness.resource(kind.name);
            resource.plan_destroy(&made).await.unwrap();
            resource.plan(None, config()).await.unwrap();
        }
        // `moved`.
        let harness = process(&fake);
        let resource = harness.resource(kind.name);
        assert!(resource.plan(Some(&made), config()).await.unwrap().is_empty());
        assert!(resource.plan(Some(&made), config()).await.unwrap().is_empty());
    }
    // One gives its id to another.
    let fake = with_rule().await;
    let with_id = |id: &str| and(by_arn(), json!({ "target_id": id }));
    let made = process(&fake)
        .resource(TARGET)
        .create(with_id("a"))
        .await
        .unwrap();
    let harness = process(&fake);
    let resource = harness.resource(TARGET);
    resource.plan(None, with_id("a")).await.unwrap();
    let planned = resource.plan(Some(&made), with_id("b")).await.unwrap();
    assert_eq!(planned.replaces(), ["target_id"]);
    resource.plan(None, with_id("b")).await.unwrap();
}

/// The plan knew too little: the bus is named by what the apply makes.
#[tokio::test(start_paused = true)]
async fn the_second_of_two_that_no_plan_could_tell_apart_is_refused() {
    // A bus is adopted because its configuration says so.
    for kind in KINDS.iter().filter(|kind| kind.name != BUS) {
        let fake = prepared(kind).await;
        let harness = process(&fake);
        assert!(without_errors(create(&harness, kind).await, kind.name).is_some());
        let second = create(&harness, kind).await;
        assert!(second.state.is_none() && second.diags.has_errors());
        names(&second.diags, &["`moved`"]);
        assert!((kind.is_there)(&fake.state()));
    }
}

/// A rule that is replaced while its targets are not, or whose targets the state has let go.
#[tokio::test(start_paused = true)]
async fn targets_that_nothing_removes_end_the_wait() {
    let fake = with_rule().await;
    let harness = process(&fake);
    let resource = harness.resource(RULE);
    let state = resource.create(rule(json!({}))).await.unwrap();
    let key = (SOURCE.to_owned(), "other".to_owned());
    let theirs = json!({ "Id": "theirs", "Arn": "arn:aws:sqs:us-east-1:123456789012:q" });
    fake.state().targets.insert(key.clone(), vec![theirs]);
    let planned = resource.plan_destroy(&state).await.unwrap();
    names(&planned.warnings, &["`theirs`", "remove-targets"]);
    let started = tokio::time::Instant::now();
    let refused = resource.apply(planned).await.diags;
    assert!(refused.has_errors());
    names(
        &refused,
        &["`theirs`", "replace_triggered_by", "-replace", "remove-targets"],
    );
    assert_eq!(started.elapsed().as_secs(), 16, "15 seconds without a change");
    assert!(fake.state().rules.contains_key(&key));
}

#[tokio::test(start_paused = true)]
async fn targets_that_are_being_removed_are_waited_for() {
    let kind = &KINDS[3];
    let fake = with_rule().await;
    let state = earlier(&fake, kind).await;
    let harness = process(&fake);
    let resource = harness.resource(RULE);
    let runs = resource.import(&format!("{SOURCE}/runs")).await.unwrap();
    for _ in 0..40 {
        let busy = Trouble::Says("ConcurrentModificationException", "Busy.");
        fake.state().trouble("RemoveTargets", busy);
    }
    let rule = async {
        fake.until("RemoveTargets", 1).await;
        resource.destroy(&runs).await
    };
    let (target, rule) = tokio::join!(destroy(&harness, kind, &state), rule);
    without_errors(target, "target");
    rule.unwrap();
    assert!(fake.state().rules.is_empty());
}
