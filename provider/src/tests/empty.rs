//! Every empty form of every attribute: it is refused before anything is made, or an apply with it leaves nothing to do,
//! whether AWS shows what is empty or leaves it out.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use tfplugin::testing::Harness;

use super::aws::fake::Fake;
use super::aws::{GROUP, SOURCE, beside};
use super::scalr::connection;
use super::scalr::fake::Fake as FakeScalr;
use super::snapshot::scenarios;

scenarios![every_empty_form_is_refused_or_stable];

/// The attributes that may be empty. In each configuration below all others are refused.
const MAY_BE_EMPTY: [&str; 22] = [
    "scalr_eventbridge_api_destination.header_parameters",
    "scalr_eventbridge_api_destination.oauth.body_parameters",
    "scalr_eventbridge_bus.description",
    "scalr_eventbridge_bus.kms_key_identifier",
    "scalr_eventbridge_bus.tags",
    "scalr_eventbridge_custom_bus.description",
    "scalr_eventbridge_custom_bus.kms_key_identifier",
    "scalr_eventbridge_custom_bus.tags",
    "scalr_eventbridge_delivery_check.triggers",
    "scalr_eventbridge_event_source.description",
    "scalr_eventbridge_event_source.kms_key_identifier",
    "scalr_eventbridge_event_source.tags",
    "scalr_eventbridge_queue.tags",
    "scalr_eventbridge_rule.description",
    "scalr_eventbridge_rule.tags",
    "scalr_eventbridge_subscriber.batch",
    "scalr_eventbridge_subscriber.description",
    "scalr_eventbridge_subscriber.filter",
    "scalr_eventbridge_subscriber.retry",
    "scalr_eventbridge_subscriber.tags",
    "scalr_eventbridge_target.input_transformer.input_paths",
    "scalr_eventbridge_target.retry_policy",
];

/// Configurations that have between them each nested attribute.
fn configurations() -> Vec<(&'static str, Json)> {
    let pattern = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }).to_string();
    let queue = "arn:aws:sqs:us-east-1:123456789012:q";
    let dead = json!({ "arn": "arn:aws:sqs:us-east-1:123456789012:dead" });
    let rule = json!({ "name": "more", "event_bus_name": SOURCE, "event_pattern": pattern });
    let by_arn = json!({ "rule": "runs", "event_bus_name": SOURCE, "arn": queue });
    let with = |base: &Json, more: Json| super::and(base.clone(), more);
    vec![
        ("scalr_audit_log_setting", json!({ "connection_id": "in-1" })),
        ("scalr_eventbridge_activation", json!({ "connection_id": "in-1" })),
        ("scalr_eventbridge_connection", connection(json!({}))),
        (
            "scalr_eventbridge_delivery_check",
            json!({ "workspace_id": "ws-1", "log_group": GROUP }),
        ),
        (
            "scalr_eventbridge_api_destination",
            super::aws::api_destination::config(json!({})),
        ),
        (
            "scalr_eventbridge_api_destination",
            super::aws::api_destination::of_kind("basic"),
        ),
        (
            "scalr_eventbridge_api_destination",
            super::aws::api_destination::of_kind("oauth"),
        ),
        ("scalr_eventbridge_bus", json!({ "event_source_name": SOURCE })),
        (
            "scalr_eventbridge_bus",
            json!({ "event_source_name": SOURCE, "dead_letter_config": dead, "log_config": { "level": "OFF" } }),
        ),
        (
            "scalr_eventbridge_custom_bus",
            super::aws::custom_bus::config(json!({})),
        ),
        (
            "scalr_eventbridge_event_source",
            super::aws::event_source::config(json!({})),
        ),
        (
            "scalr_eventbridge_subscriber",
            super::aws::subscriber::config(json!({ "transformer": { "type": "WITH_METADATA" } })),
        ),
        (
            "scalr_eventbridge_subscriber",
            super::aws::subscriber_group::config(json!({})),
        ),
        ("scalr_eventbridge_queue", super::aws::queue::config(json!({}))),
        (
            "scalr_eventbridge_topic_permission",
            super::aws::topic_permission::config(json!({})),
        ),
        ("scalr_eventbridge_rule", rule.clone()),
        (
            "scalr_eventbridge_rule",
            with(&rule, json!({ "name": null, "name_prefix": "more-" })),
        ),
        ("scalr_eventbridge_target", by_arn.clone()),
        (
            "scalr_eventbridge_target",
            with(
                &by_arn,
                json!({ "input_transformer": { "input_template": "\"done\"" }, "dead_letter_config": dead, "retry_policy": {} }),
            ),
        ),
        (
            "scalr_eventbridge_target",
            json!({ "rule": "runs", "event_bus_name": SOURCE, "log_group": { "name": GROUP, "create": true } }),
        ),
    ]
}

/// The empty form of an attribute's type; none of numbers and truth values.
fn empty_of(attribute: &Json) -> Option<Json> {
    match (&attribute["type"], attribute["nesting"].as_str()) {
        (Json::Null, Some("SINGLE" | "MAP")) => Some(json!({})),
        (Json::Null, _) => Some(json!([])),
        (Json::String(text), _) => (text == "string").then(|| json!("")),
        (collection, _) if collection[0] == "map" => Some(json!({})),
        _ => Some(json!([])),
    }
}

/// The configuration with each attribute in turn in its empty form, at the top and inside the objects that are there.
fn emptied(config: &Json, attributes: &Json) -> Vec<(String, Json)> {
    let mut all = Vec::new();
    for (name, attribute) in attributes.as_object().unwrap() {
        let settable = |flag: &Json| flag == "required" || flag == "optional";
        if !attribute["is"].as_array().unwrap().iter().any(settable) {
            continue;
        }
        let with = |value: Json| {
            let mut config = config.clone();
            config[name] = value;
            config
        };
        all.extend(empty_of(attribute).map(|empty| (name.clone(), with(empty))));
        if config[name].is_object() && attribute["attributes"].is_object() {
            let inside = emptied(&config[name], &attribute["attributes"]);
            all.extend(
                inside
                    .into_iter()
                    .map(|(inner, value)| (format!("{name}.{inner}"), with(value))),
            );
        }
    }
    all
}

/// Both sides' fakes, with a connection and a rule, and an event for the delivery check.
async fn whole(drops_empty: bool) -> (Fake, FakeScalr, Harness) {
    let (aws, scalr) = (Fake::new(), FakeScalr::start().await);
    {
        let mut held = aws.state();
        held.drops_empty = drops_empty;
        held.queues = Some([].into());
        held.sources.insert(SOURCE.to_owned(), "PENDING");
        let event = json!({ "id": "e-1", "detail": { "event": { "run-id": "run-1" } } });
        held.log_events.push(event.to_string());
        let rule = (SOURCE.to_owned(), "runs".to_owned());
        let arn = format!("arn:aws:events:us-east-1:123456789012:rule/{SOURCE}/runs");
        held.rules.insert(rule, json!({ "Name": "runs", "Arn": arn }));
    }
    let harness = beside(aws.config(), Some(&scalr.url()));
    let connections = harness.resource("scalr_eventbridge_connection");
    connections.create(connection(json!({}))).await.unwrap();
    (aws, scalr, harness)
}

/// Whether the configuration is refused; else it is applied, and nothing may be left to do.
async fn is_refused(name: &str, config: Json, drops_empty: bool) -> bool {
    let (aws, _scalr, harness) = whole(drops_empty).await;
    if name == "scalr_eventbridge_delivery_check" {
        aws.state().make_group(GROUP, std::collections::BTreeMap::new());
    }
    let resource = harness.resource(name);
    if resource.validate(config.clone()).await.is_err() {
        return true;
    }
    let state = resource.create(config.clone()).await;
    let state = state.unwrap_or_else(|diags| panic!("{name} {config}: {diags}"));
    resource.assert_stable(&state, config).await;
    false
}

#[tokio::test(start_paused = true)]
async fn every_empty_form_is_refused_or_stable() {
    let (_, _, harness) = whole(false).await;
    let schema = harness.schema().await;
    let mut stable = BTreeSet::new();
    for (name, config) in configurations() {
        let attributes = &schema["resources"][name]["attributes"];
        for (path, config) in emptied(&config, attributes) {
            for drops_empty in [false, true] {
                if !is_refused(name, config.clone(), drops_empty).await {
                    stable.insert(format!("{name}.{path}"));
                }
            }
        }
    }
    assert_eq!(stable, MAY_BE_EMPTY.iter().map(ToString::to_string).collect());
}
