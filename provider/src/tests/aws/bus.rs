//! `scalr_eventbridge_bus`

use serde_json::{Value as Json, json};

use super::fake::{Holdings, Trouble};
use super::{SOURCE, and, names, stage, with};
use crate::aws::Settings;
use crate::tests::snapshot::scenarios;

scenarios![
    a_replacement_is_warned_of_on_the_attribute_that_causes_it,
    what_fails_after_the_bus_is_there_is_a_warning,
    a_lost_answer_says_that_the_bus_may_be_there,
    only_rules_that_are_there_are_waited_for,
    rules_that_stay_are_named,
    a_read_without_an_answer_ends_with_the_interruption,
    a_list_without_an_end_is_an_error,
    what_is_on_a_bus_that_goes_is_looked_for,
    targets_that_stay_on_a_rule_that_goes_are_warned_of,
    a_region_that_is_none_is_refused_before_it_is_asked,
    calls_name_the_provider,
];

const NAME: &str = "scalr_eventbridge_bus";
const DENIED: Trouble = Trouble::Says("AccessDeniedException", "You may not.");

fn config(more: Json) -> Json {
    and(json!({ "event_source_name": SOURCE }), more)
}

/// A bus that exists stays whole in the state, whatever goes wrong after it was made: an error would taint it, and the
/// next apply would delete it.
#[tokio::test(start_paused = true)]
async fn what_fails_after_the_bus_is_there_is_a_warning() {
    let calls = [
        // One for the plan.
        ("DescribeEventBus", 3),
        ("UpdateEventBus", 0),
        ("ListTagsForResource", 0),
        ("UntagResource", 0),
        ("TagResource", 0),
        ("DescribeEventSource", 2),
    ];
    for (call, earlier) in calls {
        let (fake, harness) = stage().await;
        {
            let mut held = fake.state();
            held.sources.insert(SOURCE.to_owned(), "ACTIVE");
            let arn = format!("arn:aws:events:us-east-1:123456789012:event-bus/{SOURCE}");
            held.buses
                .insert(SOURCE.to_owned(), json!({ "Name": SOURCE, "Arn": arn }));
            held.tags.insert(arn, [("old".to_owned(), "1".to_owned())].into());
            held.let_through(call, earlier);
            held.trouble(call, DENIED);
        }
        let resource = harness.resource(NAME);
        let config = config(
            json!({ "adopt_existing": true, "description": "Scalr's events", "tags": { "new": "1" } }),
        );
        let planned = resource.plan(None, config.clone()).await.unwrap();
        let applied = resource.apply(planned).await;
        assert!(!applied.diags.has_errors(), "{call}: {}", applied.diags);
        let state = applied.state.unwrap_or_else(|| panic!("{call}: no state"));
        names(&applied.diags, &[SOURCE, &format!("events:{call}")]);
        // What could not be done is drift, and the next apply does it.
        let read = resource.read(&state).await.unwrap().unwrap();
        let again = resource.plan(Some(&read), config.clone()).await.unwrap();
        assert_eq!(again.replaces(), Vec::<String>::new(), "{call}");
        let state = resource.apply(again).await.state.unwrap();
        let read = resource.read(&state).await.unwrap().unwrap();
        resource.assert_stable(&read, config).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_says_that_the_bus_may_be_there() {
    for carried_out in [false, true] {
        let (fake, harness) = stage().await;
        fake.state()
            .trouble("CreateEventBus", Trouble::Breaks { carried_out });
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        let applied = resource.apply(planned).await;
        assert!(applied.state.is_none() && applied.diags.has_errors());
        names(&applied.diags, &[SOURCE, "events:CreateEventBus"]);
    }
}

#[tokio::test(start_paused = true)]
async fn only_rules_that_are_there_are_waited_for() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();

    // The word alone is no reason to wait.
    fake.state().trouble(
        "DeleteEventBus",
        Trouble::Says("LimitExceededException", "A rule of thumb."),
    );
    names(
        &resource.destroy(&state).await.unwrap_err(),
        &[SOURCE, "LimitExceededException"],
    );
    assert_eq!(fake.count("DeleteEventBus"), 1);

    // Nor is a refusal that the list of rules does not bear out.
    for _ in 0..20 {
        let odd = Trouble::Says("ValidationException", "No such rule about names.");
        fake.state().trouble("DeleteEventBus", odd);
    }
    names(
        &resource.destroy(&state).await.unwrap_err(),
        &[SOURCE, "ValidationException"],
    );
    assert!(fake.count("DeleteEventBus") < 10, "{:?}", fake.state().calls);
}

#[tokio::test(start_paused = true)]
async fn rules_that_stay_are_named() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    fake.state()
        .rules
        .insert((SOURCE.to_owned(), "theirs".to_owned()), json!({}));
    let planned = resource.plan_destroy(&state).await.unwrap();
    let started = tokio::time::Instant::now();
    let refused = resource.apply(planned).await.diags;
    assert!(refused.has_errors());
    names(&refused, &["`theirs`", "replace_triggered_by", "-replace"]);
    assert_eq!(started.elapsed().as_secs(), 16, "15 seconds without a change");
}

/// An interruption ends a look-up at once, even one that gets no answer.
#[tokio::test(start_paused = true)]
async fn a_read_without_an_answer_ends_with_the_interruption() {
    let (fake, harness) = stage().await;
    fake.state().trouble("DescribeEventBus", Trouble::Hangs);
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    let interrupt = async {
        fake.until("DescribeEventBus", 1).await;
        harness.stop().await;
    };
    let started = tokio::time::Instant::now();
    let (applied, ()) = tokio::join!(resource.apply(planned), interrupt);
    assert!(started.elapsed().is_zero(), "{:?}", started.elapsed());
    assert!(applied.state.is_none() && applied.diags.has_errors());
}

#[tokio::test(start_paused = true)]
async fn a_list_without_an_end_is_an_error() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    let state = resource.create(config(json!({}))).await.unwrap();
    {
        let mut held = fake.state();
        held.rules
            .insert((SOURCE.to_owned(), "theirs".to_owned()), json!({}));
        held.lists_have_no_end = true;
    }
    let refused = resource.destroy(&state).await.unwrap_err();
    names(&refused, &["events:ListRules"]);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_none_is_refused_before_it_is_asked() {
    let (fake, harness) = stage().await;
    let resource = harness.resource(NAME);
    for id in [format!("{SOURCE}@us-east1"), format!("{SOURCE}@")] {
        let refused = resource.import(&id).await.unwrap_err();
        names(&refused, &[&format!("`{id}`")]);
    }
    for region in ["us-east1", ""] {
        let identity = json!({ "name": SOURCE, "region": region });
        let refused = resource.import_by_identity(identity).await.unwrap_err();
        names(&refused, &["`region`"]);
    }
    assert_eq!(fake.state().calls, Vec::<String>::new());
}

/// After the SDK's own words come the provider's and the user's, and what the call is for.
#[tokio::test(start_paused = true)]
async fn calls_name_the_provider() {
    const OWN: &str = "terraform-provider-scalr/0.1.0 (plugin protocol 6; client version 1.13.0) team/7";
    let (fake, _) = stage().await;
    let settings = Settings {
        user_agent: OWN.to_owned(),
        ..Settings::default()
    };
    let harness = with(settings, fake.config());
    harness.resource(NAME).create(config(json!({}))).await.unwrap();
    let sent = fake.state().user_agent.clone();
    let ours = format!("{OWN} {NAME}/create");
    assert!(
        sent.starts_with("aws-sdk-rust/") && sent.ends_with(&ours),
        "{sent}"
    );
}

/// What is on the bus beside a rule of ours, and how its removal is planned.
struct OnBus {
    archives: &'static [&'static str],
    /// A rule of somebody else.
    rule: Option<&'static str>,
    /// A target of somebody else on our rule.
    target: Option<&'static str>,
    /// Our rule goes too.
    rule_goes: bool,
    managed_with_others: bool,
    /// The blocks were deleted: bus and rule are refreshed, and planned in no order.
    refreshed: bool,
}

impl OnBus {
    fn read(words: &str) -> Self {
        let has = |word: &str| words.split_whitespace().any(|one| one == word);
        let rule = ["theirs", "Events-Archive-a"].into_iter().find(|name| has(name));
        Self {
            archives: if has("archive") { &["a"] } else { &[] },
            rule,
            target: has("target").then_some("foreign"),
            rule_goes: has("goes"),
            managed_with_others: has("others"),
            refreshed: has("refreshed"),
        }
    }

    fn put(&self, held: &mut Holdings) {
        held.archives = self.archives.to_vec();
        let rule = self
            .rule
            .map(|name| ((SOURCE.to_owned(), name.to_owned()), json!({})));
        held.rules.extend(rule);
        let target = self.target.map(|id| {
            let target = json!({ "Id": id, "Arn": "arn:aws:sqs:us-east-1:123456789012:q" });
            ((SOURCE.to_owned(), "runs".to_owned()), vec![target])
        });
        held.targets.extend(target);
    }
}

/// A destroy takes targets and rules first: what would stop it after them is refused before.
#[tokio::test(start_paused = true)]
async fn what_is_on_a_bus_that_goes_is_looked_for() {
    for (words, refused) in [
        ("goes", None),
        ("goes archive", Some(true)),
        ("goes archive refreshed", Some(true)),
        ("goes archive others", Some(false)),
        ("goes theirs", Some(true)),
        ("goes theirs others", Some(false)),
        // It may be ours, planned later.
        ("goes theirs refreshed", Some(false)),
        // The rule of an archive is the archive's.
        ("goes Events-Archive-a", None),
        ("goes target", Some(true)),
        // The plan of the rule has said it.
        ("goes target others", None),
        ("goes target refreshed", None),
        // No target goes first.
        ("archive", Some(false)),
        ("theirs", Some(false)),
    ] {
        check_on_bus(&OnBus::read(words), refused).await;
    }
}

async fn check_on_bus(on_bus: &OnBus, refused: Option<bool>) {
    let (archives, theirs) = (on_bus.archives, on_bus.rule);
    let pattern = json!({ "source": [{ "prefix": "aws.partner" }] }).to_string();
    let (fake, made_by) = stage().await;
    let wanted = config(json!({ "managed_with_others": on_bus.managed_with_others }));
    let state = made_by.resource(NAME).create(wanted).await.unwrap();
    let rule = json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern });
    let made = made_by
        .resource("scalr_eventbridge_rule")
        .create(rule)
        .await
        .unwrap();
    on_bus.put(&mut fake.state());
    let harness = with(Settings::default(), fake.config());
    let (bus, ours) = (harness.resource(NAME), harness.resource("scalr_eventbridge_rule"));
    if on_bus.refreshed {
        bus.read(&state).await.unwrap();
    }
    // Terraform plans the removal of what depends on the bus before that of the bus.
    if on_bus.rule_goes {
        let planned = ours.plan_destroy(&made).await.unwrap();
        assert_eq!(
            planned.warnings.is_empty(),
            on_bus.target.is_none(),
            "{}",
            planned.warnings
        );
    }
    let names_all = |diags| {
        let ours = (!on_bus.rule_goes).then_some("`runs`");
        let what: Vec<&str> = archives
            .iter()
            .copied()
            .chain(theirs)
            .chain(on_bus.target)
            .chain(ours)
            .collect();
        names(diags, &what);
    };
    match (bus.plan_destroy(&state).await, refused) {
        (Ok(planned), None) => assert_eq!(planned.warnings.iter().count(), 1, "{}", planned.warnings),
        (Ok(planned), Some(false)) => {
            assert_eq!(planned.warnings.iter().count(), 2, "{}", planned.warnings);
            names_all(&planned.warnings);
        }
        (Err(diags), Some(true)) => names_all(&diags),
        (got, want) => panic!(
            "{archives:?} {theirs:?} {:?}: {:?}, not {want:?}",
            on_bus.target,
            got.map(|_| ())
        ),
    }
    // A replacement is warned of, and so is one that AWS does not let be looked at.
    let moved = config(json!({ "region": "eu-west-1" }));
    let planned = bus.plan(Some(&state), moved).await.unwrap();
    assert!(planned.warnings.iter().count() >= 1);
    for call in ["ListArchives", "ListRules"] {
        fake.state().trouble(call, DENIED);
    }
    if on_bus.target.is_none() {
        bus.plan_destroy(&state).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_is_warned_of_on_the_attribute_that_causes_it() {
    let (fake, harness) = stage().await;
    let state = harness.resource(NAME).create(config(json!({}))).await.unwrap();
    let moved = with(
        Settings {
            region: Ok(Some("eu-west-1".to_owned())),
            ..Settings::default()
        },
        fake.config(),
    );
    let other = json!({ "event_source_name": "aws.partner/scalr.com/acme/test" });
    for (harness, config, at) in [
        (&harness, config(other), Some("event_source_name")),
        (&harness, config(json!({ "region": "eu-west-1" })), Some("region")),
        // The provider's region moves it.
        (&moved, config(json!({})), Some("event_source_name")),
        (&harness, config(json!({ "description": "x" })), None),
    ] {
        let shown = config.to_string();
        let planned = harness.resource(NAME).plan(Some(&state), config).await.unwrap();
        let warned = planned
            .warnings
            .iter()
            .filter(|one| one.detail.contains("PENDING"));
        let paths: Vec<_> = warned.map(|one| one.path.to_string()).collect();
        assert_eq!(paths, at.into_iter().collect::<Vec<_>>(), "{shown}");
    }
}

/// Targets of somebody else stop the removal of a rule; a plan says which.
#[tokio::test(start_paused = true)]
async fn targets_that_stay_on_a_rule_that_goes_are_warned_of() {
    let queue = "arn:aws:sqs:us-east-1:123456789012:q";
    let pattern = json!({ "source": [{ "prefix": "aws.partner" }] }).to_string();
    let rule = |name: &str| json!({ "name": name, "event_bus_name": SOURCE, "event_pattern": pattern, "region": "us-east-1" });
    let target = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": queue, "region": "us-east-1" });
    for (ours_first, warned) in [(Some(true), false), (Some(false), false), (None, true)] {
        let (fake, made_by) = stage().await;
        super::hold(&fake, &[]);
        let made = made_by
            .resource("scalr_eventbridge_rule")
            .create(rule("runs"))
            .await
            .unwrap();
        let ours = made_by
            .resource("scalr_eventbridge_target")
            .create(target.clone())
            .await
            .unwrap();
        let harness = with(Settings::default(), fake.config());
        let (rules, targets) = (
            harness.resource("scalr_eventbridge_rule"),
            harness.resource("scalr_eventbridge_target"),
        );
        let remove = async || {
            targets.plan_destroy(&ours).await.unwrap();
        };
        if ours_first == Some(true) {
            remove().await;
        }
        let later = async {
            if ours_first == Some(false) {
                fake.until("ListTargetsByRule", 1).await;
                remove().await;
            }
        };
        let (planned, ()) = tokio::join!(rules.plan_destroy(&made), later);
        let warnings = planned.unwrap().warnings;
        assert_eq!(!warnings.is_empty(), warned, "{warnings}");
        if warned {
            names(
                &warnings,
                &[
                    "`runs`",
                    "remove-targets",
                    ours.json()["target_id"].as_str().unwrap(),
                ],
            );
        }
        // Where another resource of the plan makes the rule, it stays.
        let harness = with(Settings::default(), fake.config());
        let rules = harness.resource("scalr_eventbridge_rule");
        rules.plan(None, rule("runs")).await.unwrap();
        assert!(rules.plan_destroy(&made).await.unwrap().warnings.is_empty());
        // A target with a default id can be replaced with its rule; one that somebody else chose is warned of.
        let harness = with(Settings::default(), fake.config());
        let rules = harness.resource("scalr_eventbridge_rule");
        let renamed = rules.plan(Some(&made), rule("other")).await.unwrap();
        assert!(renamed.warnings.is_empty(), "{}", renamed.warnings);
        let held = json!({ "Id": "theirs", "Arn": queue });
        let key = (SOURCE.to_owned(), "runs".to_owned());
        fake.state().targets.entry(key).or_default().push(held);
        let renamed = rules.plan(Some(&made), rule("other")).await.unwrap();
        names(&renamed.warnings, &["`theirs`"]);
    }
}
