//! The installation: the account that `dev` has in a data directory, the token that opens it, and its first workspace.

use scalr_api::{AccountId, EnvironmentId, WorkspaceId};

use super::database::Tx;
use super::error::Result;
use super::row::id;
use super::sql::query;
use crate::caller::DEV_TOKEN_ID;
use crate::token::Token;

/// The account of `dev`, with its token and its first workspace.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) token: Token,
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) workspace_id: WorkspaceId,
}

impl Tx {
    /// Inserts the first account, environment and workspace unless an earlier process did; returns what is stored.
    pub(crate) async fn install(
        &mut self,
        wanted: &Installation,
        names: (&str, &str),
    ) -> Result<Installation> {
        let found = query(
            "SELECT i.token, a.id AS account_id, a.name AS account, e.id AS environment_id, w.id AS workspace_id
             FROM installation i, account a JOIN environment e ON e.account_id = a.id
             JOIN workspace w ON w.environment_id = e.id
             ORDER BY a.id = (SELECT account_id FROM token WHERE id = $1) DESC, a.rowid, e.rowid, w.rowid LIMIT 1",
        )
        .bind(DEV_TOKEN_ID)
        .fetch_optional(&mut self.inner)
        .await?;
        if let Some(row) = found {
            return Ok(Installation {
                token: Token::new(row.try_get::<String>("token")?),
                account_id: id(&row, "account_id")?,
                account_name: row.try_get("account")?,
                environment_id: id(&row, "environment_id")?,
                workspace_id: id(&row, "workspace_id")?,
            });
        }
        self.seed(wanted, names).await?;
        Ok(wanted.clone())
    }

    /// Has this token open the account of `dev`, and keeps its text: `dev` prints it at each start.
    pub(crate) async fn set_token(&mut self, account: &AccountId, token: &Token, now_ms: i64) -> Result<()> {
        query("UPDATE installation SET token = $1")
            .bind(token.reveal())
            .execute(&mut self.inner)
            .await?;
        self.admit_dev(account, token, now_ms).await
    }

    /// Whether the directory is a service's: it has operators, and no token of `dev`.
    pub(crate) async fn is_of_service(&mut self) -> Result<bool> {
        let row = query(
            "SELECT NOT EXISTS (SELECT 1 FROM installation)
                    AND EXISTS (SELECT 1 FROM token WHERE account_id IS NULL) AS yes",
        )
        .fetch_one(&mut self.inner)
        .await?;
        Ok(row.try_get("yes")?)
    }

    /// Revokes the token of `dev`, and forgets its text.
    pub(crate) async fn take_over_from_dev(&mut self, now_ms: i64) -> Result<()> {
        query("DELETE FROM installation").execute(&mut self.inner).await?;
        query("UPDATE token SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL")
            .bind(now_ms)
            .bind(DEV_TOKEN_ID)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    async fn seed(&mut self, wanted: &Installation, (environment, workspace): (&str, &str)) -> Result<()> {
        let (account, env, ws) = (&wanted.account_id, &wanted.environment_id, &wanted.workspace_id);
        query("INSERT INTO installation (only_one, token) VALUES (1, $1)")
            .bind(wanted.token.reveal())
            .execute(&mut self.inner)
            .await?;
        query("INSERT INTO account (id, name) VALUES ($1, $2)")
            .bind(account.as_str())
            .bind(&wanted.account_name)
            .execute(&mut self.inner)
            .await?;
        query("INSERT INTO audit_log_setting (account_id) VALUES ($1)")
            .bind(account.as_str())
            .execute(&mut self.inner)
            .await?;
        query("INSERT INTO environment (id, account_id, name) VALUES ($1, $2, $3)")
            .bind(env.as_str())
            .bind(account.as_str())
            .bind(environment)
            .execute(&mut self.inner)
            .await?;
        query("INSERT INTO workspace (id, environment_id, name) VALUES ($1, $2, $3)")
            .bind(ws.as_str())
            .bind(env.as_str())
            .bind(workspace)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}
