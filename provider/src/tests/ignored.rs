//! `lifecycle { ignore_changes }` of attributes that only the provider sets, after drift: the plan has nothing to do, and
//! another change is applied without what is ignored.

use serde_json::{Value as Json, json};
use tfplugin::Path;
use tfplugin::testing::{Harness, State};

use super::and;
use super::aws::fake::Fake as FakeAws;
use super::aws::{GROUP, SOURCE, stage, with};
use super::scalr::fake::Fake as FakeScalr;
use crate::aws::Settings;
use crate::aws::tags::Defaults;
use crate::resources::audit_log_setting::AuditLogSetting;
use crate::resources::eventbridge_activation::Activation;
use crate::resources::eventbridge_bus::Bus;
use crate::resources::eventbridge_connection::Connection;
use crate::resources::eventbridge_queue::Queue;
use crate::resources::eventbridge_rule::Rule;
use crate::resources::eventbridge_target::Target;
use crate::tests::snapshot::scenarios;

scenarios![
    drift_at_aws_is_ignored,
    a_connection_paused_by_hand_is_resumed_all_the_same,
    drift_at_scalr_is_ignored,
    own_tags_are_written_where_all_tags_are_ignored,
];

const BUS: &str = "scalr_eventbridge_bus";
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const QUEUE: &str = "scalr_eventbridge_queue";

/// The provider on a fake AWS, with a default tag.
async fn tagging() -> (FakeAws, Harness) {
    let (fake, _) = stage().await;
    let settings = Settings {
        default_tags: Defaults {
            known: [("cost".to_owned(), "x".to_owned())].into(),
            ..Defaults::default()
        },
        ..Settings::default()
    };
    let harness = with(settings, fake.config());
    (fake, harness)
}

/// Reads the object back and plans its configuration: nothing is to be done. Another change is applied without error, and
/// what is ignored stays as it was read.
async fn check(harness: &Harness, name: &str, state: &State, config: Json, change: Json, ignored: &[Path]) {
    let resource = harness.resource(name);
    let read = resource.read(state).await.unwrap().unwrap();
    assert_ne!(read.json(), state.json(), "{name}: there is no drift");
    let planned = resource.plan_ignoring(&read, config.clone(), ignored).await;
    let planned = planned.unwrap_or_else(|diags| panic!("{name} {ignored:?}: {diags}"));
    assert!(planned.is_empty(), "{name} {ignored:?}: {}", planned.json());

    let changed = and(config, change);
    let planned = resource.plan_ignoring(&read, changed, ignored).await.unwrap();
    assert!(!planned.is_empty(), "{name} {ignored:?}");
    let applied = resource.apply(planned.clone()).await;
    assert!(
        !applied.diags.has_errors(),
        "{name} {ignored:?}: {}",
        applied.diags
    );
    let state = applied.state.unwrap().json();
    for path in ignored.iter().map(ToString::to_string) {
        let pointer = format!("/{}", path.replace('.', "/"));
        assert_eq!(
            state.pointer(&pointer),
            read.json().pointer(&pointer),
            "{name} {path}"
        );
    }
}

type Drift = fn(&FakeAws);

fn lose_tags(fake: &FakeAws) {
    let mut held = fake.state();
    let held = &mut *held;
    let of_queues = held.queues.iter_mut().flat_map(|queues| queues.values_mut());
    let of_queues = of_queues.map(|queue| &mut queue.tags);
    held.tags.values_mut().chain(of_queues).for_each(|tags| {
        tags.remove("cost");
        tags.insert("team".to_owned(), "theirs".to_owned());
    });
}

fn lose_association(fake: &FakeAws) {
    fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
}

fn lose_policy(fake: &FakeAws) {
    fake.state().policies.clear();
}

/// What has drifted: its configuration, a change of it, the drift, and what is ignored.
type Drifted = (&'static str, Json, Json, Drift, Vec<Path>);

fn rule() -> Json {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    json!({ "name": "runs", "event_bus_name": SOURCE, "event_pattern": pattern, "tags": { "team": "ours" } })
}

fn drifted() -> Vec<Drifted> {
    let bus = json!({ "event_source_name": SOURCE, "tags": { "team": "ours" } });
    let group = json!({ "name": GROUP, "create": true });
    let target = json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": group });
    let described = json!({ "description": "Scalr's events" });
    let retried = json!({ "retry_policy": { "maximum_retry_attempts": 3 } });
    let queue = and(
        super::aws::queue::config(json!({})),
        json!({ "tags": { "team": "ours" } }),
    );
    let shorter = json!({ "message_retention_seconds": 60 });
    vec![
        (
            QUEUE,
            queue.clone(),
            shorter.clone(),
            lose_tags,
            vec![Queue::tags().into(), Queue::tags_all().into()],
        ),
        (
            BUS,
            bus.clone(),
            described.clone(),
            lose_tags,
            vec![Bus::tags().into(), Bus::tags_all().into()],
        ),
        (
            BUS,
            bus.clone(),
            described.clone(),
            lose_association,
            vec![Bus::source_state().into()],
        ),
        (
            RULE,
            rule(),
            described.clone(),
            lose_tags,
            vec![Rule::tags().into(), Rule::tags_all().into()],
        ),
        (
            TARGET,
            target.clone(),
            retried.clone(),
            lose_policy,
            vec![Target::log_group().into()],
        ),
        (
            TARGET,
            target.clone(),
            retried.clone(),
            lose_policy,
            vec![Target::log_group().status().into()],
        ),
        (
            TARGET,
            target.clone(),
            retried.clone(),
            lose_tags,
            vec![Target::log_group().into()],
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn drift_at_aws_is_ignored() {
    for (name, config, change, drift, ignored) in drifted() {
        let (fake, harness) = tagging().await;
        fake.state().queues = (name == QUEUE).then(Default::default);
        if name == TARGET {
            harness.resource(RULE).create(rule()).await.unwrap();
        }
        let state = harness.resource(name).create(config.clone()).await.unwrap();
        drift(&fake);
        check(&harness, name, &state, config, change, &ignored).await;
    }
}

/// With all tags ignored a change of the resource's own is still written; the default that drifted is left as it is.
#[tokio::test(start_paused = true)]
async fn own_tags_are_written_where_all_tags_are_ignored() {
    let (fake, harness) = tagging().await;
    let resource = harness.resource(BUS);
    let config = |team: &str| json!({ "event_source_name": SOURCE, "tags": { "team": team } });
    let state = resource.create(config("ours")).await.unwrap();
    fake.state().tags.values_mut().for_each(|tags| {
        tags.insert("cost".to_owned(), "y".to_owned());
    });
    let ignored = [Bus::tags_all().into()];
    let planned = resource
        .plan_ignoring(&state, config("yours"), &ignored)
        .await
        .unwrap();
    let applied = resource.apply(planned).await;
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    let held: Vec<_> = fake.state().tags.values().cloned().collect();
    assert_eq!(json!(held), json!([{ "cost": "y", "team": "yours" }]));
}

async fn connected() -> (FakeScalr, Harness, Json, State) {
    let fake = FakeScalr::start().await;
    let harness = super::unconfigured();
    let settings = json!({ "hostname": fake.url(), "token": "s3cret" });
    harness.configure(settings).await.unwrap();
    let config = json!({ "name": "prod", "aws_account_id": "123456789012", "region": "us-east-1" });
    let connection = harness.resource("scalr_eventbridge_connection");
    let state = connection.create(config.clone()).await.unwrap();
    (fake, harness, config, state)
}

#[tokio::test(start_paused = true)]
async fn a_connection_paused_by_hand_is_resumed_all_the_same() {
    let (fake, harness, config, state) = connected().await;
    let resource = harness.resource("scalr_eventbridge_connection");
    fake.set_status("disabled");
    let read = resource.read(&state).await.unwrap().unwrap();
    let ignored = [Connection::status().into()];
    let planned = resource
        .plan_ignoring(&read, config.clone(), &ignored)
        .await
        .unwrap();
    assert_eq!(planned.json()["enabled"], json!(true));
    let applied = resource.apply(planned).await;
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    assert_eq!(fake.status(), json!("active"));
    let read = resource.read(&applied.state.unwrap()).await.unwrap().unwrap();
    assert_eq!(read.json()["status"], json!("active"));
    let planned = resource.plan_ignoring(&read, config, &ignored).await.unwrap();
    assert!(planned.is_empty(), "{}", planned.json());
}

#[tokio::test(start_paused = true)]
async fn drift_at_scalr_is_ignored() {
    let (fake, harness, _, _) = connected().await;
    let config = json!({ "connection_id": "in-1" });
    let activation = harness.resource("scalr_eventbridge_activation");
    let state = activation.create(config.clone()).await.unwrap();
    fake.set_status("pending");
    let read = activation.read(&state).await.unwrap().unwrap();
    for ignored in [
        vec![Activation::status().into()],
        vec![Activation::status().into(), Activation::error_message().into()],
    ] {
        let planned = activation
            .plan_ignoring(&read, config.clone(), &ignored)
            .await
            .unwrap();
        assert!(planned.is_empty(), "{}", planned.json());
    }

    let setting = harness.resource("scalr_audit_log_setting");
    let state = setting.create(config.clone()).await.unwrap();
    fake.state().audit_logs_to = Some("in-2".to_owned());
    let read = setting.read(&state).await.unwrap().unwrap();
    let ignored = [AuditLogSetting::managed().into()];
    let planned = setting.plan_ignoring(&read, config, &ignored).await.unwrap();
    let applied = setting.apply(planned).await;
    assert!(!applied.diags.has_errors(), "{}", applied.diags);
    assert_eq!(fake.state().audit_logs_to.as_deref(), Some("in-1"));
}
