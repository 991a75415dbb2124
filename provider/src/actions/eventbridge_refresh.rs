//! `scalr_eventbridge_refresh`: "Refresh status", without a resource that stands for it.

use scalr_api::Status;
use tfplugin::{Action, Attrs, Operation, Result, Timeouts, mins};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::resources::refreshing::{self, Ended, Why};
use crate::scalr::connection_id;

/// Has Scalr look at the event source of a connection again ("Refresh status" in its console), and reports the status that the
/// connection has then. By default it refreshes until the connection is active, for 10 minutes at most unless `timeouts`
/// says otherwise.
///
/// Invoke it after the targets are there: an active connection delivers at once what Scalr held until then, and EventBridge
/// drops what no rule picks up. A connection that is paused (`enabled = false`) is left paused, and the invocation fails.
///
/// OpenTofu, and Terraform before 1.14, have no actions: there `scalr-eventbridge connections refresh` does the same.
#[derive(Attrs, Clone, Debug)]
pub struct Refresh {
    /// Connection to refresh, `in-…`.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// Whether to refresh until the connection is active. With `false` it is refreshed once, and a connection that is not active then is a warning.
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
