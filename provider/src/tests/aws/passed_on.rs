//! Log groups that pass from the target of one rule to that of another. A harness is a process that is configured once.

use std::collections::BTreeMap;

use serde_json::json;

use super::fake::group_arn;
use super::handover::{RULE, TARGET, process, rule, target, with_rule, without_errors};
use super::{GROUP, SOURCE, and, names};
use crate::tests::snapshot::scenarios;

scenarios![
    a_log_group_that_this_apply_released_is_adopted,
    a_log_group_passes_to_a_target_that_is_made_before_its_own_goes,
    a_log_group_whose_target_stays_is_not_passed_on,
    no_mark_stays_on_a_log_group_whose_target_goes,
    a_log_group_of_two_rules_is_refused_at_plan,
];

/// The rule has `create_before_destroy` and is renamed: its target goes while the old rule is still there.
#[tokio::test(start_paused = true)]
async fn a_log_group_that_this_apply_released_is_adopted() {
    for (same_apply, used_by_another) in [(true, false), (true, true), (false, false)] {
        let fake = with_rule().await;
        let own = || target(json!({ "create": true }));
        let of_old = process(&fake).resource(TARGET).create(own()).await.unwrap();
        let harness = process(&fake);
        harness.resource(RULE).create(rule(json!({}))).await.unwrap();
        harness.resource(TARGET).destroy(&of_old).await.unwrap();
        if used_by_another {
            let runs = (SOURCE.to_owned(), "runs".to_owned());
            let other = json!({ "Id": "other", "Arn": group_arn(GROUP) });
            fake.state().targets.insert(runs, vec![other]);
        }
        let harness = if same_apply { harness } else { process(&fake) };
        let of_new = and(own(), json!({ "rule": "other" }));
        let made = harness.resource(TARGET).create(of_new.clone()).await;
        assert_eq!(made.is_ok(), same_apply);
        let tags = fake.state().tags[&group_arn(GROUP)].clone();
        // A target that stays keeps the group until it goes.
        let (owner, next) = match (same_apply, used_by_another) {
            (true, false) => ("other", None),
            (true, true) => ("runs", Some(format!("{SOURCE}/other"))),
            (false, _) => ("runs", None),
        };
        assert_eq!(tags["scalr-eventbridge:owner"], format!("{SOURCE}/{owner}"));
        assert_eq!(tags.get("scalr-eventbridge:next-owner"), next.as_ref());
        if let Some(made) = made.ok().filter(|_| !used_by_another) {
            harness.resource(TARGET).assert_stable(&made, of_new).await;
        }
    }
}

/// The rule and its target have `create_before_destroy`, and the rule is renamed: the new target is made while the old rule
/// and its target are there. Then the old target goes, in the same apply or in the one after a killed apply.
#[tokio::test(start_paused = true)]
async fn a_log_group_passes_to_a_target_that_is_made_before_its_own_goes() {
    for (deletes, same_process) in [(true, true), (false, true), (true, false), (false, false)] {
        let fake = with_rule().await;
        let own = || target(json!({ "create": true, "delete_on_destroy": deletes }));
        let of_old = process(&fake).resource(TARGET).create(own()).await.unwrap();
        let harness = process(&fake);
        harness.resource(RULE).create(rule(json!({}))).await.unwrap();
        let of_new = and(own(), json!({ "rule": "other" }));
        let planned = harness.resource(TARGET).plan(None, of_new.clone()).await.unwrap();
        let made = harness.resource(TARGET).apply(planned).await;
        names(&made.diags, &[GROUP, "create_before_destroy"]);
        let made = without_errors(made, "create").unwrap();
        let harness = if same_process { harness } else { process(&fake) };
        harness.resource(TARGET).destroy(&of_old).await.unwrap();
        assert!(fake.state().groups.contains_key(GROUP));
        // One that is not deleted stays with its old rule after a killed apply, until that rule is gone too.
        if same_process || deletes {
            let tags = fake.state().tags[&group_arn(GROUP)].clone();
            let expected = [("scalr-eventbridge:owner".to_owned(), format!("{SOURCE}/other"))];
            assert_eq!(tags, BTreeMap::from(expected));
        } else {
            fake.state().rules.remove(&(SOURCE.to_owned(), "runs".to_owned()));
            let read = harness.resource(TARGET).read(&made).await.unwrap().unwrap();
            let written = harness
                .resource(TARGET)
                .update(&read, of_new.clone())
                .await
                .unwrap();
            assert!(!fake.state().tags[&group_arn(GROUP)].contains_key("scalr-eventbridge:next-owner"));
            harness
                .resource(TARGET)
                .assert_stable(&written, of_new.clone())
                .await;
        }
        harness.resource(TARGET).assert_stable(&made, of_new).await;
        without_errors(
            process(&fake)
                .resource(TARGET)
                .apply(process(&fake).resource(TARGET).plan_destroy(&made).await.unwrap())
                .await,
            "destroy",
        );
        assert_eq!(fake.state().groups.contains_key(GROUP), !deletes);
    }
}

/// Two resources that are to have one log group: the next plan shows it, and its apply is refused.
#[tokio::test(start_paused = true)]
async fn a_log_group_whose_target_stays_is_not_passed_on() {
    let fake = with_rule().await;
    let own = || target(json!({ "create": true, "delete_on_destroy": true, "retention_in_days": 30 }));
    process(&fake).resource(TARGET).create(own()).await.unwrap();
    let harness = process(&fake);
    harness.resource(RULE).create(rule(json!({}))).await.unwrap();
    let group = json!({ "create": true, "delete_on_destroy": true, "retention_in_days": 1 });
    let of_new = and(target(group), json!({ "rule": "other" }));
    let resource = harness.resource(TARGET);
    let made = resource.create(of_new.clone()).await.unwrap();
    assert_eq!(fake.state().groups[GROUP]["retentionInDays"], 30);
    let read = resource.read(&made).await.unwrap().unwrap();
    assert!(
        !resource
            .plan(Some(&read), of_new.clone())
            .await
            .unwrap()
            .is_empty()
    );
    let refused = resource.update(&read, of_new).await.unwrap_err();
    names(&refused, &[&format!("{SOURCE}/runs"), "`create = false`"]);
    // It leaves no trace when it goes.
    resource.destroy(&read).await.unwrap();
    without_errors(
        resource.apply(resource.plan_destroy(&made).await.unwrap()).await,
        "destroy",
    );
    let tags = fake.state().tags[&group_arn(GROUP)].clone();
    assert_eq!(
        tags,
        BTreeMap::from([("scalr-eventbridge:owner".to_owned(), format!("{SOURCE}/runs"))])
    );
}

/// Both rules stay, and a target of one of them goes for good: the new one, or the old one when nothing of the new one is left.
#[tokio::test(start_paused = true)]
async fn no_mark_stays_on_a_log_group_whose_target_goes() {
    #[derive(Clone, Copy, PartialEq)]
    enum Goes {
        New,
        NewOnceRefreshed,
        Old,
        OldOnceItHasNoNext,
    }
    for goes in [
        Goes::New,
        Goes::NewOnceRefreshed,
        Goes::Old,
        Goes::OldOnceItHasNoNext,
    ] {
        let fake = with_rule().await;
        let own = || target(json!({ "create": true }));
        let of_old = process(&fake).resource(TARGET).create(own()).await.unwrap();
        let harness = process(&fake);
        harness.resource(RULE).create(rule(json!({}))).await.unwrap();
        let of_new = and(own(), json!({ "rule": "other" }));
        let of_new = harness.resource(TARGET).create(of_new).await.unwrap();
        let tag = |key: &str| {
            let tags = fake.state().tags[&group_arn(GROUP)].clone();
            tags.get(&format!("scalr-eventbridge:{key}")).cloned()
        };
        assert_eq!(tag("next-owner"), Some(format!("{SOURCE}/other")));
        // A later apply refreshes what it destroys.
        let harness = process(&fake);
        let resource = harness.resource(TARGET);
        let going = match goes {
            Goes::New => of_new,
            Goes::NewOnceRefreshed => resource.read(&of_new).await.unwrap().unwrap(),
            Goes::Old => resource.read(&of_old).await.unwrap().unwrap(),
            Goes::OldOnceItHasNoNext => {
                let other = (SOURCE.to_owned(), "other".to_owned());
                fake.state().targets.remove(&other);
                resource.read(&of_old).await.unwrap().unwrap()
            }
        };
        resource.destroy(&going).await.unwrap();
        let owner = if goes == Goes::Old { "other" } else { "runs" };
        assert_eq!(
            (tag("next-owner"), tag("owner")),
            (None, Some(format!("{SOURCE}/{owner}")))
        );
    }
}

/// Whichever is planned first; what is replaced counts by its create alone.
#[tokio::test(start_paused = true)]
async fn a_log_group_of_two_rules_is_refused_at_plan() {
    let fake = with_rule().await;
    super::hold(&fake, &["other"]);
    let own = || target(json!({ "create": true }));
    let made = process(&fake).resource(TARGET).create(own()).await.unwrap();
    let of_other = || and(own(), json!({ "rule": "other" }));
    for keeps_first in [true, false] {
        let harness = process(&fake);
        let resource = harness.resource(TARGET);
        let refused = if keeps_first {
            resource.plan(Some(&made), own()).await.unwrap();
            resource.plan(None, of_other()).await.unwrap_err()
        } else {
            resource.plan(None, of_other()).await.unwrap();
            resource.plan(Some(&made), own()).await.unwrap_err()
        };
        let paths: Vec<_> = refused.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, ["log_group[\"name\"]"], "{refused}");
    }
    let harness = process(&fake);
    let resource = harness.resource(TARGET);
    resource.plan(Some(&made), of_other()).await.unwrap();
    resource.plan(None, of_other()).await.unwrap();
}
