//! The provider through the real calls of the plugin protocol, in process, against an AWS and a Scalr that fail where a
//! test asks for it. [`snapshot`] holds every message that comes of it.

pub(crate) mod snapshot;

mod actions;
mod aws;
mod data_sources;
mod delivery_check;
mod empty;
mod ephemeral;
mod examples;
mod ids;
mod ignored;
mod moved;
mod permissions;
mod property;
mod refresh;
mod scalr;
pub(crate) mod tls;
mod walk;

use serde_json::Value as Json;
use tfplugin::Diagnostics;
use tfplugin::testing::Harness;

use crate::client::Client;
use crate::provider::ScalrEventBridge;

/// The provider, its diagnostics kept for the snapshot.
fn unconfigured() -> Harness {
    Harness::new::<ScalrEventBridge>().observed_by(snapshot::keep)
}

/// The provider with a client that leads to the fakes.
fn with_client(client: Client) -> Harness {
    Harness::with_client::<ScalrEventBridge>(client).observed_by(snapshot::keep)
}

/// A configuration with further attributes.
fn and(mut config: Json, more: Json) -> Json {
    if let (Some(config), Json::Object(more)) = (config.as_object_mut(), more) {
        config.extend(more);
    }
    config
}

/// There is a message, it names these, and it does not show the token. Its sentences are the snapshot's.
#[track_caller]
fn names(diags: &Diagnostics, these: &[&str]) {
    let text = diags.to_string();
    assert!(!diags.is_empty(), "there is no message");
    for one in these {
        assert!(text.contains(one), "{one:?} is not in\n{text}");
    }
    assert!(!text.contains("s3cret"), "the token is shown:\n{text}");
}
