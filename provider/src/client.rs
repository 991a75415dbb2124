//! What resources work with: Scalr's API, AWS, and the account. Making one does no I/O.
//!
//! A setting may be unknown while Terraform plans. That is no error until a call needs it: each part is asked for by
//! a method that fails with the setting's path.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use scalr_api::AccountId;
use tfplugin::Result;

use crate::aws::Aws;
use crate::scalr::Scalr;
use crate::setting::Setting;
use crate::walk::Walk;

/// The provider's client.
#[derive(Debug)]
pub struct Client {
    scalr: Setting<Scalr>,
    aws: Setting<Aws>,
    account_id: Setting<Option<AccountId>>,
    generated_names: GeneratedNames,
    walk: Walk,
}

/// The names that this process generated: they distinguish its own objects, which may be in no state yet, from
/// those that an interrupted apply left.
#[derive(Debug, Default)]
pub struct GeneratedNames {
    names: Mutex<BTreeSet<String>>,
}

impl GeneratedNames {
    /// Remembers a name, with its region and bus.
    pub fn add(&self, name: String) {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
    }

    /// Whether the name was generated here.
    pub fn has(&self, name: &str) -> bool {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(name)
    }
}

impl Client {
    /// From what the configuration says.
    pub fn new(scalr: Setting<Scalr>, aws: Setting<Aws>, account_id: Setting<Option<AccountId>>) -> Self {
        Self {
            scalr,
            aws,
            account_id,
            generated_names: GeneratedNames::default(),
            walk: Walk::default(),
        }
    }

    /// The names that were generated in this process.
    pub fn generated_names(&self) -> &GeneratedNames {
        &self.generated_names
    }

    /// What was planned since the last Configure.
    pub fn walk(&self) -> &Walk {
        &self.walk
    }

    /// Scalr's API.
    pub fn scalr(&self) -> Result<&Scalr> {
        self.scalr.as_ref().map_err(|unknown| unknown.clone().into())
    }

    /// AWS.
    pub fn aws(&self) -> Result<&Aws> {
        self.aws.as_ref().map_err(|unknown| unknown.clone().into())
    }

    /// The Scalr account that the configuration names, if it names one.
    pub fn account_id(&self) -> Result<Option<&AccountId>> {
        self.account_id
            .as_ref()
            .map(Option::as_ref)
            .map_err(|unknown| unknown.clone().into())
    }
}
