//! Calls that `scalr-eventbridge` answers and Scalr's own API does not have: what is said where a server lacks them.

use scalr_api::{ClientError, Connection, ConnectionId, DeliveryState, Object};
use tfplugin::{Diagnostics, Result};

use super::Scalr;
use crate::failure::Cause as _;

/// Why a call of the companion's has no answer.
pub enum Lack {
    /// The server has the connection, and no such call.
    Call(Box<Object<Connection>>),
    /// There is no such connection.
    Connection,
    /// The call failed.
    Failed(Diagnostics),
}

/// Why a read of the companion's about a connection has no answer. `doing` reads as in "list the deliveries".
pub async fn lack(scalr: &Scalr, id: &ConnectionId, error: ClientError, doing: &str) -> Result<Lack> {
    if !is_no_such_path(&error) {
        return Ok(Lack::Failed(scalr.failed(error).during(doing)));
    }
    Ok(match scalr.connection(id).await? {
        Some(object) => Lack::Call(Box::new(object)),
        None => Lack::Connection,
    })
}

/// Whether a server has answered that it has nothing there.
pub fn is_no_such_path(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(refusal) => matches!(refusal.status, 404 | 405),
        // A page for browsers, or a redirect to one.
        ClientError::NotTheApi { .. } => true,
        _ => false,
    }
}

/// The state of this name.
pub fn delivery_state(name: &str) -> DeliveryState {
    let all = [DeliveryState::Delivered, DeliveryState::Unconfirmed];
    let found = all.into_iter().find(|state| state.as_str() == name);
    found.unwrap_or(DeliveryState::Failed)
}
