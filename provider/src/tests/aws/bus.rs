//! `scalr_eventbridge_bus`

use serde_json::{Value as Json, json};

use super::fake::Trouble;
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
        ("DescribeEventBus", 2),
        ("UpdateEventBus", 0),
        ("ListTagsForResource", 0),
        ("UntagResource", 0),
        ("TagResource", 0),
        ("DescribeEventSource", 1),
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
    let started = tokio::time::Instant::now();
    let refused = resource.destroy(&state).await.unwrap_err();
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

/// After the SDK's own words come the provider's and the user's.
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
    assert!(sent.starts_with("aws-sdk-rust/") && sent.ends_with(OWN), "{sent}");
}

/// A destroy takes targets and rules first: what would stop it after them is refused before.
#[tokio::test(start_paused = true)]
async fn what_is_on_a_bus_that_goes_is_looked_for() {
    let pattern = json!({ "source": [{ "prefix": "aws.partner" }] }).to_string();
    let rule = json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern });
    for (archives, theirs, rule_goes, others, refused) in [
        (&[][..], None, true, false, None),
        (&["a"][..], None, true, false, Some(true)),
        (&["a"][..], None, true, true, Some(false)),
        // It may be ours, planned later.
        (&[][..], Some("theirs"), true, false, Some(false)),
        // The rule of an archive is the archive's.
        (&[][..], Some("Events-Archive-a"), true, false, None),
        // No target goes first.
        (&["a"][..], None, false, false, Some(false)),
    ] {
        let (fake, harness) = stage().await;
        let bus = harness.resource(NAME);
        let wanted = config(json!({ "managed_with_others": others }));
        let state = bus.create(wanted).await.unwrap();
        let ours = harness.resource("scalr_eventbridge_rule");
        let made = ours.create(rule.clone()).await.unwrap();
        {
            let mut held = fake.state();
            held.archives = archives.to_vec();
            let other = theirs.map(|name| ((SOURCE.to_owned(), name.to_owned()), json!({})));
            held.rules.extend(other);
        }
        // Terraform plans the removal of what depends on the bus before that of the bus.
        if rule_goes {
            ours.plan_destroy(&made).await.unwrap();
        }
        let names_all = |diags| {
            let ours = (!rule_goes).then_some("`runs`");
            let what: Vec<&str> = archives.iter().copied().chain(theirs).chain(ours).collect();
            names(diags, &what);
        };
        match (bus.plan_destroy(&state).await, refused) {
            (Ok(planned), None) => assert_eq!(planned.warnings.iter().count(), 1, "{}", planned.warnings),
            (Ok(planned), Some(false)) => {
                assert_eq!(planned.warnings.iter().count(), 2, "{}", planned.warnings);
                names_all(&planned.warnings);
            }
            (Err(diags), Some(true)) => names_all(&diags),
            (got, want) => panic!("{archives:?} {theirs:?}: {:?}, not {want:?}", got.map(|_| ())),
        }
        // A replacement is warned of, and so is one that AWS does not let be looked at.
        let moved = config(json!({ "region": "eu-west-1" }));
        let planned = bus.plan(Some(&state), moved).await.unwrap();
        assert!(planned.warnings.iter().count() >= 1);
        for call in ["ListArchives", "ListRules"] {
            fake.state().trouble(call, DENIED);
        }
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
