//! `scalr_eventbridge_send_test_event`: the delivery check, without a resource that stands for it.

use tfplugin::{Action, Attrs, Operation, Result, Timeouts, mins};

use super::messages;
use crate::aws::checks;
use crate::client::Client;
use crate::resources::chain::{self, Outcome, Places, Probe};
use crate::scalr::Attributes;
use crate::values::Region;
use crate::{check, defaults};

/// Starts a dry run in a workspace and waits for its `RunExecuted` event in a log group. It reports the run, when the event arrived and with which delay, and each link between the connection and the log group.
///
/// If the event does not arrive within 10 minutes, or within `timeouts`, the error names the link that is broken. No run is started if Scalr has no such workspace, if all connections to the AWS account and region are paused, or if the log group is missing or may not be read by the credentials. The resource `scalr_eventbridge_delivery_check` does the same and has a state. Nothing can depend on the action, and each invocation starts another run.
///
/// OpenTofu, and Terraform before 1.14, have no actions; `scalr-eventbridge run ws-… --dry --log-group NAME` starts the run and waits for its event there.
#[derive(Attrs, Clone, Debug)]
pub struct SendTestEvent {
    /// Workspace to start the run in. The run is dry: it plans, and changes nothing.
    #[tf(required, check = check::workspace_id)]
    workspace_id: String,
    /// Name of the log group where the event must arrive.
    #[tf(required, check = checks::log_group)]
    log_group: String,
    /// AWS region of the log group. Default: the provider's region.
    #[tf(optional)]
    region: Option<Region>,
}

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: Attributes = &[("/data/relationships/workspace", || {
    SendTestEvent::workspace_id().into()
})];

impl Action for SendTestEvent {
    const NAME: &'static str = "eventbridge_send_test_event";
    type Client = Client;
    const TIMEOUTS: Timeouts = Timeouts::none().invoke(mins(10));

    async fn invoke(config: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let aws = defaults::regional(operation, config.region.as_ref()).await?;
        let probe = Probe {
            workspace_id: &config.workspace_id,
            log_group: &config.log_group,
            at: Places {
                workspace_id: Self::workspace_id().into(),
                log_group: Self::log_group().into(),
                in_requests: ATTRIBUTES,
            },
        };
        let (run, outcome) = chain::follow(operation, &aws, &probe).await?;
        match outcome {
            Outcome::Arrived(arrival) => {
                operation.progress(chain::arrived(&run, &config.log_group, &arrival));
                let links = chain::links(operation, &aws, &probe, &run).await?;
                for link in links {
                    operation.progress(link);
                }
                Ok(())
            }
            Outcome::Interrupted => Err(chain::interrupted(&run, messages::SEND_AGAIN).into()),
            Outcome::Missed(missed) => Err(missed.diagnostic(&run, messages::SEND_AGAIN).into()),
        }
    }
}
