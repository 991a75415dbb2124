//! The AWS side: configuration that is looked up at the first call and never before, and one set of clients a region.

pub mod arn;
pub mod calls;
pub mod checks;
pub mod error;
pub mod import_id;
pub mod json;
pub mod log_policy;
pub mod pages;
pub mod planned;
pub mod policy;
pub mod regional;
pub mod settings;
pub mod settle;
pub mod tags;
pub mod target_id;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_eventbridge::config::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::OnceCell;

pub use error::{Error, Standing};
use regional::Clients;
pub use regional::{Limits, Regional};
pub use settings::{AssumeRole, Endpoints, Settings};

/// How long one attempt of a call may take, and the call with all its attempts.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const CALL_TIMEOUT: Duration = Duration::from_mins(3);

/// AWS, as the provider's configuration says. Making one does no I/O.
#[derive(Debug, Default)]
pub struct Aws {
    settings: Settings,
    base: OnceCell<SdkConfig>,
    regions: Mutex<BTreeMap<String, Arc<Clients>>>,
}

impl Aws {
    /// From the provider's configuration.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// On an SDK configuration that is there already: for tests.
    #[cfg(test)]
    pub fn with(settings: Settings, base: SdkConfig) -> Self {
        Self {
            base: OnceCell::new_with(Some(base)),
            ..Self::new(settings)
        }
    }

    /// The configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The clients for this region, or for the default one, within an operation's limits. The first call looks
    /// credentials and region up.
    pub async fn region(&self, wanted: Option<&str>, limits: Limits) -> Result<Regional, Error> {
        let loaded = limits
            .unless_over(self.base.get_or_try_init(|| self.load(wanted)))
            .await;
        let base = loaded.map_err(|why| Error::Stopped {
            what: "The look-up of AWS's credentials".to_owned(),
            why,
        })??;
        let name = wanted
            .filter(|name| !name.is_empty())
            .or_else(|| base.region().map(Region::as_ref))
            .ok_or_else(|| Error::NoRegion {
                profile: self.settings.profile.clone(),
            })?;
        let regional = Regional::new(self.clients(base, name), limits);
        if !self.settings.allowed_account_ids.is_empty() {
            self.check_account(regional.account().await?)?;
        }
        Ok(regional)
    }

    fn clients(&self, base: &SdkConfig, name: &str) -> Arc<Clients> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = regions.entry(name.to_owned());
        Arc::clone(entry.or_insert_with(|| Arc::new(Clients::new(base, name, &self.settings.endpoints))))
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
