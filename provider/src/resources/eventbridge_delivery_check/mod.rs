//! `scalr_eventbridge_delivery_check`: "check the RunExecuted events are streamed to the CloudWatch log group", done by
//! starting a run and waiting for its event.

mod aws;
mod chain;
mod event;
mod facts;
mod gather;
mod messages;
mod scalr;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scalr_api::{Object, Run, Status};
use tfplugin::{Action, Attrs, Identity, Operation, Plan, Resource, Result, Timeouts, WaitEnd, mins};
use tokio::time::Instant;

use crate::aws::look::Service;
use crate::aws::{Regional, checks};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::Scalr;
use crate::values::Region;
use crate::{check, defaults};
use aws::Arrival;
use messages::doing;

const EVERY: Duration = Duration::from_secs(1);
/// How long the walk through the chain may take.
const WALK: Duration = Duration::from_mins(1);

/// Starts a dry run in a workspace and waits until its `RunExecuted` event has arrived in a log group: the proof that
/// the whole chain works, from Scalr to the log group.
///
/// The check runs once, when it is created; change `triggers` to run it again: with the names of the connection and of the bus
/// among them it runs again where either is another. No run is started while the connection is paused, or where the log group
/// is missing, may not be read, or is of class INFREQUENT_ACCESS, which AWS lets nobody search this way: the plan warns of that. When the event does not arrive, the chain
/// is walked from the log group backwards and the link that broke is named. A check that failed is not in the state, so
/// the next apply runs it again. Destroying a check calls nobody.
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
    /// Id that EventBridge gave to the event; null where the target sends something else than the event.
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
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        plan.region = Some(Region::from(&*aws.name));
        need_group(&aws, &plan.log_group).await?;
        refuse_paused(&aws, &scalr).await?;
        let started = Instant::now();
        let since_ms = now_ms();
        let run = scalr::start(&scalr, &plan.workspace_id).await?;
        operation.progress(messages::started(&run, &plan.log_group));
        let arrival = wait(operation, &aws, &plan.log_group, run.id.as_str(), since_ms).await?;
        match arrival {
            Ok(arrival) => Ok(plan.with(&run, arrival)),
            Err(WaitEnd::Cancelled { .. }) => Err(messages::interrupted(&run).into()),
            Err(WaitEnd::TimedOut { .. }) => {
                let times = (started.elapsed(), WALK);
                let walk = gather::facts(&aws, &scalr, &plan, &run);
                tokio::select! {
                    facts = tokio::time::timeout(WALK, walk) => {
                        Err(messages::missed(&plan, &run, facts.ok().as_ref(), times).into())
                    }
                    () = operation.cancelled().cancelled() => Err(messages::interrupted(&run).into()),
                }
            }
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
        warn_of_class(plan).await;
        Ok(())
    }
}

impl DeliveryCheck {
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

/// Warns of a log group in which the event cannot be looked for. A check that ended is not made again.
async fn warn_of_class(plan: &mut Plan<'_, DeliveryCheck>) {
    let name = plan.planned(DeliveryCheck::log_group()).known();
    let Some(name) = name.filter(|_| plan.action() == Action::Create || plan.replaces()) else {
        return;
    };
    let Some(look) = defaults::look(plan, &DeliveryCheck::region()).await else {
        return;
    };
    if !look.asks(Service::Logs) {
        return;
    }
    let held = look.heard(Service::Logs, look.log_group(&name).await).flatten();
    if held.is_some_and(|group| aws::is_infrequent(&group)) {
        plan.warn(messages::no_search(&name));
    }
}

/// No run is started for a log group that is not there, or that may not be read.
async fn need_group(aws: &Regional, name: &str) -> Result<()> {
    let held = aws.log_group(name).await;
    let held = held.map_err(|e| e.during_with(doing::look_for_group(name), &messages::not_started()))?;
    let readable = match &held {
        Some(group) if aws::is_infrequent(group) => return Err(messages::search_refused(name).into()),
        Some(_) => aws::may_read(aws, name).await,
        None => return Err(messages::no_group(name, &aws.account_in_words().await, &aws.name).into()),
    };
    match readable {
        Err(e) if !e.is_passing() => Err(e.during_with(doing::read_group(name), &messages::not_started())),
        _ => Ok(()),
    }
}

/// No run is started while Scalr holds the events back. Where it cannot be asked for the connections, the check goes on.
async fn refuse_paused(aws: &Regional, scalr: &Scalr) -> Result<()> {
    let connections = scalr.api.connections(None).await.unwrap_or_default();
    let Ok(account) = aws.account().await else {
        return Ok(());
    };
    let paused = connections.into_iter().find(|held| {
        let wire = &held.attributes;
        wire.aws_account_id == account && wire.region == aws.name && wire.status == Status::Disabled
    });
    paused.map_or(Ok(()), |held| Err(messages::paused(&held).into()))
}

/// Waits for the event; else says why the wait ended.
async fn wait(
    operation: &Operation<'_, DeliveryCheck>,
    aws: &Regional,
    group: &str,
    run: &str,
    since_ms: i64,
) -> Result<std::result::Result<Arrival, WaitEnd>> {
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        match aws::arrival(aws, group, run, since_ms).await {
            Ok(Some(arrival)) => return Ok(Ok(arrival)),
            Ok(None) => attempts.awaiting(messages::not_yet(run, group)),
            Err(e) if e.is_passing() => attempts.awaiting(messages::cannot_look(group, &e)),
            Err(e) => return Err(e.during(doing::look_for_event(run, group))),
        }
    }
    Ok(Err(attempts.end()))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
