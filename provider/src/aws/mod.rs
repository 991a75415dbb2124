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
mod sign_in;
pub mod tags;
pub mod target_id;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{Region, SdkConfig};
use tokio::sync::OnceCell;

pub use error::{Error, Standing};
use regional::Clients;
pub use regional::{Limits, Regional};
pub use settings::{AssumeRole, Endpoints, Settings};

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
            .unless_over(
                self.base
                    .get_or_try_init(|| sign_in::sign_in(&self.settings, wanted)),
            )
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
}
