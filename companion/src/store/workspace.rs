//! Environments and workspaces.

use scalr_api::{AccountId, EnvironmentId, WorkspaceId};

use super::database::{Store, Tx};
use super::error::Result;
use super::row::{Found, Window, found, id};
use super::sql::{Row, query};
use crate::ids;

/// The environment and workspace that an account of its own begins with, where runs are simulated.
pub(crate) const FIRST_WORKSPACE: (&str, &str) = ("development", "network");

#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) id: EnvironmentId,
    pub(crate) account_id: AccountId,
    pub(crate) name: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) id: WorkspaceId,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) name: String,
}

/// A workspace with its environment and account, by id and name.
#[derive(Clone, Debug)]
pub(crate) struct WorkspaceScope {
    pub(crate) account_id: AccountId,
    pub(crate) account: String,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) environment: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) workspace: String,
}

fn environment(row: &Row) -> Result<Environment> {
    Ok(Environment {
        id: id(row, "id")?,
        account_id: id(row, "account_id")?,
        name: row.try_get("name")?,
    })
}

fn workspace(row: &Row) -> Result<Workspace> {
    Ok(Workspace {
        id: id(row, "id")?,
        environment_id: id(row, "environment_id")?,
        name: row.try_get("name")?,
    })
}

fn scope(row: &Row) -> Result<WorkspaceScope> {
    Ok(WorkspaceScope {
        account_id: id(row, "account_id")?,
        account: row.try_get("account")?,
        environment_id: id(row, "environment_id")?,
        environment: row.try_get("environment")?,
        workspace_id: id(row, "workspace_id")?,
        workspace: row.try_get("workspace")?,
    })
}

/// The columns of a [`WorkspaceScope`], for a `WHERE` to follow.
macro_rules! scope_columns {
    () => {
        "SELECT a.id AS account_id, a.name AS account, e.id AS environment_id, e.name AS environment,
                w.id AS workspace_id, w.name AS workspace
         FROM workspace w JOIN environment e ON e.id = w.environment_id JOIN account a ON a.id = e.account_id "
    };
}

impl Store {
    /// Environments of an account by exact account, id and name, where given.
    pub(crate) async fn environments(
        &self,
        account: &AccountId,
        [of, id, name]: [Option<&str>; 3],
        window: Window,
    ) -> Result<Found<Environment>> {
        let rows = query(
            "WITH found AS (
               SELECT *, rowid AS position FROM environment
               WHERE account_id = $1 AND ($2 IS NULL OR account_id = $2) AND ($3 IS NULL OR id = $3)
                 AND ($4 IS NULL OR name = $4))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found) AS counted
             LEFT JOIN (SELECT * FROM found ORDER BY position LIMIT $5 OFFSET $6) AS page ON TRUE ORDER BY position",
        )
        .bind(account.as_str())
        .bind(of)
        .bind(id)
        .bind(name)
        .bind(window.limit)
        .bind(window.offset)
        .fetch_all(&self.read)
        .await?;
        found(&rows, environment)
    }

    /// Workspaces of an account by exact account, id, environment and name, where given.
    pub(crate) async fn workspaces(
        &self,
        account: &AccountId,
        [of, id, environment, name]: [Option<&str>; 4],
        window: Window,
    ) -> Result<Found<Workspace>> {
        let rows = query(
            "WITH found AS (
               SELECT w.*, w.rowid AS position FROM workspace w JOIN environment e ON e.id = w.environment_id
               WHERE e.account_id = $1 AND ($2 IS NULL OR e.account_id = $2) AND ($3 IS NULL OR w.id = $3)
                 AND ($4 IS NULL OR e.id = $4) AND ($5 IS NULL OR w.name = $5))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found) AS counted
             LEFT JOIN (SELECT * FROM found ORDER BY position LIMIT $6 OFFSET $7) AS page ON TRUE ORDER BY position",
        )
        .bind(account.as_str())
        .bind(of)
        .bind(id)
        .bind(environment)
        .bind(name)
        .bind(window.limit)
        .bind(window.offset)
        .fetch_all(&self.read)
        .await?;
        found(&rows, workspace)
    }

    /// The scope of a workspace of an account.
    pub(crate) async fn workspace_scope(
        &self,
        account: &AccountId,
        workspace: &str,
    ) -> Result<Option<WorkspaceScope>> {
        let row = query(concat!(scope_columns!(), "WHERE a.id = $1 AND w.id = $2"))
            .bind(account.as_str())
            .bind(workspace)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(scope).transpose()
    }
}

impl Tx {
    /// The environment and workspace of these names; what is missing is added.
    pub(crate) async fn ensure_workspace(
        &mut self,
        account: &AccountId,
        environment: &str,
        workspace: &str,
    ) -> Result<(EnvironmentId, WorkspaceId)> {
        query("INSERT INTO environment (id, account_id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(ids::new_text("env"))
            .bind(account.as_str())
            .bind(environment)
            .execute(&mut self.inner)
            .await?;
        let row = query("SELECT id FROM environment WHERE account_id = $1 AND name = $2")
            .bind(account.as_str())
            .bind(environment)
            .fetch_one(&mut self.inner)
            .await?;
        let environment: EnvironmentId = id(&row, "id")?;
        query("INSERT INTO workspace (id, environment_id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(ids::new_text("ws"))
            .bind(environment.as_str())
            .bind(workspace)
            .execute(&mut self.inner)
            .await?;
        let row = query("SELECT id FROM workspace WHERE environment_id = $1 AND name = $2")
            .bind(environment.as_str())
            .bind(workspace)
            .fetch_one(&mut self.inner)
            .await?;
        Ok((environment, id(&row, "id")?))
    }

    /// The scope of a workspace of any account: for runs, whose workspace was checked when they were created.
    pub(crate) async fn workspace_scope(&mut self, workspace: &WorkspaceId) -> Result<WorkspaceScope> {
        let row = query(concat!(scope_columns!(), "WHERE w.id = $1"))
            .bind(workspace.as_str())
            .fetch_one(&mut self.inner)
            .await?;
        scope(&row)
    }
}
