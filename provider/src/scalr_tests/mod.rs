//! Scalr's resources through the real calls of the plugin protocol, against a Scalr on loopback that can be made to
//! misbehave in ways no well-meaning server does.

mod activation;
mod audit_log_setting;
mod connection;
mod fake;
mod provider;

use serde_json::{Value as Json, json};
use tfplugin::Diagnostics;
use tfplugin::testing::Harness;

use self::fake::Fake;
use crate::provider::ScalrEventBridge;

/// A fake Scalr, and a provider that is configured for it.
async fn stage() -> (Fake, Harness) {
    let fake = Fake::start().await;
    let harness = Harness::new::<ScalrEventBridge>();
    harness
        .configure(json!({ "hostname": fake.url(), "token": "s3cret" }))
        .await
        .unwrap();
    (fake, harness)
}

/// The configuration of a connection, with further attributes.
fn connection(more: Json) -> Json {
    let mut config = json!({ "name": "prod", "aws_account_id": "123456789012", "region": "us-east-1" });
    if let (Some(config), Json::Object(more)) = (config.as_object_mut(), more) {
        config.extend(more);
    }
    config
}

#[track_caller]
fn says(diags: &Diagnostics, parts: &[&str]) {
    let text = diags.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains("s3cret"), "the token is shown:\n{text}");
}
