//! From a run to its event in a log group: a dry run is started and its event awaited; where it does not come, the link of
//! the chain that broke is found. What the delivery check and the action that sends a test event have in common.

mod arrival;
mod broken;
mod event;
mod facts;
mod forwarded;
mod forwarded_broken;
mod forwarded_messages;
mod gather;
mod messages;
mod pattern_messages;
mod run;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scalr_api::{Object, Run, Status};
use tfplugin::{ClientOf, Diagnostic, Operation, Path, Result, WaitEnd};
use tokio::time::Instant;

use crate::aws::Regional;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::{Attributes, Scalr};
pub use arrival::{Arrival, is_infrequent};
use facts::Facts;
use messages::doing;
pub use messages::{arrived, interrupted, no_search};

const EVERY: Duration = Duration::from_secs(1);
/// How long the walk through the chain may take.
const WALK: Duration = Duration::from_mins(1);

/// Where a run is started, and where its event must arrive.
#[derive(Clone, Debug)]
pub struct Probe<'a> {
    /// The workspace, `ws-…`.
    pub workspace_id: &'a str,
    /// The log group.
    pub log_group: &'a str,
    /// The attributes that say so.
    pub at: Places,
}

/// The attributes that name workspace and log group.
#[derive(Clone, Debug)]
pub struct Places {
    /// The workspace's.
    pub workspace_id: Path,
    /// The log group's.
    pub log_group: Path,
    /// Where the server's errors point, and the attribute behind it.
    pub in_requests: Attributes,
}

/// What became of the event.
pub enum Outcome {
    /// It is in the log group.
    Arrived(Arrival),
    /// The user did not wait for it.
    Interrupted,
    /// It did not come in time.
    Missed(Box<Missed>),
}

/// An event that did not come, and what a look at the chain found.
pub struct Missed {
    group: String,
    facts: Option<Facts>,
    waited: Duration,
}

impl Missed {
    /// Why, as far as it is seen, and what is to be done `next`.
    pub fn diagnostic(&self, run: &Object<Run>, next: &str) -> Diagnostic {
        messages::missed(&self.group, run, self.facts.as_ref(), (self.waited, WALK), next)
    }
}

/// Starts a run and waits for its event. Nothing is started while Scalr holds the events back, or where they cannot be looked
/// for.
pub async fn follow<T, K>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    probe: &Probe<'_>,
) -> Result<(Object<Run>, Outcome)>
where
    T: ClientOf<K, Client = Client>,
{
    let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
    need_workspace(&scalr, probe).await?;
    need_group(aws, probe).await?;
    refuse_paused(aws, &scalr).await?;
    let started = Instant::now();
    let since_ms = now_ms();
    let run = run::start(&scalr, probe).await?;
    operation.progress(messages::started(&run, probe.log_group));
    let outcome = match wait(operation, aws, probe.log_group, run.id.as_str(), since_ms).await? {
        Ok(arrival) => Outcome::Arrived(arrival),
        Err(WaitEnd::Cancelled { .. }) => Outcome::Interrupted,
        Err(WaitEnd::TimedOut { .. }) => {
            let waited = started.elapsed();
            tokio::select! {
                facts = look(aws, &scalr, probe, &run) => Outcome::Missed(Box::new(Missed {
                    group: probe.log_group.to_owned(),
                    facts,
                    waited,
                })),
                () = operation.cancelled().cancelled() => Outcome::Interrupted,
            }
        }
    };
    Ok((run, outcome))
}

/// The links of the chain as they are found once, in words.
pub async fn links<T, K>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    probe: &Probe<'_>,
    run: &Object<Run>,
) -> Result<Vec<String>>
where
    T: ClientOf<K, Client = Client>,
{
    let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
    let facts = look(aws, &scalr, probe, run).await;
    Ok(facts.as_ref().map(messages::links).unwrap_or_default())
}

async fn look(aws: &Regional, scalr: &Scalr, probe: &Probe<'_>, run: &Object<Run>) -> Option<Facts> {
    let walk = gather::facts(aws, scalr, probe, run);
    tokio::time::timeout(WALK, walk).await.ok()
}

/// No run is asked for in a workspace that is not there. Where Scalr does not say, its answer to the run does.
async fn need_workspace(scalr: &Scalr, probe: &Probe<'_>) -> Result<()> {
    let id = run::workspace(probe)?;
    if !matches!(scalr.api.workspace(&id).await, Ok(None)) {
        return Ok(());
    }
    let near = scalr.near_workspace(id.as_str()).await;
    Err(messages::no_workspace(probe, near.as_ref(), scalr).into())
}

/// No run is started for a log group that is not there, or that may not be read.
async fn need_group(aws: &Regional, probe: &Probe<'_>) -> Result<()> {
    let name = probe.log_group;
    let held = aws.log_group(name).await;
    let held = held.map_err(|e| e.during_with(doing::look_for_group(name), &messages::not_started()))?;
    let readable = match &held {
        Some(group) if is_infrequent(group) => return Err(messages::search_refused(probe).into()),
        Some(_) => arrival::may_read(aws, name).await,
        None => return Err(messages::no_group(probe, &aws.account_in_words().await, &aws.name).into()),
    };
    match readable {
        Err(e) if !e.is_passing() => Err(e.during_with(doing::read_group(name), &messages::not_started())),
        _ => Ok(()),
    }
}

/// No run is started while Scalr holds all events back. One connection that is not paused may be the one whose event must arrive. Where
/// Scalr cannot be asked for the connections, the check continues.
async fn refuse_paused(aws: &Regional, scalr: &Scalr) -> Result<()> {
    let mut here = scalr.api.connections(None).await.unwrap_or_default();
    let Ok(account) = aws.account().await else {
        return Ok(());
    };
    here.retain(|held| held.attributes.aws_account_id == account && held.attributes.region == aws.name);
    if here.iter().any(|held| held.attributes.status != Status::Disabled) {
        return Ok(());
    }
    messages::paused(&here).map_or(Ok(()), |error| Err(error.into()))
}

/// Waits for the event; else says why the wait ended.
async fn wait<T>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    group: &str,
    run: &str,
    since_ms: i64,
) -> Result<std::result::Result<Arrival, WaitEnd>> {
    let mut attempts = operation.attempts(EVERY);
    while attempts.next().await.is_some() {
        match arrival::find(aws, group, run, since_ms).await {
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
