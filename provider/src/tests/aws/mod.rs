//! The AWS-side resources through the real calls of the plugin protocol, against an AWS in memory that goes wrong at any
//! call that a test names.

pub(super) mod bus;
pub(super) mod fake;
pub(super) mod imports;
pub(super) mod log_group;
pub(super) mod plans;
pub(super) mod rule;
pub(super) mod source;
pub(super) mod target;

use std::sync::Mutex;

use aws_config::SdkConfig;
use scalr_api::Token;
use serde_json::json;
use tfplugin::testing::Harness;
use tfplugin::{Attrs, ConfigureCx, Provider, Registry, Result};

use self::fake::Fake;
use super::{and, says};
use crate::aws::{Aws, Settings};
use crate::client::{Client, NotKnownYet};
use crate::scalr::Scalr;
use crate::{data_sources, functions, resources};

pub(super) const SOURCE: &str = "aws.partner/scalr.com/acme/prod";
pub(super) const GROUP: &str = "/scalr/runs";

/// The provider's resources on an AWS that the test holds.
#[derive(Attrs, Clone, Debug)]
struct OnFake {
    /// Which of [`CONFIGS`].
    #[tf(required)]
    config: i64,
    /// Where Scalr is.
    #[tf(optional)]
    scalr: Option<String>,
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
        let scalr = self.scalr.as_deref().map(scalr).ok_or(NotKnownYet("token"));
        Ok(Client::new(scalr, Ok(aws), Ok(None)))
    }

    fn register(registry: &mut Registry<Client>) {
        resources::register(registry);
        data_sources::register(registry);
        functions::register(registry);
    }
}

fn scalr(url: &str) -> Scalr {
    let token = Token::new("s3cret").unwrap();
    Scalr {
        api: scalr_api::Client::new(scalr_api::Settings::new(url.parse().unwrap(), token, "test")),
        token_origin: "`token` in the provider's configuration".to_owned(),
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
    beside(config, None).await
}

/// A provider that is configured for an AWS and, perhaps, a Scalr.
pub(super) async fn beside(config: SdkConfig, scalr: Option<String>) -> Harness {
    let at = {
        let mut configs = CONFIGS.lock().unwrap();
        configs.push(config);
        configs.len() - 1
    };
    let harness = super::under_test::<OnFake>();
    harness
        .configure(json!({ "config": at, "scalr": scalr }))
        .await
        .unwrap();
    harness
}
