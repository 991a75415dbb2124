//! The AWS-side resources through the real calls of the plugin protocol, against an AWS in memory that goes wrong at any
//! call that a test names.

pub(super) mod api_destination;
pub(super) mod between_kinds;
pub(super) mod bus;
pub(super) mod custom_bus;
pub(super) mod custom_bus_taken;
pub(super) mod event_source;
pub(super) mod fake;
pub(super) mod fake_custom;
pub(super) mod fake_http;
pub(super) mod fake_iam;
pub(super) mod fake_sns;
pub(super) mod fake_sqs;
pub(super) mod fake_subscribers;
pub(super) mod handover;
pub(super) mod imports;
pub(super) mod incomplete;
pub(super) mod lists;
pub(super) mod log_group;
pub(super) mod names;
pub(super) mod passed_on;
pub(super) mod planned_group;
pub(super) mod plans;
pub(super) mod queue;
pub(super) mod routes;
pub(super) mod rule;
pub(super) mod secrets;
pub(super) mod settings;
pub(super) mod source;
pub(super) mod subscriber;
pub(super) mod subscriber_group;
pub(super) mod subscriber_role;
pub(super) mod subscriber_role_bounds;
pub(super) mod subscriber_settings;
pub(super) mod target;
pub(super) mod topic_permission;

use aws_config::SdkConfig;
use scalr_api::Token;
use serde_json::json;
use tfplugin::testing::Harness;

use self::fake::Fake;
use super::{and, names};
use crate::aws::{Aws, Endpoints, Settings};
use crate::client::Client;
use crate::provider::ScalrEventBridge;
use crate::scalr::Scalr;
use crate::setting::NotKnownYet;
use crate::shared_read::Writes;

pub(super) const SOURCE: &str = "aws.partner/scalr.com/acme/prod";
pub(super) const GROUP: &str = "/scalr/runs";

fn scalr(url: &str) -> Scalr {
    let token = Token::new("s3cret").unwrap();
    let settings = scalr_api::Settings::new(url.parse().unwrap(), token, "test");
    let origin = "`token` in the provider's configuration".to_owned();
    Scalr::new(settings, origin, &Writes::default())
}

/// A fake AWS with a source that waits for its bus, and a provider that is configured for it.
pub(super) async fn stage() -> (Fake, Harness) {
    let fake = Fake::new();
    fake.state().sources.insert(SOURCE.to_owned(), "PENDING");
    let harness = on(fake.config());
    (fake, harness)
}

/// Has the account hold the bus, and these rules on it, as another state made them.
pub(super) fn hold(fake: &Fake, rules: &[&str]) {
    let arn = |what: &str| format!("arn:aws:events:us-east-1:{}:{what}", fake::ACCOUNT);
    let mut held = fake.state();
    let bus = json!({ "Name": SOURCE, "Arn": arn(&format!("event-bus/{SOURCE}")) });
    held.buses.insert(SOURCE.to_owned(), bus);
    for name in rules {
        let rule = json!({ "Name": name, "Arn": arn(&format!("rule/{SOURCE}/{name}")), "State": "ENABLED" });
        held.rules.insert((SOURCE.to_owned(), (*name).to_owned()), rule);
    }
}

/// Settings with an endpoint of EventBridge's own.
pub(super) fn events_elsewhere() -> Settings {
    Settings {
        endpoints: Endpoints {
            events: Some("http://127.0.0.1:4566".to_owned()),
            ..Endpoints::default()
        },
        ..Settings::default()
    }
}

/// The provider on a fake AWS, with settings of its own.
pub(super) fn with(settings: Settings, config: SdkConfig) -> Harness {
    let scalr = Err(NotKnownYet(ScalrEventBridge::token().into()));
    super::with_client(Client::new(scalr, Ok(Aws::with(settings, config)), Ok(None)))
}

/// The provider on a fake AWS.
pub(super) fn on(config: SdkConfig) -> Harness {
    beside(config, None)
}

/// The provider on a fake AWS and, perhaps, a fake Scalr.
pub(super) fn beside(config: SdkConfig, url: Option<&str>) -> Harness {
    let aws = Aws::with(Settings::default(), config);
    let scalr = url
        .map(scalr)
        .ok_or_else(|| NotKnownYet(ScalrEventBridge::token().into()));
    super::with_client(Client::new(scalr, Ok(aws), Ok(None)))
}
