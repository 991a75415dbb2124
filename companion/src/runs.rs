//! Runs: a small state machine with a clock, and the event at its end.

use std::time::Duration;

use scalr_api::RunStatus;
use scalr_events::{RunExecuted, run_event_type, run_title};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Moment};
use crate::schedule::RUN_STEP_MS;
use crate::store::{NewEvent, Result, Run, Store, Tx, WorkspaceScope, outbox};

/// Longest wait between two rounds.
const ROUND: Duration = Duration::from_secs(15);

/// What comes after a status.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Status(RunStatus),
    /// The run has ended.
    Nothing,
    /// The status is one of another version: a newer one stored it.
    Unknown,
}

fn next(status: &RunStatus, is_dry: bool, fails: bool) -> Next {
    Next::Status(match status {
        RunStatus::Pending => RunStatus::Planning,
        RunStatus::Planning if fails => RunStatus::Errored,
        RunStatus::Planning if is_dry => RunStatus::PlannedAndFinished,
        RunStatus::Planning => RunStatus::Applying,
        RunStatus::Applying => RunStatus::Applied,
        ended if ended.is_final() => return Next::Nothing,
        _ => return Next::Unknown,
    })
}

/// When a run that enters a status now leaves it.
pub(crate) fn next_step_ms(now_ms: i64) -> i64 {
    now_ms.saturating_add(RUN_STEP_MS)
}

/// Moves every run through its statuses, until stopped. Runs that a crash interrupted continue from their stored status.
pub(crate) async fn drive(store: Store, clock: Clock, stop: CancellationToken) {
    loop {
        let wait = match round(&store, &clock).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the runs' next steps cannot be stored; retrying"
                );
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = store.run_started() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Takes all steps that are due; returns how long until the next one.
async fn round(store: &Store, clock: &Clock) -> Result<Duration> {
    let now = clock.look();
    if store.next_step_ms().await?.is_some_and(|at| at <= now.now_ms) {
        let mut tx = store.begin().await?;
        for run in tx.due_runs(now.now_ms).await? {
            step(&mut tx, &run, now).await?;
        }
        tx.commit().await?;
    }
    let next = store.next_step_ms().await?;
    let wait = next.map(|at| u64::try_from(at.saturating_sub(clock.now_ms())).unwrap_or_default());
    Ok(wait.map_or(ROUND, |ms| Duration::from_millis(ms.max(1)).min(ROUND)))
}

/// Moves a run to its next status, and accepts its event if that is the last one.
async fn step(tx: &mut Tx, run: &Run, now: Moment) -> Result<()> {
    let status = match next(&run.status, run.is_dry, run.fails) {
        Next::Status(status) => status,
        Next::Nothing => return tx.step_run(&run.id, &run.status, None).await,
        Next::Unknown => {
            tracing::error!(
                run = run.id.as_str(),
                status = run.status.as_str(),
                "this version does not know what comes after the status of a run, which stays as it is and sends no event"
            );
            return tx.step_run(&run.id, &run.status, None).await;
        }
    };
    let has_ended = status.is_final();
    tx.step_run(&run.id, &status, (!has_ended).then(|| next_step_ms(now.now_ms)))
        .await?;
    tracing::info!(
        run = run.id.as_str(),
        status = status.as_str(),
        "a run has a new status"
    );
    if has_ended {
        let scope = tx.workspace_scope(&run.workspace_id).await?;
        // Not negative where the clock was set back meanwhile.
        let took_ms = now.wall_ms.saturating_sub(run.created_at_ms).max(0);
        let detail = detail(run, &status, &scope, took_ms);
        let event = NewEvent::run_executed(scope.account_id, &detail, now)?;
        outbox::accept(tx, &event).await?;
    }
    Ok(())
}

fn detail(run: &Run, status: &RunStatus, scope: &WorkspaceScope, took_ms: i64) -> RunExecuted {
    #[expect(clippy::cast_precision_loss, reason = "a run lasts less than 200,000 years")]
    let duration = took_ms as f64 * 1e6;
    RunExecuted {
        title: run_title(run.id.as_str(), &scope.workspace, &scope.environment),
        event: scalr_events::Run {
            run_id: run.id.to_string(),
            source: run.source.clone(),
            is_dry: run.is_dry,
            is_destroy: run.is_destroy,
            is_agent: false,
            is_postponed: false,
            result: status.as_str().to_owned(),
            duration,
            account: scope.account.clone(),
            workspace: scope.workspace.clone(),
            environment: scope.environment.clone(),
            user_email: run.user_email.clone(),
        },
        tags: vec![
            format!("scalr-environment:{}", scope.environment_id),
            format!("scalr-workspace:{}", scope.workspace_id),
            format!("scalr-environment-name:{}", scope.environment),
            format!("scalr-workspace-name:{}", scope.workspace),
        ],
        event_type: run_event_type(status.as_str()).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_dry: bool, fails: bool, want: &[&str]) {
        let mut have = vec![];
        let mut at = RunStatus::Pending;
        while let Next::Status(after) = next(&at, is_dry, fails) {
            have.push(after.to_string());
            at = after;
        }
        assert_eq!(have, want);
        assert_eq!(next(&at, is_dry, fails), Next::Nothing);
    }

    #[test]
    fn runs_end() {
        check(true, false, &["planning", "planned_and_finished"]);
        check(false, false, &["planning", "applying", "applied"]);
        check(true, true, &["planning", "errored"]);
        check(false, true, &["planning", "errored"]);
    }

    /// The event's type says what the API's status means.
    #[test]
    fn event_types_agree_with_statuses() {
        for status in [
            RunStatus::Applied,
            RunStatus::PlannedAndFinished,
            RunStatus::Errored,
            RunStatus::Canceled,
            RunStatus::Discarded,
        ] {
            let is_success = run_event_type(status.as_str()) == "success";
            assert_eq!(is_success, status.is_success(), "{status}");
        }
    }

    #[test]
    fn a_status_of_another_version_is_told_from_an_end() {
        for (status, want) in [
            (RunStatus::Other("cost_estimating".to_owned()), Next::Unknown),
            (RunStatus::Planned, Next::Unknown),
            (RunStatus::Errored, Next::Nothing),
        ] {
            assert_eq!(next(&status, false, false), want, "{status}");
        }
    }
}
