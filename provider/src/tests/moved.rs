//! Objects that other providers have managed until now, from their states in `tests/data/moved`.

use serde_json::{Value as Json, json};
use tfplugin::Result;
use tfplugin::testing::{Harness, MovedFrom, State};

use super::aws::fake::{ACCOUNT, Fake, group_arn};
use super::aws::target::with_rule;
use super::aws::{GROUP, SOURCE, beside, on};
use super::scalr::{connection, fake::Fake as FakeScalr, settings};
use super::snapshot::scenarios;
use super::{and, names, unconfigured};

scenarios![
    objects_of_aws_plan_empty,
    a_connection_plans_empty,
    a_log_group_gets_its_permission_and_is_left_to_its_owner,
    what_a_target_says_is_kept,
    what_another_adopted_is_taken_over,
    an_object_that_was_moved_and_never_read_can_be_destroyed,
    what_cannot_be_moved_says_what_to_do,
    what_is_gone_is_planned_as_new,
];

const BUS: &str = "scalr_eventbridge_bus";
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const CONNECTION: &str = "scalr_eventbridge_connection";

/// The files, and what their objects become.
const FILES: [(&str, &str, &str); 10] = [
    (
        "scalr_event_bridge_integration.0",
        CONNECTION,
        include_str!("../../../tests/data/moved/scalr_event_bridge_integration.0.json"),
    ),
    (
        "aws_cloudwatch_event_bus.0",
        BUS,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_bus.0.json"),
    ),
    (
        "aws_cloudwatch_event_bus.0-region",
        BUS,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_bus.0-region.json"),
    ),
    (
        "aws_cloudwatch_event_rule.0",
        RULE,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_rule.0.json"),
    ),
    (
        "aws_cloudwatch_event_rule.1",
        RULE,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_rule.1.json"),
    ),
    (
        "aws_cloudwatch_event_rule.1-region",
        RULE,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_rule.1-region.json"),
    ),
    (
        "aws_cloudwatch_event_target.0",
        TARGET,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_target.0.json"),
    ),
    (
        "aws_cloudwatch_event_target.1",
        TARGET,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_target.1.json"),
    ),
    (
        "aws_cloudwatch_event_target.1-region",
        TARGET,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_target.1-region.json"),
    ),
    (
        "aws_cloudwatch_event_target.1-queue",
        TARGET,
        include_str!("../../../tests/data/moved/aws_cloudwatch_event_target.1-queue.json"),
    ),
];

/// An object of one of the files, its placeholders filled in.
struct Source {
    target: &'static str,
    provider: String,
    type_name: String,
    instance: Json,
}

impl Source {
    fn of(file: &str) -> Self {
        let (_, target, text) = FILES.iter().find(|(name, ..)| *name == file).unwrap();
        let text = text
            .replace("$ACCOUNT", ACCOUNT)
            .replace("$REGION", "us-east-1")
            .replace("$SOURCE", SOURCE)
            .replace("$CONNECTION", "in-1");
        let whole: Json = serde_json::from_str(&text).unwrap();
        let provider = whole["provider"].as_str().unwrap().split('"').nth(1).unwrap();
        Self {
            target,
            provider: provider.to_owned(),
            type_name: whole["type"].as_str().unwrap().to_owned(),
            instance: whole["instances"][0].clone(),
        }
    }

    /// With other attributes.
    fn with(mut self, more: Json) -> Self {
        self.instance["attributes"] = and(self.instance["attributes"].take(), more);
        self
    }

    async fn moved(&self, harness: &Harness) -> Result<State> {
        let from = MovedFrom {
            provider: &self.provider,
            type_name: &self.type_name,
            version: self.instance["schema_version"].as_i64().unwrap(),
            state: &self.instance["attributes"],
            identity: Some(&self.instance["identity"]).filter(|identity| !identity.is_null()),
        };
        harness.resource(self.target).move_from(&from).await
    }

    /// Moved and read, as a plan does.
    async fn read(&self, harness: &Harness) -> State {
        let moved = self.moved(harness).await.unwrap();
        let read = harness.resource(self.target).read(&moved).await.unwrap();
        read.expect("the object is there")
    }
}

fn rule(more: Json) -> Json {
    let pattern =
        json!({ "detail-type": ["RunExecuted"], "source": [{ "prefix": "aws.partner/scalr.com" }] });
    and(
        json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern.to_string() }),
        more,
    )
}

fn target(more: Json) -> Json {
    and(json!({ "rule": "runs", "event_bus_name": SOURCE }), more)
}

fn logs(group: Json) -> Json {
    let group = and(json!({ "name": GROUP }), group);
    target(json!({ "target_id": "logs", "log_group": group }))
}

fn queue() -> Json {
    let arn = |queue: &str| format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}");
    target(json!({
        "target_id": "queue", "arn": arn("runs"),
        "dead_letter_config": { "arn": arn("dead") },
        "retry_policy": { "maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 5 },
        "input_transformer": {
            "input_paths": { "status": "$.detail.event.result" },
            "input_template": "{\"status\": <status>}",
        },
    }))
}

/// Bus, rule and targets are at AWS, made with our own statements for the log group; the provider that sees the moved
/// states has not made them.
async fn at_aws() -> (Fake, Harness) {
    let (fake, harness) = with_rule().await;
    fake.state().make_group(GROUP, std::collections::BTreeMap::new());
    let bus = json!({ "event_source_name": SOURCE, "tags": { "team": "platform" } });
    harness.resource(BUS).create(bus).await.unwrap();
    fake.state().rules.clear();
    harness.resource(RULE).create(rule(json!({}))).await.unwrap();
    for config in [logs(json!({})), queue()] {
        harness.resource(TARGET).create(config).await.unwrap();
    }
    let other = on(fake.config());
    (fake, other)
}

#[tokio::test(start_paused = true)]
async fn objects_of_aws_plan_empty() {
    let (_fake, harness) = at_aws().await;
    let bus = json!({ "event_source_name": SOURCE, "tags": { "team": "platform" } });
    for (file, config) in [
        ("aws_cloudwatch_event_bus.0", bus.clone()),
        ("aws_cloudwatch_event_bus.0-region", bus),
        ("aws_cloudwatch_event_rule.0", rule(json!({}))),
        ("aws_cloudwatch_event_rule.1", rule(json!({}))),
        ("aws_cloudwatch_event_rule.1-region", rule(json!({}))),
        ("aws_cloudwatch_event_target.1", logs(json!({}))),
        ("aws_cloudwatch_event_target.1-region", logs(json!({}))),
        ("aws_cloudwatch_event_target.1-queue", queue()),
    ] {
        let source = Source::of(file);
        let resource = harness.resource(source.target);
        let read = source.read(&harness).await;
        assert!(!read.has_private("moved") && read.has_private("owner"), "{file}");
        assert_eq!(read.json()["region"], "us-east-1", "{file}");
        assert!(!resource.identity(&read).is_null(), "{file}");
        resource.assert_stable(&read, config).await;
    }
}

#[tokio::test]
async fn a_connection_plans_empty() {
    let scalr = FakeScalr::start().await;
    let harness = unconfigured();
    harness.configure(settings(&scalr)).await.unwrap();
    let resource = harness.resource(CONNECTION);
    resource.create(connection(json!({}))).await.unwrap();
    let read = Source::of("scalr_event_bridge_integration.0")
        .read(&harness)
        .await;
    assert_eq!(read.json()["status"], "pending");
    resource.assert_stable(&read, connection(json!({}))).await;
    // Paused in the console: the plan says so.
    scalr.set_status("disabled");
    let read = Source::of("scalr_event_bridge_integration.0")
        .read(&harness)
        .await;
    assert_eq!(read.json()["enabled"], false);
}

/// Nobody here has made the group, and what lets EventBridge in is the account's policy: the target gets its own statements.
#[tokio::test(start_paused = true)]
async fn a_log_group_gets_its_permission_and_is_left_to_its_owner() {
    let (fake, harness) = at_aws().await;
    fake.state().policies.clear();
    let read = Source::of("aws_cloudwatch_event_target.1").read(&harness).await;
    assert_eq!(read.json()["log_group"]["status"], "policy missing");
    let resource = harness.resource(TARGET);
    let planned = resource.plan(Some(&read), logs(json!({}))).await.unwrap();
    assert!(planned.replaces().is_empty() && !planned.is_empty());
    let state = resource.apply(planned).await.state.unwrap();
    assert!(fake.state().policies.contains_key(&group_arn(GROUP)));
    resource.assert_stable(&state, logs(json!({}))).await;

    // A configuration that would have it made here is refused, with the tag that gives it over.
    let refused = resource.plan(Some(&state), logs(json!({ "create": true }))).await;
    names(&refused.unwrap_err(), &[GROUP, "scalr-eventbridge:owner"]);
    resource.destroy(&state).await.unwrap();
    assert!(fake.state().groups.contains_key(GROUP), "the group is gone");
}

/// Before the first look, so that a plan without one (`-refresh=false`) compares with what was there.
#[tokio::test(start_paused = true)]
async fn what_a_target_says_is_kept() {
    let (_fake, harness) = at_aws().await;
    let moved = Source::of("aws_cloudwatch_event_target.1-queue")
        .moved(&harness)
        .await
        .unwrap();
    let state = moved.json();
    for (name, value) in queue().as_object().unwrap() {
        assert_eq!(state[name], *value, "{name}");
    }
    assert_eq!(
        (&state["region"], &state["log_group"]),
        (&json!("us-east-1"), &json!(null))
    );
    let planned = harness
        .resource(TARGET)
        .plan(Some(&moved), queue())
        .await
        .unwrap();
    assert!(planned.is_empty(), "{}", planned.json());

    let at_default = Source::of("aws_cloudwatch_event_target.0")
        .moved(&harness)
        .await
        .unwrap();
    assert_eq!(at_default.json()["event_bus_name"], "default");
    let bus = format!("arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/{SOURCE}");
    let destination = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/other");
    let by_arn = Source::of("aws_cloudwatch_event_target.1")
        .with(json!({ "event_bus_name": bus, "arn": destination }));
    let state = by_arn.moved(&harness).await.unwrap().json();
    assert_eq!(
        (&state["event_bus_name"], &state["region"], &state["log_group"]),
        (&json!(SOURCE), &json!("eu-west-1"), &json!(null))
    );
}

const INSTANCE: &str = "scalr-eventbridge:instance";

#[tokio::test(start_paused = true)]
async fn what_another_adopted_is_taken_over() {
    let (fake, harness) = at_aws().await;
    for tags in fake.state().tags.values_mut() {
        tags.insert(INSTANCE.to_owned(), "theirs".to_owned());
        tags.insert("scalr-eventbridge:target/queue".to_owned(), "theirs".to_owned());
    }
    for targets in fake.state().targets.values_mut() {
        targets.retain(|target| target["Id"] == "queue");
    }
    let bus = json!({ "event_source_name": SOURCE, "tags": { "team": "platform" } });
    // hashicorp/aws shows the tag as any other.
    let shown = |tags: Json| json!({ "tags_all": and(tags, json!({ INSTANCE: "theirs" })) });
    for (source, config) in [
        (Source::of("aws_cloudwatch_event_target.1-queue"), queue()),
        (
            Source::of("aws_cloudwatch_event_rule.1").with(shown(json!({}))),
            rule(json!({})),
        ),
        (
            Source::of("aws_cloudwatch_event_bus.0").with(shown(json!({ "team": "platform" }))),
            bus,
        ),
    ] {
        let resource = harness.resource(source.target);
        let read = source.read(&harness).await;
        resource.assert_stable(&read, config).await;
        resource.destroy(&read).await.unwrap();
    }
    let held = fake.state();
    assert!(held.rules.is_empty() && held.buses.is_empty(), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_moved_and_never_read_can_be_destroyed() {
    let (fake, harness) = at_aws().await;
    for tags in fake.state().tags.values_mut() {
        tags.insert(INSTANCE.to_owned(), "theirs".to_owned());
    }
    fake.state().targets.clear();
    let moved = Source::of("aws_cloudwatch_event_rule.1")
        .moved(&harness)
        .await
        .unwrap();
    harness.resource(RULE).destroy(&moved).await.unwrap();
    assert!(fake.state().rules.is_empty());
}

/// A state's file, what is changed in it, and what the refusal names.
type Refusal = (&'static str, Json, &'static [&'static str]);

/// States of buses and connections that are of no use here.
fn refused_buses_and_connections() -> Vec<Refusal> {
    let other_account = format!("arn:aws:events:us-east-1:210987654321:event-bus/{SOURCE}");
    vec![
        (
            "aws_cloudwatch_event_bus.0",
            json!({ "name": "default", "event_source_name": "" }),
            &["`default`", "`aws_cloudwatch_event_bus`"],
        ),
        (
            "aws_cloudwatch_event_bus.0",
            json!({ "name": "mine" }),
            &["`mine`"],
        ),
        (
            "aws_cloudwatch_event_bus.0",
            json!({ "name": null }),
            &["`name`", "`removed`", "`import`"],
        ),
        (
            "aws_cloudwatch_event_bus.0",
            json!({ "event_source_name": "aws.partner/scalr.com/acme/other" }),
            &["`event_source_name`", "acme/other"],
        ),
        (
            "aws_cloudwatch_event_bus.0-region",
            json!({ "region": "eu-west-1" }),
            &["`eu-west-1`", "`us-east-1`"],
        ),
        (
            "aws_cloudwatch_event_bus.0-region",
            json!({ "arn": other_account }),
            &["`210987654321`", ACCOUNT],
        ),
        (
            "scalr_event_bridge_integration.0",
            json!({ "id": "ws-1" }),
            &["`ws-1`"],
        ),
        (
            "scalr_event_bridge_integration.0",
            json!({ "region": "eu-west-1" }),
            &["`eu-west-1`", "`event_source_arn`"],
        ),
        (
            "scalr_event_bridge_integration.0",
            json!({ "event_source_name": "aws.partner/scalr.com/acme/other" }),
            &["acme/other"],
        ),
    ]
}

/// States of rules and targets that are of no use here.
fn refused_rules_and_targets() -> Vec<Refusal> {
    let elsewhere = format!("arn:aws:events:eu-west-1:{ACCOUNT}:rule/{SOURCE}/runs");
    vec![
        (
            "aws_cloudwatch_event_rule.1-region",
            json!({ "arn": elsewhere }),
            &["`eu-west-1`", "`region`"],
        ),
        (
            "aws_cloudwatch_event_rule.1-region",
            json!({ "name": "other" }),
            &["`other`", "identity"],
        ),
        (
            "aws_cloudwatch_event_rule.1",
            json!({ "event_pattern": "" }),
            &["`event_pattern`"],
        ),
        (
            "aws_cloudwatch_event_rule.1",
            json!({ "schedule_expression": "rate(1 hour)" }),
            &["`rate(1 hour)`", "`scalr_eventbridge_target`"],
        ),
        (
            "aws_cloudwatch_event_rule.1",
            json!({ "state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" }),
            &["CLOUDTRAIL"],
        ),
        (
            "aws_cloudwatch_event_target.1",
            json!({ "ecs_target": [{ "task_count": 1 }] }),
            &["`ecs_target`", "`scalr_eventbridge_rule`"],
        ),
        ("aws_cloudwatch_event_target.1", json!({ "arn": "" }), &["`arn`"]),
        (
            "aws_cloudwatch_event_target.1-region",
            json!({ "target_id": "other" }),
            &["`other`", "`logs`"],
        ),
        (
            "aws_cloudwatch_event_target.1-region",
            json!({ "region": "eu-west-1" }),
            &["`eu-west-1`", "identity"],
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_moved_says_what_to_do() {
    let (fake, harness) = at_aws().await;
    let mut all = refused_buses_and_connections();
    all.extend(refused_rules_and_targets());
    for (file, change, named) in all {
        let refused = Source::of(file).with(change).moved(&harness).await.unwrap_err();
        names(&refused, named);
        names(&refused, &["Nothing was changed"]);
    }
    let mut newer = Source::of("aws_cloudwatch_event_rule.1");
    newer.instance["schema_version"] = json!(2);
    names(
        &newer.moved(&harness).await.unwrap_err(),
        &["version 2", "`removed`"],
    );
    let mut forked = Source::of("aws_cloudwatch_event_rule.1");
    forked.provider = "registry.terraform.io/example/aws".to_owned();
    names(
        &forked.moved(&harness).await.unwrap_err(),
        &["example/aws", "`hashicorp/aws`"],
    );
    let mut stranger = Source::of("aws_cloudwatch_event_rule.1");
    stranger.target = TARGET;
    names(
        &stranger.moved(&harness).await.unwrap_err(),
        &["`aws_cloudwatch_event_target`"],
    );

    // The state of version 5 does not say the region, and the provider looks in another.
    fake.state().targets.clear();
    let destination = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/other");
    let nowhere = Source::of("aws_cloudwatch_event_target.1").with(json!({ "arn": destination }));
    let moved = nowhere.moved(&harness).await.unwrap();
    let refused = harness.resource(TARGET).read(&moved).await.unwrap_err();
    names(&refused, &["us-east-1", &format!("{SOURCE}/runs/logs@REGION")]);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_planned_as_new() {
    let (fake, _harness) = at_aws().await;
    {
        let mut held = fake.state();
        held.targets.clear();
        held.rules.clear();
        held.buses.clear();
        held.policies.clear();
    }
    let harness = beside(fake.config(), None);
    for file in [
        "aws_cloudwatch_event_bus.0",
        "aws_cloudwatch_event_rule.1-region",
        "aws_cloudwatch_event_target.1",
    ] {
        let source = Source::of(file);
        let moved = source.moved(&harness).await.unwrap();
        let read = harness.resource(source.target).read(&moved).await.unwrap();
        assert!(read.is_none(), "{file}");
    }
}
