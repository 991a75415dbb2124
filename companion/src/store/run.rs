//! Runs and their statuses.

use scalr_api::{AccountId, RunId, RunStatus, WorkspaceId};

use super::database::{Store, Tx};
use super::error::Result;
use super::row::{Found, Window, found, id};
use super::sql::{Row, query};

/// Ended runs are deleted once this many newer runs exist.
const RUNS_KEPT: i64 = 10_000;

#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) status: RunStatus,
    pub(crate) is_dry: bool,
    pub(crate) is_destroy: bool,
    /// It ends as errored, on request.
    pub(crate) fails: bool,
    pub(crate) message: Option<String>,
    pub(crate) source: String,
    pub(crate) user_email: String,
    pub(crate) created_at_ms: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct NewRun {
    pub(crate) run: Run,
    pub(crate) step_at_ms: i64,
}

fn run(row: &Row) -> Result<Run> {
    let status: String = row.try_get("status")?;
    Ok(Run {
        id: id(row, "id")?,
        workspace_id: id(row, "workspace_id")?,
        status: status_of(&status),
        is_dry: row.try_get("is_dry")?,
        is_destroy: row.try_get("is_destroy")?,
        fails: row.try_get("fails")?,
        message: row.try_get("message")?,
        source: row.try_get("source")?,
        user_email: row.try_get("user_email")?,
        created_at_ms: row.try_get("created_at_ms")?,
    })
}

fn status_of(text: &str) -> RunStatus {
    [
        RunStatus::Pending,
        RunStatus::Planning,
        RunStatus::PlannedAndFinished,
        RunStatus::Applying,
        RunStatus::Applied,
        RunStatus::Errored,
    ]
    .into_iter()
    .find(|known| known.as_str() == text)
    .unwrap_or_else(|| RunStatus::Other(text.to_owned()))
}

/// When the next run takes its next step.
pub(super) const NEXT_STEP: &str = "SELECT MIN(step_at_ms) AS at FROM run WHERE step_at_ms IS NOT NULL";

/// Runs whose next step is due at `$1`.
pub(super) const DUE_RUNS: &str =
    "SELECT * FROM run WHERE step_at_ms <= $1 ORDER BY step_at_ms, rowid LIMIT 100";

/// Deletes the runs that have ended, except among the last `$1`.
pub(super) const DELETE_OLD_RUNS: &str =
    "DELETE FROM run WHERE step_at_ms IS NULL AND rowid <= (SELECT MAX(rowid) FROM run) - $1";

impl Store {
    /// A run of an account.
    pub(crate) async fn run(&self, account: &AccountId, id: &str) -> Result<Option<Run>> {
        let row = query(
            "SELECT r.* FROM run r JOIN workspace w ON w.id = r.workspace_id
             JOIN environment e ON e.id = w.environment_id WHERE e.account_id = $1 AND r.id = $2",
        )
        .bind(account.as_str())
        .bind(id)
        .fetch_optional(&self.read)
        .await?;
        row.as_ref().map(run).transpose()
    }

    /// Runs of an account by exact id, workspace and environment, where given; the newest first.
    pub(crate) async fn runs(
        &self,
        account: &AccountId,
        [of, id, workspace, environment]: [Option<&str>; 4],
        window: Window,
    ) -> Result<Found<Run>> {
        let rows = query(
            "WITH found AS (
               SELECT r.*, r.rowid AS position FROM run r JOIN workspace w ON w.id = r.workspace_id
               JOIN environment e ON e.id = w.environment_id
               WHERE e.account_id = $1 AND ($2 IS NULL OR e.account_id = $2) AND ($3 IS NULL OR r.id = $3)
                 AND ($4 IS NULL OR w.id = $4) AND ($5 IS NULL OR e.id = $5))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found) AS counted
             LEFT JOIN (SELECT * FROM found ORDER BY position DESC LIMIT $6 OFFSET $7) AS page ON TRUE
             ORDER BY position DESC",
        )
        .bind(account.as_str())
        .bind(of)
        .bind(id)
        .bind(workspace)
        .bind(environment)
        .bind(window.limit)
        .bind(window.offset)
        .fetch_all(&self.read)
        .await?;
        found(&rows, run)
    }

    /// When the next run takes its next step.
    pub(crate) async fn next_step_ms(&self) -> Result<Option<i64>> {
        let row = query(NEXT_STEP).fetch_one(&self.read).await?;
        Ok(row.try_get("at")?)
    }
}

impl Tx {
    /// Inserts a run, and deletes the oldest that have ended. The commit wakes the task that drives runs.
    pub(crate) async fn insert_run(&mut self, new: &NewRun) -> Result<()> {
        let run = &new.run;
        query(
            "INSERT INTO run (id, workspace_id, status, is_dry, is_destroy, message, source, user_email,
                              created_at_ms, step_at_ms, fails) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(run.id.as_str())
        .bind(run.workspace_id.as_str())
        .bind(run.status.as_str())
        .bind(run.is_dry)
        .bind(run.is_destroy)
        .bind(run.message.as_deref())
        .bind(&run.source)
        .bind(&run.user_email)
        .bind(run.created_at_ms)
        .bind(new.step_at_ms)
        .bind(run.fails)
        .execute(&mut self.inner)
        .await?;
        query(DELETE_OLD_RUNS)
            .bind(RUNS_KEPT)
            .execute(&mut self.inner)
            .await?;
        self.wake_runs();
        Ok(())
    }

    /// Runs whose next step is due.
    pub(crate) async fn due_runs(&mut self, now_ms: i64) -> Result<Vec<Run>> {
        let rows = query(DUE_RUNS).bind(now_ms).fetch_all(&mut self.inner).await?;
        rows.iter().map(run).collect()
    }

    /// Moves a run to its next status; without a further step it has ended.
    pub(crate) async fn step_run(
        &mut self,
        id: &RunId,
        status: &RunStatus,
        step_at_ms: Option<i64>,
    ) -> Result<()> {
        query("UPDATE run SET status = $1, step_at_ms = $2 WHERE id = $3")
            .bind(status.as_str())
            .bind(step_at_ms)
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}
