//! Runs: a small state machine with a clock, and the event at its end.

use std::time::Duration;

use scalr_api::RunStatus;
use scalr_events::{EventType, RunExecuted};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock;
use crate::store::{NewEvent, Place, Result, Run};

/// How long a run stays in each status on its way.
pub(crate) const STEP_MS: i64 = 120;
/// The longest that a missed wake-up can cost.
const ROUND: Duration = Duration::from_secs(15);

/// The status after this one; none once the run is over.
fn next(status: &RunStatus, is_dry: bool) -> Option<RunStatus> {
    match status {
        RunStatus::Pending => Some(RunStatus::Planning),
        RunStatus::Planning if is_dry => Some(RunStatus::PlannedAndFinished),
        RunStatus::Planning => Some(RunStatus::Applying),
        RunStatus::Applying => Some(RunStatus::Applied),
        _ => None,
    }
}

/// Takes every run through its steps, until stopped. Runs that a crash left half way go on where they were.
pub(crate) async fn drive(app: App, stop: CancellationToken) {
    loop {
        let wait = match round(&app).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "runs cannot go on");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.step.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn round(app: &App) -> Result<Duration> {
    let now = clock::now_ms();
    if app.store.next_step_ms().await?.is_some_and(|at| at <= now) {
        let mut tx = app.store.begin().await?;
        for run in tx.due_runs(now).await? {
            let Some(status) = next(&run.status, run.is_dry) else {
                tx.step_run(&run.id, &run.status, None).await?;
                continue;
            };
            let over = status.is_final();
            tx.step_run(&run.id, &status, (!over).then_some(now + STEP_MS))
                .await?;
            if over {
                let place = tx.place_of(&run.workspace_id).await?;
                let event = finished(&run, &status, &place, now);
                for connection in tx.connection_ids(&place.account_id).await? {
                    tx.enqueue(&connection, &event, app.bounds, now).await?;
                }
            }
        }
        tx.commit().await?;
        app.deliver.notify_one();
    }
    let next = app.store.next_step_ms().await?;
    let wait = next.map(|at| u64::try_from(at.saturating_sub(clock::now_ms())).unwrap_or_default());
    Ok(wait.map_or(ROUND, |ms| Duration::from_millis(ms.max(1))))
}

/// The event that tells of a run's end.
fn finished(run: &Run, status: &RunStatus, place: &Place, now_ms: i64) -> NewEvent {
    let detail = detail(run, status, place, now_ms.saturating_sub(run.created_at_ms));
    NewEvent {
        event_id: run.id.to_string(),
        lane: run.workspace_id.to_string(),
        detail_type: EventType::RunExecuted.as_str(),
        detail: serde_json::to_string(&detail).unwrap_or_default(),
        time_ms: now_ms,
    }
}

fn detail(run: &Run, status: &RunStatus, place: &Place, took_ms: i64) -> RunExecuted {
    #[expect(clippy::cast_precision_loss, reason = "a run lasts less than 200,000 years")]
    let duration = took_ms as f64 * 1e6;
    RunExecuted {
        title: title(run.id.as_str(), &place.workspace, &place.environment),
        event: scalr_events::Run {
            run_id: run.id.to_string(),
            source: run.source.clone(),
            is_dry: run.is_dry,
            is_destroy: run.is_destroy,
            is_agent: false,
            is_postponed: false,
            result: status.as_str().to_owned(),
            duration,
            account: place.account.clone(),
            workspace: place.workspace.clone(),
            environment: place.environment.clone(),
            user_email: run.user_email.clone(),
        },
        tags: vec![
            format!("scalr-environment:{}", place.environment_id),
            format!("scalr-workspace:{}", place.workspace_id),
            format!("scalr-environment-name:{}", place.environment),
            format!("scalr-workspace-name:{}", place.workspace),
        ],
        event_type: kind_of_end(status).to_owned(),
    }
}

/// `event_type` of a run that ended so.
pub(crate) fn kind_of_end(status: &RunStatus) -> &'static str {
    if status.is_success() { "success" } else { "error" }
}

/// `title` of a run's event.
pub(crate) fn title(id: &str, workspace: &str, environment: &str) -> String {
    format!("Scalr run execution completed on workspace '{workspace}' ({environment}). Run ID: {id}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_dry: bool, want: &[&str]) {
        let mut have = vec![];
        let mut at = RunStatus::Pending;
        while let Some(after) = next(&at, is_dry) {
            have.push(after.to_string());
            at = after;
        }
        assert_eq!(have, want);
        assert!(at.is_final());
    }

    #[test]
    fn runs_end() {
        check(true, &["planning", "planned_and_finished"]);
        check(false, &["planning", "applying", "applied"]);
    }
}
