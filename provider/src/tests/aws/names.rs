//! Names of what has to be there before a resource is made: looked for with the plan.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};
use tfplugin::{Diagnostics, Result};

use super::fake::{ACCOUNT, Fake, Trouble, group_arn};
use super::{GROUP, SOURCE, and, hold, names, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    a_name_that_does_not_exist_is_warned_of_with_the_nearest,
    a_name_that_exists_is_not_warned_of,
    what_the_same_plan_makes_is_there,
    what_a_later_plan_makes_is_waited_for,
    what_aws_does_not_say_is_no_finding,
    many_names_are_looked_for_at_once,
    an_apply_looks_for_no_name,
    a_destroy_says_with_the_plan_which_log_group_stays,
];

const BUS: &str = "scalr_eventbridge_bus";
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const CHECK: &str = "scalr_eventbridge_delivery_check";
const AT_GROUP: &str = "log_group[\"name\"]";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

fn rule(more: Json) -> Json {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    and(
        json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern }),
        more,
    )
}

fn target(more: Json) -> Json {
    let function = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f");
    and(
        json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": function }),
        more,
    )
}

fn to_group(name: &str) -> Json {
    target(json!({ "arn": null, "log_group": { "name": name } }))
}

fn check(group: &str) -> Json {
    json!({ "workspace_id": "ws-1", "log_group": group })
}

/// A bus with a rule, and a log group, that another state has.
async fn held() -> (Fake, Harness) {
    let (fake, harness) = stage().await;
    hold(&fake, &["runs"]);
    fake.state()
        .make_group(GROUP, std::collections::BTreeMap::default());
    (fake, harness)
}

fn places(warnings: &Diagnostics) -> Vec<String> {
    warnings.iter().map(|one| one.path.to_string()).collect()
}

async fn planned(harness: &Harness, name: &str, config: Json) -> Result<Diagnostics> {
    let planned = harness.resource(name).plan(None, config).await?;
    Ok(planned.warnings)
}

#[tokio::test(start_paused = true)]
async fn a_name_that_does_not_exist_is_warned_of_with_the_nearest() {
    let (bus, group) = ("aws.partner/scalr.com/acme/prd", "/scalr/rums");
    for (name, config, at, near) in [
        (
            RULE,
            rule(json!({ "event_bus_name": bus })),
            "event_bus_name",
            SOURCE,
        ),
        (
            TARGET,
            target(json!({ "event_bus_name": bus })),
            "event_bus_name",
            SOURCE,
        ),
        (TARGET, target(json!({ "rule": "rums" })), "rule", "runs"),
        (TARGET, to_group(group), AT_GROUP, GROUP),
        (CHECK, check(group), "log_group", GROUP),
    ] {
        let (_fake, harness) = held().await;
        let warnings = planned(&harness, name, config).await.unwrap();
        assert_eq!(places(&warnings), [at], "{warnings}");
        names(
            &warnings,
            &[&format!("Did you mean `{near}`?"), "`", "refer to that resource"],
        );
    }
    // By ARN as well, whose permission is left to the user.
    let (_fake, harness) = held().await;
    let config = target(json!({ "arn": group_arn(group), "region": "us-east-1" }));
    let warnings = planned(&harness, TARGET, config).await.unwrap();
    names(&warnings, &[&format!("There is no log group `{group}`"), GROUP]);
    // Nothing is near.
    let warnings = planned(&harness, RULE, rule(json!({ "event_bus_name": "billing" })))
        .await
        .unwrap();
    names(
        &warnings,
        &["There is no event bus `billing` for the rule `runs`"],
    );
    assert!(!warnings.to_string().contains("Did you mean"), "{warnings}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_exists_is_not_warned_of() {
    let (_fake, harness) = held().await;
    for (name, config) in [
        (RULE, rule(json!({}))),
        (
            RULE,
            rule(json!({ "name": "default", "event_bus_name": "default" })),
        ),
        (
            RULE,
            rule(json!({ "name": "unknown", "event_bus_name": UNKNOWN })),
        ),
        (TARGET, target(json!({}))),
        (TARGET, target(json!({ "rule": UNKNOWN }))),
        (TARGET, to_group(GROUP)),
        (CHECK, check(GROUP)),
        (CHECK, check(UNKNOWN)),
    ] {
        let shown = config.to_string();
        let warnings = planned(&harness, name, config).await.unwrap();
        assert!(warnings.is_empty(), "{shown}: {warnings}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_same_plan_makes_is_there() {
    let (fake, harness) = stage().await;
    let making = json!({ "arn": null, "log_group": { "name": GROUP, "create": true } });
    for (name, config) in [
        (BUS, json!({ "event_source_name": SOURCE })),
        (RULE, rule(json!({}))),
        (TARGET, target(making)),
        (TARGET, target(json!({}))),
        (CHECK, check(GROUP)),
    ] {
        let warnings = planned(&harness, name, config).await.unwrap();
        assert!(warnings.is_empty(), "{name}: {warnings}");
    }
    assert_eq!(
        (fake.count("DescribeEventBus"), fake.count("DescribeRule")),
        (0, 0)
    );
}

/// The name is a text beside the resource that makes it: the plans come in no order.
#[tokio::test(start_paused = true)]
async fn what_a_later_plan_makes_is_waited_for() {
    let (fake, harness) = stage().await;
    let bus = async {
        fake.until("DescribeEventBus", 1).await;
        planned(&harness, BUS, json!({ "event_source_name": SOURCE })).await
    };
    let (rule, bus) = tokio::join!(planned(&harness, RULE, rule(json!({}))), bus);
    let (rule, bus) = (rule.unwrap(), bus.unwrap());
    assert!(rule.is_empty() && bus.is_empty(), "{rule} {bus}");
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_say_is_no_finding() {
    for (call, said) in [
        ("DescribeEventBus", &["rule", AT_GROUP][..]),
        ("DescribeRule", &[AT_GROUP]),
        ("DescribeLogGroups", &["rule"]),
    ] {
        let (fake, harness) = held().await;
        fake.state().trouble(call, DENIED);
        let config = and(to_group("/scalr/rums"), json!({ "rule": "rums" }));
        let warnings = planned(&harness, TARGET, config).await.unwrap();
        assert_eq!(places(&warnings), said, "{call}: {warnings}");
    }
    // A hint that AWS does not give is left out.
    let (fake, harness) = held().await;
    fake.state().trouble("ListEventBuses", DENIED);
    let config = rule(json!({ "event_bus_name": "aws.partner/scalr.com/acme/prd" }));
    let warnings = planned(&harness, RULE, config).await.unwrap();
    assert!(
        !warnings.is_empty() && !warnings.to_string().contains("Did you mean"),
        "{warnings}"
    );
}

#[tokio::test(start_paused = true)]
async fn many_names_are_looked_for_at_once() {
    let (fake, harness) = held().await;
    for n in 0..20 {
        let (name, more) = (format!("r{n}"), json!({ "target_id": format!("t{n}") }));
        let missing = json!({ "name": name, "event_bus_name": "aws.partner/scalr.com/acme/prd" });
        assert!(!planned(&harness, RULE, rule(missing)).await.unwrap().is_empty());
        assert!(planned(&harness, TARGET, target(more)).await.unwrap().is_empty());
        let missing = json!({ "rule": format!("rums{n}"), "target_id": "t" });
        assert!(
            !planned(&harness, TARGET, target(missing))
                .await
                .unwrap()
                .is_empty()
        );
    }
    // The account, and either bus.
    assert_eq!(fake.count("DescribeEventBus"), 3);
    assert_eq!((fake.count("ListEventBuses"), fake.count("ListRules")), (1, 1));
    // The first rule, and those that are missing, which a list does not decide.
    assert_eq!(fake.count("DescribeRule"), 21);
}

#[tokio::test(start_paused = true)]
async fn an_apply_looks_for_no_name() {
    let (fake, harness) = held().await;
    for (name, config) in [
        (RULE, rule(json!({ "event_bus_name": "billing" }))),
        (TARGET, target(json!({ "rule": "rums" }))),
        (CHECK, check("/scalr/rums")),
    ] {
        let planned = harness
            .resource(name)
            .plan_within_apply(None, config)
            .await
            .unwrap();
        assert!(planned.warnings.is_empty(), "{}", planned.warnings);
    }
    assert_eq!(fake.state().calls, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_destroy_says_with_the_plan_which_log_group_stays() {
    let group = |more: Json| and(json!({ "name": GROUP, "create": true }), more);
    for (delete_on_destroy, stays) in [(false, true), (true, false)] {
        let (fake, harness) = held().await;
        fake.state().groups.clear();
        let made = group(json!({ "delete_on_destroy": delete_on_destroy }));
        let config = target(json!({ "arn": null, "log_group": made }));
        let resource = harness.resource(TARGET);
        let state = resource.create(config).await.unwrap();
        let destroy = resource.plan_destroy(&state).await.unwrap();
        assert_eq!(destroy.warnings.is_empty(), !stays, "{}", destroy.warnings);
        if stays {
            names(&destroy.warnings, &[GROUP, "aws logs delete-log-group"]);
        }
        // The apply has nothing to add: what is left of its messages is the plan's.
        let (said, applied) = (destroy.warnings.iter().count(), resource.apply(destroy).await);
        assert_eq!(applied.diags.iter().count(), said, "{}", applied.diags);
        assert_eq!(fake.state().groups.contains_key(GROUP), stays);
    }
    // A replacement that leads elsewhere leaves the group as well, and one that leads there again does not.
    let (fake, harness) = held().await;
    fake.state().groups.clear();
    let resource = harness.resource(TARGET);
    let config = |name: &str| target(json!({ "arn": null, "log_group": { "name": name, "create": true } }));
    let state = resource.create(config(GROUP)).await.unwrap();
    let planned = resource
        .plan(Some(&state), config("/scalr/others"))
        .await
        .unwrap();
    names(&planned.warnings, &[GROUP, "stay"]);
    let again = and(config(GROUP), json!({ "target_id": "another" }));
    let planned = resource.plan(Some(&state), again).await.unwrap();
    assert!(planned.warnings.is_empty(), "{}", planned.warnings);
}
