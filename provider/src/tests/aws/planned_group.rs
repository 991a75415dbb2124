//! The log group of a `scalr_eventbridge_target` as a plan finds it: its class, and its resource policy.

use serde_json::json;
use tfplugin::testing::{Harness, Planned, State};

use super::fake::{Fake, group_arn};
use super::log_group::{denying, own, tagged};
use super::target::{config, with_rule};
use super::{GROUP, SOURCE};
use crate::tests::snapshot::scenarios;

scenarios![
    a_class_that_is_lambdas_is_warned_of_at_every_plan,
    a_policy_that_cannot_take_the_statements_is_warned_of,
];

const NAME: &str = "scalr_eventbridge_target";

fn warned(planned: &Planned) -> Vec<String> {
    let warnings = planned.warnings.iter();
    warnings.map(|one| one.path.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_class_that_is_lambdas_is_warned_of_at_every_plan() {
    for (class, warns) in [
        ("DELIVERY", true),
        ("INFREQUENT_ACCESS", false),
        ("STANDARD", false),
    ] {
        let (fake, harness) = with_rule().await;
        fake.state().make_group(GROUP, tagged(None));
        fake.state().groups.get_mut(GROUP).unwrap()["logGroupClass"] = json!(class);
        let resource = harness.resource(NAME);
        let want: &[&str] = if warns { &["log_group[\"name\"]"] } else { &[] };
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        assert_eq!(warned(&planned), want, "{class}");
        let state = resource.apply(planned).await.state.unwrap();
        // After a refresh it is known without another question.
        let state = resource.read(&state).await.unwrap().unwrap();
        let asked = fake.count("DescribeLogGroups");
        let planned = resource.plan(Some(&state), config(json!({}))).await.unwrap();
        assert!(planned.is_empty());
        assert_eq!(
            (warned(&planned), fake.count("DescribeLogGroups")),
            (want.iter().map(ToString::to_string).collect(), asked)
        );
        // Without one it is asked for.
        let harness = super::on(fake.config());
        let planned = harness
            .resource(NAME)
            .plan(Some(&state), config(json!({})))
            .await
            .unwrap();
        assert_eq!(warned(&planned), want, "{class}");
        let by_arn = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": group_arn(GROUP), "region": "us-east-1" });
        super::hold(&fake, &[]);
        let harness = super::on(fake.config());
        let planned = harness.resource(NAME).plan(None, by_arn).await.unwrap();
        // The other warning is of the permission.
        assert_eq!(warned(&planned).len(), 1 + want.len(), "{class}");
    }
}

type Breaks<'a> = Box<dyn Fn(&Fake) + 'a>;

#[tokio::test(start_paused = true)]
async fn a_policy_that_cannot_take_the_statements_is_warned_of() {
    let filled = |count: usize, sid: &str| {
        let statement = |at: usize| json!({ "Sid": format!("{sid}{at}"), "Effect": "Allow", "Principal": { "Service": "x.amazonaws.com" }, "Action": "logs:PutLogEvents", "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": (0..count).map(statement).collect::<Vec<_>>() })
            .to_string()
    };
    let full = || filled(500, "Full");
    let own = |document: String| {
        move |fake: &Fake| {
            fake.state().policies.insert(group_arn(GROUP), document.clone());
        }
    };
    let cases: Vec<(bool, Breaks<'_>)> = vec![
        (false, Box::new(|_| {})),
        (false, Box::new(own(filled(2, "Few")))),
        // The account's own is the way then.
        (false, Box::new(own(full()))),
        (true, Box::new(own("no JSON".to_owned()))),
        (true, Box::new(own(denying(Some("No"))))),
        (
            true,
            Box::new(|fake| {
                own(full())(fake);
                let ours = ("scalr-eventbridge".to_owned(), filled(50, "Account"));
                fake.state().account_policies.extend([ours]);
            }),
        ),
        (
            true,
            Box::new(|fake| {
                own(full())(fake);
                let others = (0..10).map(|at| (format!("p{at}"), filled(1, "Other")));
                fake.state().account_policies.extend(others);
            }),
        ),
    ];
    for (at, (warns, breaks)) in cases.iter().enumerate() {
        let (fake, harness) = with_rule().await;
        fake.state().make_group(GROUP, tagged(None));
        breaks(&fake);
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let want: &[&str] = if *warns { &["log_group[\"name\"]"] } else { &[] };
        assert_eq!(warned(&planned), want, "case {at}");
        // The plan is right.
        assert_eq!(
            resource.apply(planned).await.diags.has_errors(),
            *warns,
            "case {at}"
        );
    }
    // One that is ready is not asked about; one that lost its permission is, at every plan.
    let (fake, harness, state) = own_group().await;
    let asked = fake.count("DescribeResourcePolicies");
    let resource = harness.resource(NAME);
    let planned = resource
        .plan(Some(&state), config(json!({ "create": true })))
        .await
        .unwrap();
    assert_eq!(
        (warned(&planned), fake.count("DescribeResourcePolicies")),
        (vec![], asked)
    );
    fake.state().policies.insert(group_arn(GROUP), denying(None));
    let state = resource.read(&state).await.unwrap().unwrap();
    for _ in 0..2 {
        let planned = resource
            .plan(Some(&state), config(json!({ "create": true })))
            .await
            .unwrap();
        assert_eq!(warned(&planned), ["log_group[\"name\"]"]);
    }
}

/// A target with a log group of its own, as a refresh finds it.
async fn own_group() -> (Fake, Harness, State) {
    let (fake, harness, state) = own(json!({ "create": true })).await;
    let state = harness.resource(NAME).read(&state).await.unwrap().unwrap();
    (fake, harness, state)
}
