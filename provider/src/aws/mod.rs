//! The AWS side: configuration that is looked up at the first call and never before, and one set of clients a region.

pub mod admission;
mod answer_bound;
pub mod arn;
pub mod calls;
pub mod checks;
mod credentials_sent;
pub mod custom;
pub mod custom_checks;
pub mod custom_writes;
mod denied;
pub mod error;
pub mod forwarded;
pub mod http_checks;
pub mod import_id;
pub mod log_policy;
pub mod look;
mod names;
mod pacing;
pub mod pages;
pub mod policy;
pub mod queue_checks;
pub mod queues;
mod quoted;
pub mod reach;
mod reads;
pub mod regional;
pub mod retry;
pub mod roles;
pub mod settings;
mod sign_in;
mod statement;
pub mod subscriber_checks;
pub mod tags;
pub mod target_id;
mod user_agent;
mod writes_noted;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{Region, SdkConfig};
use aws_sdk_eventbridgev2::primitives::{DateTime, DateTimeFormat};
use tfplugin::{Diagnostic, Result};
use tokio::sync::OnceCell;

use crate::failure::Cause as _;
use crate::shared_read::Writes;
pub use error::Error;
pub use quoted::quoted;
use regional::Clients;
pub use regional::{Limits, Regional};
pub use settings::{AssumeRole, Endpoints, OwnEndpoints, Settings};

/// AWS, as the provider's configuration says. Making one does no I/O.
#[derive(Debug, Default)]
pub struct Aws {
    settings: Settings,
    base: OnceCell<SdkConfig>,
    regions: Mutex<BTreeMap<String, Arc<Clients>>>,
    given_up: look::GivenUp,
    writes: Writes,
}

impl Aws {
    /// From the provider's configuration. `writes`: what is written since that configuration.
    pub fn new(settings: Settings, writes: &Writes) -> Self {
        Self {
            settings,
            writes: writes.clone(),
            ..Self::default()
        }
    }

    /// On an SDK configuration that is there already: for tests.
    #[cfg(test)]
    pub fn with(settings: Settings, base: SdkConfig) -> Self {
        Self {
            base: OnceCell::new_with(Some(base)),
            ..Self::new(settings, &Writes::default())
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
        Arc::clone(entry.or_insert_with(|| Arc::new(Clients::new(base, name, &self.settings, &self.writes))))
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

/// What is not there is gone only if it was looked for in its own account: with credentials of another, everything would
/// seem deleted.
pub async fn same_account(aws: &Regional, of: Option<&str>) -> Result<()> {
    let Some(wanted) = of.and_then(arn::account).filter(|account| !account.is_empty()) else {
        return Ok(());
    };
    let what = of.unwrap_or_default();
    let found = aws
        .account()
        .await
        .map_err(|e| e.during(format!("read the account that this looked for `{what}` in")))?;
    if found.is_empty() || found == wanted {
        return Ok(());
    }
    Err(another_account(what, found, wanted).into())
}

/// Refuses an import by the ARN of another account's object.
pub async fn imported_account(aws: &Regional, arn: Option<&str>) -> Result<()> {
    let Some(wanted) = arn.and_then(arn::account) else {
        return Ok(());
    };
    let found = aws
        .account()
        .await
        .map_err(|e| e.during("read the account of the AWS credentials"))?;
    if found.is_empty() || found == wanted {
        return Ok(());
    }
    let error = Diagnostic::error(format!(
        "The AWS credentials are of account {found}, not {wanted}"
    ));
    Err(error
        .detail(format!(
            "The import id is an ARN of account {wanted}. Nothing was imported. Use credentials of that account."
        ))
        .into())
}

fn another_account(what: &str, found: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(format!("The AWS credentials are of account {found}, not {wanted}")).detail(format!(
        "`{what}` is in the state, and account {found} does not have it. Nothing was changed, and the state is kept. Use \
         credentials of account {wanted}; `aws = {{ allowed_account_ids = [\"{wanted}\"] }}` in the provider refuses \
         others at once. If the object is meant to be in account {found} now, take it out of the state first: \
         `terraform state rm`."
    ))
}

/// EventBridge alone has an endpoint of its own: what a resource of another service would change is not what is meant.
/// `service`: its name, that of its endpoint in the provider's `aws`, and the end of its variable's.
pub fn events_alone_elsewhere((service, endpoint, variable): (&str, &str, &str)) -> Diagnostic {
    Diagnostic::error(format!("{service} has no endpoint, and EventBridge has one of its own")).detail(format!(
        "EventBridge is asked at another endpoint than AWS's, while {service} would be asked at AWS itself, which is then not what \
         is meant. Nothing was asked or changed there. Set `endpoints.{endpoint}` in the provider's `aws`, or \
         `AWS_ENDPOINT_URL_{variable}`; or `AWS_ENDPOINT_URL` for all services."
    ))
}

/// A time in RFC 3339.
pub fn written(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}

/// A text that AWS holds: it has no empty ones.
pub fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An optional text as AWS holds it. One that is written as empty stays so.
pub fn held_text(written: Option<&str>, held: Option<&str>) -> Option<String> {
    filled(held).or(written.filter(|text| text.is_empty()).map(str::to_owned))
}
