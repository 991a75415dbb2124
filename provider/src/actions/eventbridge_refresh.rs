//! `scalr_eventbridge_refresh`: "Refresh status", without a resource that stands for it.

use scalr_api::Status;
use tfplugin::{Action, Attrs, Operation, Result, Timeouts, mins};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::resources::refreshing::{self, Ended, Why};
use crate::scalr::connection_id;

/// Refreshes the status of a connection in Scalr ("Refresh status" in its console) and reports the status. By default it refreshes until the connection is active, for at most 10 minutes or what `timeouts` says.
///
/// Invoke it after the targets exist: once a connection is active, Scalr delivers the events that it held, and EventBridge drops those that no rule matches. A paused connection (`enabled = false`) stays paused, and the action fails.
///
/// OpenTofu, and Terraform before 1.14, have no actions; use `scalr-eventbridge connections refresh` there.
#[derive(Attrs, Clone, Debug)]
pub struct Refresh {
    /// Connection to refresh, `in-…`.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// Whether to refresh until the connection is active. With `false` it is refreshed once, and a connection that is not active after that is a warning.
    #[tf(optional, default = true)]
    wait_until_active: bool,
}

impl Action for Refresh {
    const NAME: &'static str = "eventbridge_refresh";
    type Client = Client;
    const TIMEOUTS: Timeouts = Timeouts::none().invoke(mins(10));

    async fn invoke(config: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let id = connection_id(&config.connection_id, Self::connection_id())?;
        let ended = if config.wait_until_active {
            refreshing::until_active(operation, &id, messages::AFTER_THE_TARGETS).await?
        } else {
            refreshing::once(operation, &id, messages::AFTER_THE_TARGETS).await?
        };
        match ended {
            Ended::Active(object) => operation.progress(messages::status(&object)),
            Ended::Paused(object) => return Err(messages::paused(&object, Self::connection_id()).into()),
            Ended::Gone => return Err(messages::no_connection(&id, Self::connection_id()).into()),
            Ended::Early { last, why } => {
                let not_active =
                    refreshing::not_active(last.as_ref(), &why, &messages::not_active(Self::connection_id()));
                match (last, why) {
                    (Some(object), Why::Once) if object.attributes.status != Status::Failed => {
                        operation.progress(messages::status(&object));
                        operation.warn(not_active);
                    }
                    _ => return Err(not_active.into()),
                }
            }
        }
        Ok(())
    }
}
