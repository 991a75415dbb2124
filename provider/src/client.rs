//! What resources work with: Scalr's API, AWS, and the account. Making one does no I/O.
//!
//! A setting may be unknown while Terraform plans. That is no error until a call needs it: each part is asked for by
//! a method that fails with the setting's path.

use scalr_api::AccountId;
use tfplugin::{Diagnostic, Path, Result};

use crate::aws::Aws;
use crate::ownership::Memory;
use crate::scalr::Scalr;

/// The provider's client.
#[derive(Debug)]
pub struct Client {
    scalr: Setting<Scalr>,
    aws: Setting<Aws>,
    account_id: Setting<Option<AccountId>>,
    memory: Memory,
}

/// A part of the client, or the setting that is not known yet.
pub type Setting<T> = std::result::Result<T, NotKnownYet>;

/// The setting that is not known: `token`, `aws.region`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnownYet(pub Path);

impl Client {
    /// From what the configuration says.
    pub fn new(scalr: Setting<Scalr>, aws: Setting<Aws>, account_id: Setting<Option<AccountId>>) -> Self {
        Self {
            scalr,
            aws,
            account_id,
            memory: Memory::default(),
        }
    }

    /// What is known since the configuration that made this client.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Scalr's API.
    pub fn scalr(&self) -> Result<&Scalr> {
        self.scalr.as_ref().map_err(|unknown| unknown.diagnostic().into())
    }

    /// AWS.
    pub fn aws(&self) -> Result<&Aws> {
        self.aws.as_ref().map_err(|unknown| unknown.diagnostic().into())
    }

    /// The Scalr account that the configuration names, if it names one.
    pub fn account_id(&self) -> Result<Option<&AccountId>> {
        self.account_id
            .as_ref()
            .map(Option::as_ref)
            .map_err(|unknown| unknown.diagnostic().into())
    }
}

impl NotKnownYet {
    fn diagnostic(&self) -> Diagnostic {
        let setting = &self.0;
        Diagnostic::error(format!("The provider's `{setting}` is not known yet")).detail(format!(
            "`{setting}` in the provider's configuration depends on something that is known only after apply, and this \
             operation needs it now. Nothing was changed.\n\nApply what `{setting}` depends on first (`-target`), or give \
             it a value that is known at plan: a variable, an environment variable, another configuration's output."
        ))
    }
}
