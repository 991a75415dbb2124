//! The provider's configuration.

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use super::fake::Fake;
use super::{connection, says};
use crate::provider::ScalrEventBridge;

const NAME: &str = "scalr_eventbridge_connection";

/// A setting that is unknown fails no plan; the call that needs it names it.
#[tokio::test]
async fn unknown_settings_wait_until_they_are_needed() {
    let fake = Fake::start().await;
    for (config, setting) in [
        (json!({ "hostname": UNKNOWN, "token": "s3cret" }), "`hostname`"),
        (json!({ "hostname": fake.url(), "token": UNKNOWN }), "`token`"),
    ] {
        let harness = Harness::new::<ScalrEventBridge>();
        harness.configure(config).await.unwrap();
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, connection(json!({}))).await.unwrap();
        says(
            &resource.apply(planned).await.diags,
            &[setting, "is not known yet"],
        );
    }
    // What is unknown of AWS is in nobody's way on Scalr's side.
    for aws in [
        json!(UNKNOWN),
        json!({ "region": UNKNOWN }),
        json!({ "default_tags": { "tags": UNKNOWN } }),
    ] {
        let harness = Harness::new::<ScalrEventBridge>();
        harness
            .configure(json!({ "hostname": fake.url(), "token": "s3cret", "aws": aws }))
            .await
            .unwrap();
        harness
            .resource(NAME)
            .plan(None, connection(json!({})))
            .await
            .unwrap();
        let bus = json!({ "event_source_name": "aws.partner/scalr.com/acme/prod" });
        let bus = harness
            .resource("scalr_eventbridge_bus")
            .create(bus)
            .await
            .unwrap_err();
        says(&bus, &["The provider's `aws", "is not known yet"]);
    }
}

async fn check(config: Json, part: &str) {
    let refused = Harness::new::<ScalrEventBridge>()
        .configure(config)
        .await
        .unwrap_err();
    says(&refused, &[part]);
}

#[tokio::test]
async fn bad_settings_are_refused() {
    let settings = |aws: Json| json!({ "hostname": "acme.scalr.io", "token": "s3cret", "aws": aws });
    check(
        json!({ "hostname": "acme/x", "token": "s3cret" }),
        "it has a path or a query",
    )
    .await;
    check(
        json!({ "hostname": "acme.scalr.io", "token": "s3 cret" }),
        "white space",
    )
    .await;
    check(
        json!({ "hostname": "acme.scalr.io", "token": "s3cret", "account_id": "acme" }),
        "`acc-`",
    )
    .await;
    check(settings(json!({ "region": "us-east-1a" })), "availability zone").await;
    check(
        settings(json!({ "assume_role": { "role_arn": "me" } })),
        "ARN of a role",
    )
    .await;
    check(settings(json!({ "max_retries": 101 })), "from 0 to 100").await;
    check(
        settings(json!({ "endpoints": { "logs": "localhost" } })),
        "`https://` or `http://`",
    )
    .await;
}
