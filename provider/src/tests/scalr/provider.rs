//! The provider's configuration.

use serde_json::{Value as Json, json};
use tfplugin::testing::UNKNOWN;
use tokio::io::AsyncWriteExt as _;

use super::super::unconfigured;
use super::fake::Fake;
use super::{connection, names};
use crate::tests::snapshot::scenarios;

scenarios![
    unknown_settings_wait_until_they_are_needed,
    bad_settings_are_refused,
    default_tags_may_be_null,
    a_server_without_tls_is_recognised,
    a_connection_is_looked_up_in_one_way,
];

const NAME: &str = "scalr_eventbridge_connection";

/// A setting that is unknown fails no plan; the call that needs it names it.
#[tokio::test]
async fn unknown_settings_wait_until_they_are_needed() {
    let fake = Fake::start().await;
    for (config, setting) in [
        (json!({ "hostname": UNKNOWN, "token": "s3cret" }), "`hostname`"),
        (json!({ "hostname": fake.url(), "token": UNKNOWN }), "`token`"),
    ] {
        let harness = unconfigured();
        harness.configure(config).await.unwrap();
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, connection(json!({}))).await.unwrap();
        names(&resource.apply(planned).await.diags, &[setting]);
    }
    // What is unknown of AWS is in nobody's way on Scalr's side.
    for aws in [
        json!(UNKNOWN),
        json!({ "region": UNKNOWN }),
        json!({ "profile": UNKNOWN }),
    ] {
        let harness = unconfigured();
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
        names(&bus, &["`aws"]);
    }
}

async fn check(config: Json, part: &str) {
    let refused = unconfigured().configure(config).await.unwrap_err();
    names(&refused, &[part]);
}

#[tokio::test]
async fn bad_settings_are_refused() {
    let settings = |aws: Json| json!({ "hostname": "acme.scalr.io", "token": "s3cret", "aws": aws });
    check(json!({ "hostname": "acme/x", "token": "s3cret" }), "`hostname`").await;
    check(
        json!({ "hostname": "acme.scalr.io", "token": "s3 cret" }),
        "`token`",
    )
    .await;
    check(
        json!({ "hostname": "acme.scalr.io", "token": "s3cret", "account_id": "acme" }),
        "`account_id`",
    )
    .await;
    check(settings(json!({ "region": "us-east-1a" })), "`aws.region`").await;
    check(
        settings(json!({ "assume_role": { "role_arn": "me" } })),
        "`aws.assume_role.role_arn`",
    )
    .await;
    for aws in [json!({ "max_retries": 101 }), json!({ "max_retries": 1.5 })] {
        check(settings(aws), "`aws.max_retries`").await;
    }
    let role = |more: (&str, &str)| json!({ "assume_role": { "role_arn": "arn:aws:iam::123456789012:role/r", more.0: more.1 } });
    for (aws, part) in [
        (role(("session_name", "a b")), "`aws.assume_role.session_name`"),
        (role(("external_id", "x")), "`aws.assume_role.external_id`"),
        (
            json!({ "assume_role": { "role_arn": null } }),
            "`aws.assume_role.role_arn`",
        ),
        (
            json!({ "allowed_account_ids": ["prod"] }),
            "`aws.allowed_account_ids`",
        ),
        (
            json!({ "default_tags": { "tags": { "aws:x": "1" } } }),
            "`aws.default_tags.tags`",
        ),
    ] {
        check(settings(aws), part).await;
    }
    check(
        settings(json!({ "endpoints": { "logs": "localhost" } })),
        "`aws.endpoints.logs`",
    )
    .await;
    check(
        settings(json!({ "endpoints": { "sts": "https://me:secret@sts" } })),
        "`aws.endpoints.sts`",
    )
    .await;
}

/// A null tag is ignored, and one that is unknown is waited for.
#[tokio::test]
async fn default_tags_may_be_null() {
    let rule = json!({ "name": "r", "event_bus_name": "b", "event_pattern": "{\"source\": [\"x\"]}" });
    for (tags, want) in [
        (json!({ "a": "1", "n": null }), json!({ "a": "1" })),
        (json!({ "a": UNKNOWN }), json!(UNKNOWN)),
        (json!(UNKNOWN), json!(UNKNOWN)),
    ] {
        let harness = unconfigured();
        let aws = json!({ "region": "us-east-1", "default_tags": { "tags": tags } });
        let config = json!({ "hostname": "acme.scalr.io", "token": "s3cret", "aws": aws });
        harness.configure(config).await.unwrap();
        let planned = harness
            .resource("scalr_eventbridge_rule")
            .plan(None, rule.clone())
            .await
            .unwrap();
        assert_eq!(planned.json()["tags_all"], want);
        assert_eq!(planned.json()["region"], "us-east-1");
    }
}

/// `https` is meant where no scheme is written.
#[tokio::test]
async fn a_server_without_tls_is_recognised() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let plain = tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let harness = unconfigured();
    let url = format!("http://{host}");
    harness
        .configure(json!({ "hostname": host, "token": "s3cret" }))
        .await
        .unwrap();
    let refused = harness
        .resource(NAME)
        .create(connection(json!({})))
        .await
        .unwrap_err();
    names(&refused, &[&format!("`{url}`")]);
    plain.abort();
}

/// One way of looking a connection up; what is unknown may turn out to be null.
#[tokio::test]
async fn a_connection_is_looked_up_in_one_way() {
    let (fake, harness) = super::stage().await;
    let account = "123456789012";
    for (config, refused) in [
        (json!({}), true),
        (json!({ "id": "in-1", "name": "prod" }), true),
        (json!({ "aws_account_id": account }), true),
        (json!({ "region": "us-east-1", "name": UNKNOWN }), true),
        (json!({ "id": "in-1", "name": UNKNOWN, "region": UNKNOWN }), false),
        (json!({ "id": UNKNOWN, "name": UNKNOWN }), false),
        (
            json!({ "aws_account_id": account, "region": UNKNOWN, "id": UNKNOWN }),
            false,
        ),
        (json!({ "name": "prod" }), false),
    ] {
        let shown = config.to_string();
        let calls = fake.count("GET");
        let read = harness.data_source("scalr_eventbridge_connection", config).await;
        assert!(read.is_err(), "{shown}: the fake has no connection");
        assert_eq!(fake.count("GET") == calls, refused, "{shown}");
    }
}
