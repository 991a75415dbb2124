//! `scalr_eventbridge_delivery_check`: "check the RunExecuted events are streamed to the CloudWatch log group", done by
//! starting a run and waiting for its event.

mod plan;

use std::collections::BTreeMap;

use scalr_api::{Object, Run};
use tfplugin::{Attrs, Identity, Operation, Plan, Resource, Result, Timeouts, mins};

use super::chain::{self, Arrival, Outcome, Places, Probe};
use super::known_ids;
use crate::aws::checks;
use crate::client::Client;
use crate::scalr::Attributes;
use crate::values::Region;
use crate::{check, defaults};

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: Attributes = &[("/data/relationships/workspace", || {
    DeliveryCheck::workspace_id().into()
})];
/// After a check that failed.
const RUNS_AGAIN: &str = "The check is not in the state; the next apply runs it again.";

/// Starts a dry run in a workspace and waits until its `RunExecuted` event has arrived in a log group. It proves that everything works, from Scalr to the log group.
///
/// The check runs once, when it is created. Change `triggers` to run it again; with the names of the connection and the bus as triggers, it runs again for another connection or bus. A check that failed is not in the state, so the next apply runs it again. Destroying a check makes no call.
///
/// If the event does not arrive, the error names the link that is broken: on a Classic bus among its rules and targets, on a custom event bus among its event source and subscribers. No run is started if all connections to the AWS account and region are paused, or if the log group cannot be read. That is so if it is missing, if the credentials may not read it, or if it is of class INFREQUENT_ACCESS, in which AWS allows no search. The plan warns of a missing log group and of that class, and refuses a workspace that Scalr does not have.
#[derive(Attrs, Clone, Debug, PartialEq)]
pub struct DeliveryCheck {
    /// Workspace to start the run in. The run is dry: it plans, and changes nothing.
    #[tf(required, replace, check = check::workspace_id)]
    workspace_id: String,
    /// Name of the log group where the event must arrive.
    #[tf(required, replace, check = checks::log_group)]
    log_group: String,
    /// AWS region of the log group. Default: the provider's region.
    #[tf(optional, computed, use_state_for_unknown, replace)]
    region: Option<Region>,
    /// Any values; when one changes, the check runs again.
    #[tf(optional, replace)]
    triggers: Option<BTreeMap<String, String>>,
    /// The run that was started.
    #[tf(computed, use_state_for_unknown)]
    run_id: Option<String>,
    /// Id that EventBridge gave to the event; null if the target sends something else than the event.
    #[tf(computed, use_state_for_unknown)]
    event_id: Option<String>,
    /// When the event was in the log group, in RFC 3339.
    #[tf(computed, use_state_for_unknown)]
    delivered_at: Option<String>,
    /// Milliseconds from the event's own time to its arrival in the log group.
    #[tf(computed, use_state_for_unknown)]
    latency_ms: Option<i64>,
}

impl Resource for DeliveryCheck {
    const NAME: &'static str = "eventbridge_delivery_check";
    type Client = Client;
    const IDENTITY: Identity = Identity::none();
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(10));
    const IMPORTABLE: bool = false;

    async fn create(mut plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, plan.region.as_ref()).await?;
        plan.region = Some(Region::from(&*aws.name));
        let (run, outcome) = chain::follow(operation, &aws, &plan.probe()).await?;
        match outcome {
            Outcome::Arrived(arrival) => Ok(plan.with(&run, arrival)),
            Outcome::Interrupted => Err(chain::interrupted(&run, RUNS_AGAIN).into()),
            Outcome::Missed(missed) => Err(missed.diagnostic(&run, RUNS_AGAIN).into()),
        }
    }

    async fn read(state: Self, _cx: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        Ok(Some(state))
    }

    async fn update(_prior: Self, plan: Self, _cx: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _cx: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        defaults::plan_region(plan, &Self::region());
        known_ids::check_workspace(plan, Self::workspace_id()).await;
        plan::warn_of_group(plan).await;
        Ok(())
    }
}

impl DeliveryCheck {
    fn probe(&self) -> Probe<'_> {
        Probe {
            workspace_id: &self.workspace_id,
            log_group: &self.log_group,
            at: Places {
                workspace_id: Self::workspace_id().into(),
                log_group: Self::log_group().into(),
                in_requests: ATTRIBUTES,
            },
        }
    }

    fn with(self, run: &Object<Run>, arrival: Arrival) -> Self {
        Self {
            run_id: Some(run.id.to_string()),
            event_id: arrival.event_id,
            delivered_at: arrival.delivered_at,
            latency_ms: Some(arrival.latency_ms),
            ..self
        }
    }
}
