//! What resources work with: Scalr's API, AWS, and the account. Making one does no I/O.
//!
//! A setting may be unknown while Terraform plans. That is no error until a call needs it: each part is asked for by
//! a method that fails with the setting's path.

use scalr_api::AccountId;
use tfplugin::Result;

use crate::aws::Aws;
use crate::ownership::Memory;
use crate::scalr::Scalr;
use crate::scalr::places::Places;
use crate::setting::Setting;
use crate::walk::Walk;

/// The provider's client.
#[derive(Debug)]
pub struct Client {
    scalr: Setting<Scalr>,
    aws: Setting<Aws>,
    account_id: Setting<Option<AccountId>>,
    memory: Memory,
    walk: Walk,
    places: Places,
}

impl Client {
    /// From what the configuration says.
    pub fn new(scalr: Setting<Scalr>, aws: Setting<Aws>, account_id: Setting<Option<AccountId>>) -> Self {
        Self {
            scalr,
            aws,
            account_id,
            memory: Memory::default(),
            walk: Walk::default(),
            places: Places::default(),
        }
    }

    /// What is known since the configuration that made this client.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What was planned since the last Configure.
    pub fn walk(&self) -> &Walk {
        &self.walk
    }

    /// Where Scalr's connections lead to, as plans have asked since the last Configure.
    pub fn places(&self) -> &Places {
        &self.places
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
