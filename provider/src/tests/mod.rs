//! The provider through the real calls of the plugin protocol, in process, against an AWS and a Scalr that fail where a
//! test asks for it. [`snapshot`] holds every message that comes of it.

pub(crate) mod snapshot;

mod aws;
mod delivery_check;
mod scalr;

use serde_json::Value as Json;
use tfplugin::testing::Harness;
use tfplugin::{Diagnostics, Provider};

/// A provider under test, its diagnostics kept for the snapshot.
fn under_test<P: Provider>() -> Harness {
    tfplugin::testing::observe(snapshot::keep);
    Harness::new::<P>()
}

/// A configuration with further attributes.
fn and(mut config: Json, more: Json) -> Json {
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
