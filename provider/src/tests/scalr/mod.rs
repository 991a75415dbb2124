//! Scalr's resources through the real calls of the plugin protocol, against a Scalr on loopback that can be made to
//! misbehave in ways no well-meaning server does.

pub(super) mod activation;
pub(super) mod audit_log_setting;
pub(super) mod connection;
pub(super) mod connection_taken;
pub(super) mod fake;
pub(super) mod functions;
pub(super) mod provider;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, UNKNOWN};

use self::fake::Fake;
use super::{and, names};

/// A fake Scalr, and a provider that is configured for it. It has no AWS: what would be asked is this machine's own.
async fn stage() -> (Fake, Harness) {
    let fake = Fake::start().await;
    let harness = super::unconfigured();
    harness.configure(settings(&fake)).await.unwrap();
    (fake, harness)
}

/// The provider's settings for a fake Scalr.
pub(super) fn settings(fake: &Fake) -> Json {
    json!({ "hostname": fake.url(), "token": "s3cret", "aws": UNKNOWN })
}

/// The configuration of a connection, with further attributes.
pub(super) fn connection(more: Json) -> Json {
    and(
        json!({ "name": "prod", "aws_account_id": "123456789012", "region": "us-east-1" }),
        more,
    )
}
