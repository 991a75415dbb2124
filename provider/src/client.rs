//! What resources work with: Scalr's API, AWS, and the account. Making one does no I/O.
//!
//! A setting may be unknown while Terraform plans. That is no error until a call needs it: each part is asked for by
//! a method that fails with the setting's name.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use scalr_api::{AccountId, Connection, ConnectionId, Object};
use tfplugin::{Diagnostic, Result};

use crate::aws::Aws;
use crate::error::ScalrError;

/// The provider's client.
#[derive(Debug)]
pub struct Client {
    scalr: Setting<Scalr>,
    aws: Setting<Aws>,
    account_id: Setting<Option<AccountId>>,
    made_up: MadeUp,
}

/// What this process has given names that nobody chose: its own objects, even where no state holds them yet.
#[derive(Debug, Default)]
pub struct MadeUp {
    names: Mutex<BTreeSet<String>>,
}

impl MadeUp {
    /// Remembers a name, with the place that it is in.
    pub fn add(&self, name: String) {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
    }

    /// Whether the name was made up here.
    pub fn has(&self, name: &str) -> bool {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(name)
    }
}

/// A part of the client, or the name of the setting that is not known yet.
pub type Setting<T> = std::result::Result<T, NotKnownYet>;

/// The setting that stands in the way: `token`, `aws.region`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKnownYet(pub &'static str);

/// Scalr's API, and how its token was come by.
#[derive(Clone, Debug)]
pub struct Scalr {
    /// The API.
    pub api: scalr_api::Client,
    /// Where the token was found, in words: for the message that it is not accepted.
    pub token_origin: String,
}

impl Client {
    /// From what the configuration says.
    pub fn new(scalr: Setting<Scalr>, aws: Setting<Aws>, account_id: Setting<Option<AccountId>>) -> Self {
        Self {
            scalr,
            aws,
            account_id,
            made_up: MadeUp::default(),
        }
    }

    /// The names that were made up in this process.
    pub fn made_up(&self) -> &MadeUp {
        &self.made_up
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

impl Scalr {
    /// The same, giving up retries and waits when `stop` is cancelled.
    pub fn stopping_with(&self, stop: &tfplugin::CancellationToken) -> Self {
        Self {
            api: self.api.stopping_with(stop.clone()),
            token_origin: self.token_origin.clone(),
        }
    }

    /// The connection of that id; `None` when there is none.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Object<Connection>>> {
        let answer = self.api.connection(id).await;
        answer.map_err(|error| self.failed(format!("read the connection `{id}`"), error).into())
    }

    /// What to tell about a call that failed while `doing`, as in "create the connection `prod`".
    pub fn failed(&self, doing: impl Into<String>, error: scalr_api::ClientError) -> ScalrError {
        ScalrError::new(doing, error, &self.token_origin)
    }
}

/// The connection id that an attribute holds.
pub fn connection_id(text: &str, attribute: &'static str) -> Result<ConnectionId> {
    ConnectionId::new(text).map_err(|error| {
        Diagnostic::error("Not the id of a connection")
            .detail(format!("{error}."))
            .at(attribute)
            .into()
    })
}

impl NotKnownYet {
    fn diagnostic(self) -> Diagnostic {
        let setting = self.0;
        Diagnostic::error(format!("The provider's `{setting}` is not known yet")).detail(format!(
            "`{setting}` in the provider's configuration depends on something that is known only after apply, and this \
             operation needs it now. Nothing was changed.\n\nApply what `{setting}` depends on first (`-target`), or give \
             it a value that is known at plan: a variable, an environment variable, another configuration's output."
        ))
    }
}
