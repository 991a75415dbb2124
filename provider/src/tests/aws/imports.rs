//! Import ids that cannot be read, and identities of something else.

use serde_json::json;

use super::{SOURCE, stage};
use crate::tests::snapshot::scenarios;

scenarios![ids_of_another_form_are_refused, what_is_not_there_is_not_imported];

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
        ("scalr_eventbridge_connection", json!({ "id": "a b" })),
        ("scalr_eventbridge_connection", json!({ "id": "prod" })),
        ("scalr_eventbridge_activation", json!({ "connection_id": "a b" })),
        ("scalr_audit_log_setting", json!({ "account_id": "a b" })),
    ] {
        let imported = harness.resource(name).import_by_identity(identity).await;
        assert!(imported.is_err(), "{name}");
    }
}
