//! `scalr_eventbridge_delivery_check`: "check the RunExecuted events are streamed to the CloudWatch log group", done by
//! starting a run and waiting for its event.

mod chain;
mod event;
mod gather;
mod search;

use std::collections::BTreeMap;
use std::ops::ControlFlow::{Break, Continue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scalr_api::{Object, Run, RunInput, WorkspaceId};
use tfplugin::{Attrs, Cx, Diagnostic, Identity, Plan, Resource, Result, Timeouts, Waited, mins};
use tokio::time::Instant;

use crate::aws::{Regional, checks, planned};
use crate::check;
use crate::client::{Client, Scalr};
use search::Arrival;

const EVERY: Duration = Duration::from_secs(1);
/// How long the walk through the chain may take.
const WALK: Duration = Duration::from_mins(1);

/// Starts a dry run in a workspace and waits until its `RunExecuted` event has arrived in a log group: the proof that
/// the whole chain works, from Scalr to the log group.
///
/// The check runs once, when it is created; change `triggers` to run it again. When the event does not arrive, the chain
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
    #[tf(optional, computed, keep, replace, check = check::region)]
    region: Option<String>,
    /// Any values; when one changes, the check runs again.
    #[tf(optional, replace)]
    triggers: Option<BTreeMap<String, String>>,
    /// The run that was started.
    #[tf(computed, keep)]
    run_id: Option<String>,
    /// Id that EventBridge gave to the event; null where the target sends something else than the event.
    #[tf(computed, keep)]
    event_id: Option<String>,
    /// When the event was in the log group, in RFC 3339.
    #[tf(computed, keep)]
    delivered_at: Option<String>,
    /// Milliseconds from the event's own time to its arrival in the log group.
    #[tf(computed, keep)]
    latency_ms: Option<i64>,
}

impl Resource for DeliveryCheck {
    const NAME: &'static str = "eventbridge_delivery_check";
    type Client = Client;
    const IDENTITY: Identity = Identity::none();
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(10));
    const IMPORTABLE: bool = false;

    async fn create(mut plan: Self, cx: &mut Cx<'_, Self>) -> Result<Self> {
        let aws = planned::regional(cx, plan.region.as_deref()).await?;
        let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
        plan.region = Some(aws.name.clone());
        need_group(&aws, &plan.log_group).await?;
        let started = Instant::now();
        let since_ms = now_ms();
        let run = start(&scalr, &plan.workspace_id).await?;
        cx.progress(format!(
            "the run `{}` is started; waiting for its event in `{}`",
            run.id, plan.log_group
        ));
        match wait(cx, &aws, &plan.log_group, run.id.as_str(), since_ms).await? {
            Waited::Done(arrival) => Ok(plan.with(&run, arrival)),
            Waited::Cancelled { .. } => Err(interrupted(&run).into()),
            Waited::TimedOut { .. } => {
                let waited = started.elapsed();
                let walk = gather::facts(&aws, &scalr, &plan, &run);
                tokio::select! {
                    facts = tokio::time::timeout(WALK, walk) => {
                        Err(missed(&plan, &run, facts.ok().as_ref(), waited).into())
                    }
                    () = cx.cancelled().cancelled() => Err(interrupted(&run).into()),
                }
            }
        }
    }

    async fn read(state: Self, _cx: &mut Cx<'_, Self>) -> Result<Option<Self>> {
        Ok(Some(state))
    }

    async fn update(_prior: Self, plan: Self, _cx: &mut Cx<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _cx: &mut Cx<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        planned::region(plan);
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

/// No run is started for a log group that is not there.
async fn need_group(aws: &Regional, name: &str) -> Result<()> {
    let held = aws
        .log_group(name)
        .await
        .map_err(|e| e.during(format!("cannot look for the log group `{name}`")))?;
    if held.is_some() {
        return Ok(());
    }
    Err(Diagnostic::error(format!("There is no log group `{name}`"))
        .detail(format!(
            "This looked in {}, region {}. No run was started. Use `log_group.name` and `region` of a \
             `scalr_eventbridge_target`.",
            aws.account_in_words().await,
            aws.name
        ))
        .at("log_group")
        .into())
}

async fn start(scalr: &Scalr, workspace: &str) -> Result<Object<Run>> {
    const ATTRIBUTES: &[(&str, &str)] = &[("/data/relationships/workspace", "workspace_id")];
    let id = WorkspaceId::new(workspace).map_err(|e| {
        Diagnostic::error("Not the id of a workspace")
            .detail(format!("{e}."))
            .at("workspace_id")
    })?;
    let input = RunInput {
        is_dry: Some(true),
        message: Some("Checks that events are delivered to EventBridge".to_owned()),
        ..RunInput::default()
    };
    let answer = scalr.api.create_run(id, input).await;
    answer.map_err(|error| {
        scalr
            .failed(format!("start a run in the workspace `{workspace}`"), error)
            .attributes(ATTRIBUTES)
            .if_done("A run may have been started; it does no harm, and the next apply starts another.")
            .into()
    })
}

async fn wait(
    cx: &Cx<'_, DeliveryCheck>,
    aws: &Regional,
    group: &str,
    run: &str,
    since_ms: i64,
) -> Result<Waited<Arrival>> {
    cx.wait(EVERY, async |_| {
        match search::arrival(aws, group, run, since_ms).await {
            Ok(Some(arrival)) => Ok(Break(arrival)),
            Ok(None) => Ok(Continue(format!(
                "the event of the run `{run}` is not in `{group}` yet"
            ))),
            Err(e) if e.is_passing() => Ok(Continue(format!("cannot look into `{group}` at present: {e}"))),
            Err(e) => Err(e.during(format!(
                "cannot look for the event of the run `{run}` in the log group `{group}`"
            ))),
        }
    })
    .await
}

fn interrupted(run: &Object<Run>) -> Diagnostic {
    Diagnostic::error("Interrupted before the event arrived").detail(format!(
        "The run `{}` goes on in Scalr. The check is not in the state; the next apply runs it again.",
        run.id
    ))
}

fn missed(
    plan: &DeliveryCheck,
    run: &Object<Run>,
    facts: Option<&chain::Facts>,
    waited: Duration,
) -> Diagnostic {
    let why = facts.map_or_else(
        || {
            format!(
                "Looking for the link that broke was given up after {} s: AWS or Scalr answers too slowly.",
                WALK.as_secs()
            )
        },
        chain::broken,
    );
    Diagnostic::error(format!(
        "The event of the run `{}` did not arrive in the log group `{}`",
        run.id, plan.log_group
    ))
    .detail(format!(
        "Waited {} s. {why}\n\nThe check is not in the state; the next apply runs it again.",
        waited.as_secs(),
    ))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
