//! What moves between the two kinds of bus: a log group from the target of a rule to a subscriber and back, and the partner's source from one
//! bus to the other. A harness is a process that is configured once.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, Planned};

use super::fake::{Fake, Trouble, group_arn};
use super::handover::{RULE, TARGET, process, rule, target, with_rule, without_errors};
use super::{GROUP, SOURCE, and, names};
use crate::tests::snapshot::scenarios;

scenarios![
    a_log_group_moves_to_the_other_kind_of_bus,
    a_log_group_whose_owner_stays_does_not_move,
    who_has_a_log_group_is_said_as_it_is,
    what_aws_does_not_say_of_an_owner_is_not_guessed,
    a_classic_bus_waits_for_the_event_source_to_go,
    an_event_source_waits_while_the_classic_bus_goes,
];

const SUBSCRIBER: &str = "scalr_eventbridge_subscriber";
const BUS: &str = "scalr_eventbridge_bus";
const EVENT_SOURCE: &str = "scalr_eventbridge_event_source";
const OWNER: &str = "scalr-eventbridge:owner";
const NEXT: &str = "scalr-eventbridge:next-owner";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Target,
    Subscriber,
}

impl Kind {
    fn resource(self) -> &'static str {
        match self {
            Self::Target => TARGET,
            Self::Subscriber => SUBSCRIBER,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Target => Self::Subscriber,
            Self::Subscriber => Self::Target,
        }
    }

    /// With the log group of all of them, as its own.
    fn config(self, group: Json) -> Json {
        let group = and(json!({ "create": true }), group);
        match self {
            Self::Target => target(group),
            Self::Subscriber => super::subscriber_group::config(group),
        }
    }

    fn owner(self) -> String {
        match self {
            Self::Target => format!("{SOURCE}/runs"),
            Self::Subscriber => "subscriber:runs".to_owned(),
        }
    }
}

async fn planned(harness: &Harness, kind: Kind, group: Json) -> Planned {
    harness
        .resource(kind.resource())
        .plan(None, kind.config(group))
        .await
        .unwrap()
}

fn owners(fake: &Fake) -> [Option<String>; 2] {
    let held = fake.state();
    let tags = held.tags.get(&group_arn(GROUP));
    [OWNER, NEXT].map(|key| tags.and_then(|tags| tags.get(key)).cloned())
}

/// The old side is destroyed before the new one is made, in one process or in two; or, of a target, while that is waiting: the events stay.
#[tokio::test(start_paused = true)]
async fn a_log_group_moves_to_the_other_kind_of_bus() {
    for (from, create_first, same_process) in [
        (Kind::Target, false, true),
        (Kind::Target, true, true),
        (Kind::Subscriber, false, true),
        (Kind::Subscriber, false, false),
    ] {
        let what = format!("{from:?} {create_first} {same_process}");
        let fake = with_rule().await;
        let group = json!({ "retention_in_days": 30 });
        let old = process(&fake)
            .resource(from.resource())
            .create(from.config(group.clone()))
            .await
            .unwrap();
        let to = from.other();
        let harness = process(&fake);
        let apart = (!same_process).then(|| process(&fake));
        let second = apart.as_ref().unwrap_or(&harness);
        let resource = harness.resource(from.resource());
        let gone = resource.plan_destroy(&old).await.unwrap();
        let made = if create_first {
            let plan = planned(second, to, group.clone()).await;
            let looks = fake.count("ListTargetsByRule");
            let new = second.resource(to.resource());
            let (made, gone) = tokio::join!(new.apply(plan), async {
                fake.until("ListTargetsByRule", looks + 1).await;
                assert_eq!(owners(&fake), [Some(from.owner()), None], "{what}");
                resource.apply(gone).await
            });
            without_errors(gone, &what);
            made
        } else {
            without_errors(resource.apply(gone).await, &what);
            let plan = planned(second, to, group.clone()).await;
            second.resource(to.resource()).apply(plan).await
        };
        let new = without_errors(made, &what).unwrap();
        assert!(fake.state().groups.contains_key(GROUP), "{what}");
        assert_eq!(owners(&fake), [Some(to.owner()), None], "{what}");
        second
            .resource(to.resource())
            .assert_stable(&new, to.config(group))
            .await;
    }
}

/// Both are to have it: the first one keeps it as it is, and the other is refused.
#[tokio::test(start_paused = true)]
async fn a_log_group_whose_owner_stays_does_not_move() {
    for from in [Kind::Target, Kind::Subscriber] {
        let fake = with_rule().await;
        let group = json!({ "retention_in_days": 30, "delete_on_destroy": true });
        let first = process(&fake);
        first
            .resource(from.resource())
            .create(from.config(group))
            .await
            .unwrap();
        let to = from.other();
        let harness = process(&fake);
        let resource = harness.resource(to.resource());
        let wanted = to.config(json!({ "retention_in_days": 1, "delete_on_destroy": true }));
        let refused = resource.create(wanted).await.unwrap_err();
        names(&refused, &["`runs`", "which exists and", "apply that first"]);
        assert_eq!(fake.state().groups[GROUP]["retentionInDays"], 30);
        assert_eq!(owners(&fake), [Some(from.owner()), None], "{from:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_a_log_group_is_said_as_it_is() {
    let of_rule = |rule: &str| format!("{SOURCE}/{rule}");
    for (kind, tag, words) in [
        // Adopted.
        (Kind::Subscriber, of_rule("gone"), None),
        (Kind::Target, "subscriber:gone".to_owned(), None),
        // Refused.
        (
            Kind::Subscriber,
            of_rule("other"),
            Some(
                &[
                    "the rule `other`",
                    "which exists and has no target for the log group",
                    "apply that first",
                ][..],
            ),
        ),
        (
            Kind::Target,
            "subscriber:elsewhere".to_owned(),
            Some(&["the subscriber `elsewhere`, which exists and sends its events elsewhere"][..]),
        ),
        (
            Kind::Subscriber,
            "subscriber:elsewhere".to_owned(),
            Some(&["the subscriber `elsewhere`, which exists and sends its events elsewhere"]),
        ),
        (
            Kind::Target,
            of_rule("other"),
            Some(&[
                "the rule `other`",
                "which exists and has no target for the log group",
            ]),
        ),
        (
            Kind::Target,
            "theirs/r".to_owned(),
            Some(&["the rule `r` of the event bus `theirs`, which no longer exists"]),
        ),
        (
            Kind::Subscriber,
            "what".to_owned(),
            Some(&["belongs to something else"]),
        ),
    ] {
        let fake = with_rule().await;
        let harness = process(&fake);
        harness.resource(RULE).create(rule(json!({}))).await.unwrap();
        let elsewhere = super::subscriber::config(json!({ "name": "elsewhere" }));
        harness.resource(SUBSCRIBER).create(elsewhere).await.unwrap();
        let held = BTreeMap::from([(OWNER.to_owned(), tag.clone()), (NEXT.to_owned(), "x".to_owned())]);
        fake.state().make_group(GROUP, held);
        let plan = planned(&harness, kind, json!({})).await;
        let applied = harness.resource(kind.resource()).apply(plan).await;
        match words {
            None => {
                without_errors(applied, &tag).unwrap();
                assert_eq!(owners(&fake), [Some(kind.owner()), None], "{tag}");
            }
            Some(words) => {
                names(&applied.diags, words);
                names(&applied.diags, &["tag-resource", "create = false", &tag]);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_say_of_an_owner_is_not_guessed() {
    for (kind, call, tag) in [
        (Kind::Subscriber, "DescribeRule", format!("{SOURCE}/gone")),
        (Kind::Target, "v2:ListSubscribers", "subscriber:gone".to_owned()),
    ] {
        let fake = with_rule().await;
        fake.state()
            .make_group(GROUP, BTreeMap::from([(OWNER.to_owned(), tag)]));
        let harness = process(&fake);
        let plan = planned(&harness, kind, json!({})).await;
        let denied = || Trouble::Says("AccessDeniedException", "You may not.");
        fake.state().trouble(call, denied());
        let refused = harness.resource(kind.resource()).apply(plan).await;
        names(&refused.diags, &["`gone`", "which owns the log group"]);
    }
}

/// The Classic bus of a partner's source can be made once the event source of the custom event bus is gone, and AWS's own bus with it.
#[tokio::test(start_paused = true)]
async fn a_classic_bus_waits_for_the_event_source_to_go() {
    let (fake, harness) = super::stage().await;
    let source = super::event_source::config(json!({}));
    let held = harness.resource(EVENT_SOURCE).create(source).await.unwrap();
    for adopts in [false, true] {
        let harness = process(&fake);
        let bus = harness.resource(BUS);
        let wanted = json!({ "event_source_name": SOURCE, "adopt_existing": adopts });
        let plan = bus.plan(None, wanted).await.unwrap();
        names(&plan.warnings, &["`prod`", "waits for a minute", "dropped"]);
        let refused = bus.apply(plan).await;
        assert!(refused.state.is_none());
        names(&refused.diags, &["AWS manages the event bus", "`prod`"]);
    }
    let harness = process(&fake);
    let (bus, source) = (harness.resource(BUS), harness.resource(EVENT_SOURCE));
    let wanted = json!({ "event_source_name": SOURCE });
    let gone = source.plan_destroy(&held).await.unwrap();
    let plan = bus.plan(None, wanted.clone()).await.unwrap();
    names(&plan.warnings, &["this plan deletes it", "dropped"]);
    let (made, gone) = tokio::join!(bus.apply(plan), async {
        let looks = fake.count("DescribeEventBus");
        fake.until("DescribeEventBus", looks + 2).await;
        source.apply(gone).await
    });
    without_errors(gone, "destroy");
    let state = without_errors(made, "create").unwrap();
    bus.assert_stable(&state, wanted).await;
    assert!(fake.state().custom.sources.is_empty());
}

/// However long this apply takes to remove the Classic bus with its rules: only a bus that nothing removes ends the wait.
#[tokio::test(start_paused = true)]
async fn an_event_source_waits_while_the_classic_bus_goes() {
    let (fake, harness) = super::stage().await;
    let wanted = json!({ "event_source_name": SOURCE });
    let held = harness.resource(BUS).create(wanted).await.unwrap();
    super::hold(&fake, &["a", "b", "c"]);
    let harness = process(&fake);
    let (bus, source) = (harness.resource(BUS), harness.resource(EVENT_SOURCE));
    let gone = bus.plan_destroy(&held).await.unwrap();
    let plan = source
        .plan(None, super::event_source::config(json!({})))
        .await
        .unwrap();
    let began = tokio::time::Instant::now();
    let (made, gone, ()) = tokio::join!(source.apply(plan), bus.apply(gone), async {
        // One every ten seconds: the wait for what is in the way of the bus continues.
        for _ in 0..3 {
            let looks = fake.count("DescribeEventSource");
            fake.until("DescribeEventSource", looks + 5).await;
            fake.state().rules.pop_last();
        }
        let tries = fake.count("DeleteEventBus");
        fake.until("DeleteEventBus", tries + 1).await;
        fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    });
    assert!(began.elapsed().as_secs() > 20, "{:?}", began.elapsed());
    without_errors(gone, "destroy");
    without_errors(made, "create").unwrap();
}
