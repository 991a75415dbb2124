//! Scalr's side: its API and its errors.

pub mod companion;
pub mod error;
pub mod known;
pub mod places;
mod reads;

use std::sync::Arc;

use scalr_api::{ClientError, Connection, ConnectionId, Object, Settings};
use tfplugin::{CancellationToken, Diagnostic, Path, Result};

use crate::failure::Cause as _;
use crate::shared_read::Writes;
pub use error::{Attributes, Error};
use reads::{Reads, reading};

/// Scalr's API, and where its token came from.
#[derive(Clone, Debug)]
pub struct Scalr {
    /// The API.
    pub api: scalr_api::Client,
    /// Where the token was found, in words: for the message that it is not accepted.
    pub token_origin: String,
    reads: Arc<Reads>,
}

impl Scalr {
    /// The API as a configuration leads to it. Its writes are noted in `writes`, and end what its reads share.
    pub fn new(settings: Settings, token_origin: String, writes: &Writes) -> Self {
        let written = writes.flag();
        Self {
            api: scalr_api::Client::new(Settings { written, ..settings }),
            token_origin,
            reads: Arc::new(Reads::new(writes)),
        }
    }

    /// The same, giving up retries and waits when `stop` is cancelled.
    pub fn stopping_with(&self, stop: &CancellationToken) -> Self {
        Self {
            api: self.api.stopping_with(stop.clone()),
            token_origin: self.token_origin.clone(),
            reads: Arc::clone(&self.reads),
        }
    }

    /// The connection of that id, as it is now; `None` when there is none.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Object<Connection>>> {
        let answer = self.api.connection(id).await;
        answer.map_err(|error| self.failed(error).during(reading(id)))
    }

    /// An import found no connection of that id.
    pub fn nothing_to_import(&self, id: &ConnectionId) -> Diagnostic {
        Diagnostic::error(format!("There is no connection `{id}`")).detail(format!(
            "This looked at `{}` with the token from {}: Scalr has no such EventBridge connection there, or the token may not \
             see it. Nothing was imported.",
            self.api.host(),
            self.token_origin
        ))
    }

    /// A call that failed.
    pub fn failed(&self, source: ClientError) -> Error {
        Error::new(source, &self.token_origin)
    }
}

/// The connection id that an attribute holds.
pub fn connection_id(text: &str, attribute: impl Into<Path>) -> Result<ConnectionId> {
    ConnectionId::new(text).map_err(|error| {
        Diagnostic::error("Not the id of a connection")
            .detail(format!("{error}."))
            .at(attribute)
            .into()
    })
}
