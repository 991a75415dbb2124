//! The provider's `aws` settings: what is unknown while Terraform plans, and tags that are somebody else's.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::Fake;
use super::{GROUP, SOURCE, and, names, with};
use crate::aws::Settings;
use crate::aws::tags::{Defaults, INSTANCE, Ignored};
use crate::provider::ScalrEventBridge;
use crate::setting::NotKnownYet;
use crate::tests::snapshot::scenarios;

scenarios![
    reads_and_deletes_need_no_default_tag,
    a_region_of_the_state_needs_no_default_one,
    what_is_ignored_is_not_shown_changed_or_removed,
    an_ignored_tag_that_is_written_is_set_once,
    a_rule_is_adopted_whatever_tags_are_ignored,
];

type Tags = BTreeMap<String, String>;

/// A resource, its configuration, and the ARN of what it makes.
struct Case {
    name: &'static str,
    config: Json,
    arn: String,
}

fn cases() -> [Case; 2] {
    let pattern = json!({ "detail-type": ["RunExecuted"] }).to_string();
    let arn = |what: &str| format!("arn:aws:events:us-east-1:123456789012:{what}");
    [
        Case {
            name: "scalr_eventbridge_bus",
            config: json!({ "event_source_name": SOURCE }),
            arn: arn(&format!("event-bus/{SOURCE}")),
        },
        Case {
            name: "scalr_eventbridge_rule",
            config: json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern }),
            arn: arn(&format!("rule/{SOURCE}/runs")),
        },
    ]
}

fn fake() -> Fake {
    let fake = Fake::new();
    fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    fake
}

fn tags(text: &str) -> Tags {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn defaults(text: &str) -> Settings {
    Settings {
        default_tags: Defaults {
            known: tags(text),
            ..Defaults::default()
        },
        ..Settings::default()
    }
}

fn missing() -> NotKnownYet {
    NotKnownYet(ScalrEventBridge::aws().default_tags().tags().into())
}

/// Default tags that are not known: one of them, and all.
fn unknown() -> [Settings; 2] {
    ["t", ""].map(|keys| Settings {
        default_tags: Defaults {
            known: if keys.is_empty() {
                Tags::new()
            } else {
                tags("team=a")
            },
            unknown: keys.split_whitespace().map(str::to_owned).collect(),
            missing: Some(missing()),
        },
        ..Settings::default()
    })
}

fn ignoring(settings: Settings, keys: &str, prefixes: &str) -> Settings {
    let set = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    Settings {
        ignore_tags: Ok(Ignored {
            keys: set(keys),
            key_prefixes: set(prefixes),
        }),
        ..settings
    }
}

#[tokio::test(start_paused = true)]
async fn reads_and_deletes_need_no_default_tag() {
    for case in cases() {
        for settings in unknown() {
            // The one tag that is not known is written by the resource itself.
            let is_settled = !settings.default_tags.unknown.is_empty();
            let fake = fake();
            let known = with(defaults("team=a t=1"), fake.config());
            let state = known
                .resource(case.name)
                .create(case.config.clone())
                .await
                .unwrap();
            let harness = with(settings, fake.config());
            let resource = harness.resource(case.name);
            assert_eq!(resource.read(&state).await.unwrap().unwrap().json(), state.json());
            let planned = resource.plan(Some(&state), case.config.clone()).await.unwrap();
            assert_eq!(planned.json()["tags_all"], UNKNOWN);
            // A tag that is written counts, whatever the default turns out to be.
            let own = and(case.config.clone(), json!({ "tags": { "t": "own" } }));
            let planned = resource.plan(None, own).await.unwrap();
            let want = if is_settled {
                json!({ "team": "a", "t": "own" })
            } else {
                json!(UNKNOWN)
            };
            assert_eq!(planned.json()["tags_all"], want);
            resource.destroy(&state).await.unwrap();
        }
    }
    // A log group has the default tags, too.
    let fake = fake();
    let known = with(defaults("team=a t=1"), fake.config());
    let target =
        json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": { "name": GROUP, "create": true } });
    make_all(&known).await;
    let state = known
        .resource("scalr_eventbridge_target")
        .create(target.clone())
        .await
        .unwrap();
    for settings in unknown() {
        let harness = with(settings, fake.config());
        let resource = harness.resource("scalr_eventbridge_target");
        resource.assert_stable(&state, target.clone()).await;
        harness
            .data_source("scalr_eventbridge_source", json!({ "name": SOURCE }))
            .await
            .unwrap();
    }
    let [settings, _] = unknown();
    with(settings, fake.config())
        .resource("scalr_eventbridge_target")
        .destroy(&state)
        .await
        .unwrap();
}

async fn make_all(harness: &Harness) {
    for case in cases() {
        harness.resource(case.name).create(case.config).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_of_the_state_needs_no_default_one() {
    let unknown = || Settings {
        region: Err(NotKnownYet(ScalrEventBridge::aws().region().into())),
        ..Settings::default()
    };
    for case in cases() {
        let fake = fake();
        let state = with(Settings::default(), fake.config())
            .resource(case.name)
            .create(case.config.clone())
            .await
            .unwrap();
        let harness = with(unknown(), fake.config());
        let resource = harness.resource(case.name);
        resource.assert_stable(&state, case.config.clone()).await;
        let planned = resource.plan(None, case.config.clone()).await.unwrap();
        assert_eq!(planned.json()["region"], UNKNOWN);
        names(&resource.apply(planned).await.diags, &["`aws.region`"]);
        resource.destroy(&state).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_is_not_shown_changed_or_removed() {
    for case in cases() {
        let fake = fake();
        let theirs = tags("owner=finance org:cost=7");
        let harness = with(ignoring(defaults("team=a"), "owner", "org:"), fake.config());
        let resource = harness.resource(case.name);
        let config = |own: Json| and(case.config.clone(), json!({ "tags": own }));
        let state = resource.create(config(json!({ "a": "1" }))).await.unwrap();
        fake.state()
            .tags
            .entry(case.arn.clone())
            .or_default()
            .extend(theirs.clone());
        resource.assert_stable(&state, config(json!({ "a": "1" }))).await;
        let state = resource
            .update(&state, config(json!({ "b": "2" })))
            .await
            .unwrap();
        assert_eq!(state.json()["tags_all"], json!({ "b": "2", "team": "a" }));
        let mut held = theirs.clone();
        held.extend(tags("b=2 team=a"));
        assert_eq!(fake.state().tags[&case.arn], held, "{}", case.name);
        // What a state has of them, from before they were ignored, is not removed either.
        let open = with(defaults("team=a"), fake.config());
        let seen = open.resource(case.name).read(&state).await.unwrap().unwrap();
        assert_eq!(seen.json()["tags_all"]["owner"], "finance");
        resource.update(&seen, config(json!({ "b": "2" }))).await.unwrap();
        assert_eq!(fake.state().tags[&case.arn], held, "{}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ignored_tag_that_is_written_is_set_once() {
    for case in cases() {
        let fake = fake();
        let harness = with(
            ignoring(defaults("owner=nobody team=a"), "owner", ""),
            fake.config(),
        );
        let resource = harness.resource(case.name);
        let config = |owner: &str| and(case.config.clone(), json!({ "tags": { "owner": owner } }));
        let state = resource.create(config("me")).await.unwrap();
        assert_eq!(state.json()["tags_all"], json!({ "team": "a" }));
        assert_eq!(fake.state().tags[&case.arn], tags("owner=me team=a"));
        fake.state()
            .tags
            .insert(case.arn.clone(), tags("owner=finance team=a"));
        resource.assert_stable(&state, config("me")).await;
        // Another value changes nothing at AWS, and the plan says so.
        let planned = resource.plan(Some(&state), config("you")).await.unwrap();
        names(&planned.warnings, &["`owner`", "`ignore_tags`"]);
        let state = resource.apply(planned).await.state.unwrap();
        assert_eq!(fake.state().tags[&case.arn], tags("owner=finance team=a"));
        resource.assert_stable(&state, config("you")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_adopted_whatever_tags_are_ignored() {
    let [bus, rule] = cases();
    let fake = fake();
    let made = with(defaults("team=a"), fake.config());
    made.resource(rule.name)
        .create(rule.config.clone())
        .await
        .unwrap();
    made.resource(bus.name).create(bus.config.clone()).await.unwrap();
    for arn in [&rule.arn, &bus.arn] {
        fake.state()
            .tags
            .entry(arn.clone())
            .or_default()
            .extend(tags("org:cost=7"));
    }
    let harness = with(ignoring(defaults("team=a"), "", "org:"), fake.config());
    harness.resource(rule.name).create(rule.config).await.unwrap();
    let adopt = and(bus.config, json!({ "adopt_existing": true }));
    harness.resource(bus.name).create(adopt).await.unwrap();
    for arn in [&rule.arn, &bus.arn] {
        let mut held = fake.state().tags[arn].clone();
        assert!(
            held.remove(INSTANCE).is_some(),
            "an adoption leaves its tag: {held:?}"
        );
        assert_eq!(held, tags("org:cost=7 team=a"));
    }
}
