//! Import ids that cannot be read, and identities of something else.

use serde_json::json;

use super::fake::ACCOUNT;
use super::target::{made, with_rule};
use super::{SOURCE, names, on, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    ids_of_another_form_are_refused,
    what_is_not_there_is_not_imported,
    an_import_that_finds_nothing_says_where_it_looked,
    arns_are_import_ids,
];

const BUS: &str = "scalr_eventbridge_bus";
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const QUEUE: &str = "scalr_eventbridge_queue";
const HOOK: &str = "scalr_eventbridge_api_destination";

#[tokio::test(start_paused = true)]
async fn ids_of_another_form_are_refused() {
    let (fake, harness) = stage().await;
    for (name, ids) in [
        ("scalr_eventbridge_bus", &["", "a b", "x@us-east1"][..]),
        ("scalr_eventbridge_rule", &["r", SOURCE]),
        (
            "scalr_eventbridge_target",
            &["r/t", "aws.partner/scalr.com/a/b/r"],
        ),
        (QUEUE, &["a.fifo", "a b", "arn:aws:sns:us-east-1:1:t", "q@mars"]),
        (HOOK, &["a/b", "a b", "arn:aws:events:us-east-1:1:rule/a/b"]),
        ("scalr_eventbridge_connection", &["prod", "in-1/2"]),
        ("scalr_eventbridge_activation", &["prod"]),
        ("scalr_audit_log_setting", &["acme", "in-1"]),
        ("scalr_eventbridge_delivery_check", &["x"]),
    ] {
        for id in ids {
            assert!(harness.resource(name).import(id).await.is_err(), "{name} {id}");
        }
    }
    assert_eq!(fake.state().calls, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_imported() {
    let (_fake, harness) = stage().await;
    for (name, identity) in [
        ("scalr_eventbridge_bus", json!({ "name": "default" })),
        (
            "scalr_eventbridge_bus",
            json!({ "name": SOURCE, "region": "mars" }),
        ),
        (
            "scalr_eventbridge_rule",
            json!({ "event_bus_name": SOURCE, "name": "r", "region": "mars" }),
        ),
        (QUEUE, json!({ "name": "a.fifo" })),
        ("scalr_eventbridge_connection", json!({ "id": "a b" })),
        ("scalr_eventbridge_connection", json!({ "id": "prod" })),
        ("scalr_eventbridge_activation", json!({ "connection_id": "a b" })),
        ("scalr_audit_log_setting", json!({ "account_id": "a b" })),
    ] {
        let imported = harness.resource(name).import_by_identity(identity).await;
        assert!(imported.is_err(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_that_finds_nothing_says_where_it_looked() {
    let (fake, harness) = with_rule().await;
    made(&harness, json!({ "create": true })).await;
    fake.state().queues = Some([].into());
    let account = format!("account {ACCOUNT}");
    for (name, id, region) in [
        (BUS, "aws.partner/scalr.com/acme/nope".to_owned(), "us-east-1"),
        (BUS, format!("{SOURCE}@eu-west-1"), "eu-west-1"),
        (RULE, format!("{SOURCE}/nope"), "us-east-1"),
        (TARGET, format!("{SOURCE}/runs/nope"), "us-east-1"),
        (TARGET, format!("{SOURCE}/nope/nope"), "us-east-1"),
        (QUEUE, "nope@eu-west-1".to_owned(), "eu-west-1"),
        (HOOK, "nope".to_owned(), "us-east-1"),
    ] {
        let missing = harness.resource(name).import(&id).await.unwrap_err();
        names(&missing, &[&account, region]);
    }
    fake.state().targets.clear();
    let id = format!("{SOURCE}/runs/nope");
    names(
        &harness.resource(TARGET).import(&id).await.unwrap_err(),
        &[&account],
    );
    let identity = json!({ "event_bus_name": SOURCE, "name": "nope" });
    let missing = harness.resource(RULE).import_by_identity(identity).await;
    names(&missing.unwrap_err(), &[&account, "`nope`"]);
}

#[tokio::test(start_paused = true)]
async fn arns_are_import_ids() {
    let (fake, harness) = with_rule().await;
    let config = json!({ "event_source_name": SOURCE });
    harness.resource(BUS).create(config).await.unwrap();
    let target = made(&harness, json!({ "create": true })).await;
    let id = target.json()["target_id"].as_str().unwrap().to_owned();
    let arn = |resource: &str| format!("arn:aws:events:us-east-1:{ACCOUNT}:{resource}");
    let rule = arn(&format!("rule/{SOURCE}/runs"));
    let bus = arn(&format!("event-bus/{SOURCE}"));
    for (name, by_arn, by_name) in [
        (BUS, bus.clone(), SOURCE.to_owned()),
        (
            BUS,
            format!("arn:aws:events:us-east-1::event-source/{SOURCE}"),
            SOURCE.to_owned(),
        ),
        (RULE, rule.clone(), format!("{SOURCE}/runs")),
        (TARGET, format!("{rule}/{id}"), format!("{SOURCE}/runs/{id}")),
    ] {
        let resource = harness.resource(name);
        let (one, other) = (resource.import(&by_arn).await, resource.import(&by_name).await);
        assert_eq!(one.unwrap().json(), other.unwrap().json(), "{by_arn}");
    }
    // The same names may be in an account that is not meant.
    fake.state().other_account = Some("210987654321");
    let elsewhere = on(fake.config());
    for (name, id) in [(BUS, bus), (RULE, rule)] {
        let refused = elsewhere.resource(name).import(&id).await.unwrap_err();
        names(&refused, &[ACCOUNT, "210987654321"]);
    }
    for id in [
        "arn:aws:logs:us-east-1:1:log-group:x",
        "arn:aws:events:mars:1:rule/a/b",
    ] {
        harness.resource(RULE).import(id).await.unwrap_err();
    }
}
