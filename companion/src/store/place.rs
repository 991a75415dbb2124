//! Accounts, environments and workspaces, and the installation they belong to.

use scalr_api::{AccountId, EnvironmentId, WorkspaceId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Found, Result, Store, StoreError, Tx, Window, count};
use crate::token::Token;

/// The account everything hangs on, with the token that opens it and the first workspace.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) token: Token,
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) workspace_id: WorkspaceId,
}

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

/// A workspace with the names of everything around it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) account_id: AccountId,
    pub(crate) account: String,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) environment: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) workspace: String,
}

pub(super) fn id<K>(row: &SqliteRow, column: &str) -> Result<scalr_api::Id<K>> {
    let text: String = row.try_get(column)?;
    scalr_api::Id::new(text).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn environment(row: &SqliteRow) -> Result<Environment> {
    Ok(Environment {
        id: id(row, "id")?,
        account_id: id(row, "account_id")?,
        name: row.try_get("name")?,
    })
}

fn workspace(row: &SqliteRow) -> Result<Workspace> {
    Ok(Workspace {
        id: id(row, "id")?,
        environment_id: id(row, "environment_id")?,
        name: row.try_get("name")?,
    })
}

fn place(row: &SqliteRow) -> Result<Place> {
    Ok(Place {
        account_id: id(row, "account_id")?,
        account: row.try_get("account")?,
        environment_id: id(row, "environment_id")?,
        environment: row.try_get("environment")?,
        workspace_id: id(row, "workspace_id")?,
        workspace: row.try_get("workspace")?,
    })
}

impl Tx {
    /// Writes the first account, environment and workspace, unless an earlier process did; answers what holds.
    pub(crate) async fn install(
        &mut self,
        wanted: &Installation,
        names: (&str, &str),
    ) -> Result<Installation> {
        let found = sqlx::query(
            "SELECT i.token, a.id AS account_id, a.name AS account, e.id AS environment_id, w.id AS workspace_id
             FROM installation i, account a JOIN environment e ON e.account_id = a.id
             JOIN workspace w ON w.environment_id = e.id ORDER BY a.rowid, e.rowid, w.rowid LIMIT 1",
        )
        .fetch_optional(&mut *self.inner)
        .await?;
        if let Some(row) = found {
            return Ok(Installation {
                token: Token::new(row.try_get::<String, _>("token")?),
                account_id: id(&row, "account_id")?,
                account_name: row.try_get("account")?,
                environment_id: id(&row, "environment_id")?,
                workspace_id: id(&row, "workspace_id")?,
            });
        }
        self.plant(wanted, names).await?;
        Ok(wanted.clone())
    }

    async fn plant(&mut self, wanted: &Installation, (environment, workspace): (&str, &str)) -> Result<()> {
        let (account, env, ws) = (&wanted.account_id, &wanted.environment_id, &wanted.workspace_id);
        sqlx::query("INSERT INTO installation (only_one, token) VALUES (1, ?)")
            .bind(wanted.token.reveal())
            .execute(&mut *self.inner)
            .await?;
        sqlx::query("INSERT INTO account (id, name) VALUES (?, ?)")
            .bind(account.as_str())
            .bind(&wanted.account_name)
            .execute(&mut *self.inner)
            .await?;
        sqlx::query("INSERT INTO audit_log_setting (account_id) VALUES (?)")
            .bind(account.as_str())
            .execute(&mut *self.inner)
            .await?;
        sqlx::query("INSERT INTO environment (id, account_id, name) VALUES (?, ?, ?)")
            .bind(env.as_str())
            .bind(account.as_str())
            .bind(environment)
            .execute(&mut *self.inner)
            .await?;
        sqlx::query("INSERT INTO workspace (id, environment_id, name) VALUES (?, ?, ?)")
            .bind(ws.as_str())
            .bind(env.as_str())
            .bind(workspace)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}

impl Store {
    /// The name of an account.
    pub(crate) async fn account_name(&self, account: &AccountId) -> Result<Option<String>> {
        let row = sqlx::query("SELECT name FROM account WHERE id = ?")
            .bind(account.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| Ok(row.try_get("name")?)).transpose()
    }

    /// Environments of an account by exact account, id and name, where given.
    pub(crate) async fn environments(
        &self,
        account: &AccountId,
        [of, id, name]: [Option<&str>; 3],
        window: Window,
    ) -> Result<Found<Environment>> {
        let rows = sqlx::query(
            "WITH found AS (
               SELECT *, rowid AS place FROM environment
               WHERE account_id = ?1 AND (?2 IS NULL OR account_id = ?2) AND (?3 IS NULL OR id = ?3)
                 AND (?4 IS NULL OR name = ?4))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found)
             LEFT JOIN (SELECT * FROM found ORDER BY place LIMIT ?5 OFFSET ?6) ON TRUE ORDER BY place",
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
        let rows = sqlx::query(
            "WITH found AS (
               SELECT w.*, w.rowid AS place FROM workspace w JOIN environment e ON e.id = w.environment_id
               WHERE e.account_id = ?1 AND (?2 IS NULL OR e.account_id = ?2) AND (?3 IS NULL OR w.id = ?3)
                 AND (?4 IS NULL OR e.id = ?4) AND (?5 IS NULL OR w.name = ?5))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found)
             LEFT JOIN (SELECT * FROM found ORDER BY place LIMIT ?6 OFFSET ?7) ON TRUE ORDER BY place",
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

    /// A workspace of an account, with the names around it.
    pub(crate) async fn place(&self, account: &AccountId, workspace: &str) -> Result<Option<Place>> {
        let row = sqlx::query(
            "SELECT a.id AS account_id, a.name AS account, e.id AS environment_id, e.name AS environment,
                    w.id AS workspace_id, w.name AS workspace
             FROM workspace w JOIN environment e ON e.id = w.environment_id JOIN account a ON a.id = e.account_id
             WHERE a.id = ?1 AND w.id = ?2",
        )
        .bind(account.as_str())
        .bind(workspace)
        .fetch_optional(&self.read)
        .await?;
        row.as_ref().map(place).transpose()
    }
}

impl Tx {
    /// A workspace with the names around it, whoever's it is: for runs, which were admitted before.
    pub(crate) async fn place_of(&mut self, workspace: &WorkspaceId) -> Result<Place> {
        let row = sqlx::query(
            "SELECT a.id AS account_id, a.name AS account, e.id AS environment_id, e.name AS environment,
                    w.id AS workspace_id, w.name AS workspace
             FROM workspace w JOIN environment e ON e.id = w.environment_id JOIN account a ON a.id = e.account_id
             WHERE w.id = ?",
        )
        .bind(workspace.as_str())
        .fetch_one(&mut *self.inner)
        .await?;
        place(&row)
    }
}

/// Reads a page whose rows carry the `total` of all pages; a page beyond the last is one row with that alone.
pub(super) fn found<T>(rows: &[SqliteRow], read: impl Fn(&SqliteRow) -> Result<T>) -> Result<Found<T>> {
    let total = rows
        .first()
        .map(|row| row.try_get("total"))
        .transpose()?
        .map_or(0, count);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        if row.try_get::<Option<i64>, _>("place")?.is_some() {
            items.push(read(row)?);
        }
    }
    Ok(Found { items, total })
}
