//! The AWS side: configuration that is looked up at the first call and never before, and one set of clients a region.

pub mod arn;
pub mod calls;
pub mod checks;
pub mod error;
pub mod import_id;
pub mod json;
pub mod log_policy;
pub mod planned;
pub mod policy;
pub mod settings;
pub mod tags;
pub mod target_id;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_eventbridge::config::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::OnceCell;

pub use error::Error;
pub use settings::{AssumeRole, Endpoints, Settings};

/// How long one attempt of a call may take, and the call with all its attempts.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const CALL_TIMEOUT: Duration = Duration::from_mins(3);

/// AWS, as the provider's configuration says. Making one does no I/O.
#[derive(Debug, Default)]
pub struct Aws {
    settings: Settings,
    base: OnceCell<SdkConfig>,
    regions: Mutex<BTreeMap<String, Arc<Regional>>>,
}

/// The clients of one region.
#[derive(Debug)]
pub struct Regional {
    /// Name of the region.
    pub name: String,
    /// EventBridge.
    pub events: events::Client,
    /// CloudWatch Logs.
    pub logs: logs::Client,
    /// Held over the read, merge and write of a log group's policy: two targets must not undo each other's.
    pub policy_writes: tokio::sync::Mutex<()>,
    account: OnceCell<String>,
    /// Where calls go, if not to AWS's own endpoints: for messages.
    endpoints: Endpoints,
}

impl Aws {
    /// From the provider's configuration.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// The configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The clients for this region, or for the default one. The first call looks credentials and region up.
    pub async fn region(&self, wanted: Option<&str>) -> Result<Arc<Regional>, Error> {
        let base = self.base.get_or_try_init(|| self.load(wanted)).await?;
        let name = wanted
            .filter(|name| !name.is_empty())
            .or_else(|| base.region().map(Region::as_ref))
            .ok_or_else(|| Error::NoRegion {
                profile: self.settings.profile.clone(),
            })?;
        let regional = self.regional(base, name);
        if !self.settings.allowed_account_ids.is_empty() {
            self.check_account(regional.account().await?)?;
        }
        Ok(regional)
    }

    fn regional(&self, base: &SdkConfig, name: &str) -> Arc<Regional> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = regions.entry(name.to_owned());
        Arc::clone(entry.or_insert_with(|| Arc::new(Regional::new(base, name, &self.settings.endpoints))))
    }

    fn check_account(&self, account: &str) -> Result<(), Error> {
        let allowed = &self.settings.allowed_account_ids;
        if allowed.iter().any(|id| id == account) {
            return Ok(());
        }
        Err(Error::WrongAccount {
            account: account.to_owned(),
            allowed: allowed.clone(),
        })
    }

    /// Looks configuration and credentials up; fails with what was tried.
    async fn load(&self, wanted: Option<&str>) -> Result<SdkConfig, Error> {
        let settings = &self.settings;
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(CALL_TIMEOUT)
                .build(),
        );
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(retries) = settings.max_retries {
            loader =
                loader.retry_config(RetryConfig::standard().with_max_attempts(retries.saturating_add(1)));
        }
        let mut base = loader.load().await;
        if let Some(role) = &settings.assume_role {
            base = assume(base, role, settings, wanted).await;
        }
        self.check_credentials(&base).await?;
        Ok(base)
    }

    async fn check_credentials(&self, base: &SdkConfig) -> Result<(), Error> {
        let refused = |source: Box<dyn std::error::Error + Send + Sync>| Error::NoCredentials {
            profile: self.settings.profile.clone(),
            role: self
                .settings
                .assume_role
                .as_ref()
                .map(|role| role.role_arn.clone()),
            source,
        };
        let provider = base
            .credentials_provider()
            .ok_or_else(|| refused("no provider is configured".into()))?;
        provider
            .provide_credentials()
            .await
            .map(drop)
            .map_err(|e| refused(Box::new(e)))
    }
}

async fn assume(base: SdkConfig, role: &AssumeRole, settings: &Settings, wanted: Option<&str>) -> SdkConfig {
    let mut for_sts = base.clone().into_builder();
    if let Some(url) = &settings.endpoints.sts {
        for_sts = for_sts.endpoint_url(url);
    }
    if base.region().is_none() {
        for_sts.set_region(wanted.map(|name| Region::new(name.to_owned())));
    }
    let provider = AssumeRoleProvider::builder(&role.role_arn)
        .session_name(role.session_name.as_deref().unwrap_or("terraform-provider-scalr"))
        .configure(&for_sts.build());
    let provider = match &role.external_id {
        Some(id) => provider.external_id(id),
        None => provider,
    };
    let provider = SharedCredentialsProvider::new(provider.build().await);
    base.into_builder().credentials_provider(provider).build()
}

impl Regional {
    fn new(base: &SdkConfig, name: &str, endpoints: &Endpoints) -> Self {
        let region = Region::new(name.to_owned());
        let mut for_events = events::config::Builder::from(base).region(region.clone());
        if let Some(url) = &endpoints.events {
            for_events = for_events.endpoint_url(url);
        }
        let mut for_logs = logs::config::Builder::from(base).region(region);
        if let Some(url) = &endpoints.logs {
            for_logs = for_logs.endpoint_url(url);
        }
        Self {
            name: name.to_owned(),
            events: events::Client::from_conf(for_events.build()),
            logs: logs::Client::from_conf(for_logs.build()),
            policy_writes: tokio::sync::Mutex::new(()),
            account: OnceCell::new(),
            endpoints: Endpoints {
                events: endpoints
                    .events
                    .clone()
                    .or_else(|| base.endpoint_url().map(str::to_owned)),
                logs: endpoints
                    .logs
                    .clone()
                    .or_else(|| base.endpoint_url().map(str::to_owned)),
                sts: endpoints.sts.clone(),
            },
        }
    }

    /// The account of the credentials, read from the ARN of its default bus: no further service need be reachable.
    pub async fn account(&self) -> Result<&str, Error> {
        let account = self.account.get_or_try_init(|| async {
            let answer = self.events.describe_event_bus().name("default").send().await;
            let bus = answer.map_err(|e| self.failed("events:DescribeEventBus", e))?;
            Ok(bus.arn().and_then(arn::account).unwrap_or_default().to_owned())
        });
        account.await.map(String::as_str)
    }

    /// The account in words, for messages: it must never be the reason of a failure.
    pub async fn account_in_words(&self) -> String {
        match self.account().await {
            Ok(account) if !account.is_empty() => format!("account {account}"),
            _ => "the credentials' account".to_owned(),
        }
    }

    /// An SDK error of a call in this region.
    pub fn failed<E, R>(&self, operation: &'static str, error: events::error::SdkError<E, R>) -> Error
    where
        E: events::error::ProvideErrorMetadata
            + events::operation::RequestId
            + std::error::Error
            + Send
            + Sync
            + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let own = if operation.starts_with("logs:") {
            &self.endpoints.logs
        } else {
            &self.endpoints.events
        };
        Error::from_sdk(operation, &self.name, own.as_deref(), error)
    }
}
