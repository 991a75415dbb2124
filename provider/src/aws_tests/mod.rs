//! The AWS-side resources through the real calls of the plugin protocol, against an AWS in memory that goes wrong at any
//! call that a test names.

mod bus;
mod fake;
mod plans;
mod rule;
mod target;

use std::sync::Mutex;

use aws_config::SdkConfig;
use serde_json::{Value as Json, json};
use tfplugin::testing::Harness;
use tfplugin::{Attrs, ConfigureCx, Diagnostics, Provider, Registry, Result};

use self::fake::Fake;
use crate::aws::{Aws, Settings};
use crate::client::{Client, NotKnownYet};
use crate::resources;

const SOURCE: &str = "aws.partner/scalr.com/acme/prod";
const GROUP: &str = "/scalr/runs";

/// The provider's resources on an AWS that the test holds.
#[derive(Attrs, Clone, Debug)]
struct OnFake {
    /// Which of [`CONFIGS`].
    #[tf(required)]
    config: i64,
}

/// A provider's configuration is made of values; what leads to the fakes lies here.
static CONFIGS: Mutex<Vec<SdkConfig>> = Mutex::new(Vec::new());

impl Provider for OnFake {
    const NAME: &'static str = "scalr";
    type Client = Client;

    async fn configure(self, _cx: &ConfigureCx) -> Result<Client> {
        let at = usize::try_from(self.config).unwrap();
        let config = CONFIGS.lock().unwrap()[at].clone();
        let aws = Aws::with(Settings::default(), config);
        Ok(Client::new(Err(NotKnownYet("token")), Ok(aws), Ok(None)))
    }

    fn register(registry: &mut Registry<Client>) {
        resources::register(registry);
    }
}

/// A fake AWS with a source that waits for its bus, and a provider that is configured for it.
async fn stage() -> (Fake, Harness) {
    let fake = Fake::new();
    fake.world().sources.insert(SOURCE.to_owned(), "PENDING");
    let harness = on(fake.config()).await;
    (fake, harness)
}

async fn on(config: SdkConfig) -> Harness {
    let at = {
        let mut configs = CONFIGS.lock().unwrap();
        configs.push(config);
        configs.len() - 1
    };
    let harness = Harness::new::<OnFake>();
    harness.configure(json!({ "config": at })).await.unwrap();
    harness
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
}
