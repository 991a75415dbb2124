//! Accounts: what every object belongs to.

use scalr_api::AccountId;

use super::database::{Store, Tx};
use super::error::Result;
use super::row::{Found, Window, count, found, id};
use super::sql::{Row, query};

/// The account of deleted connections that still have events: no caller's, and in no list.
pub(super) const DELETED: &str = "acc-deleted-connections";
/// Its name, which no other account can have: names have no spaces.
pub(super) const DELETED_NAME: &str = "deleted connections";

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) name: String,
    /// Unknown of one that an earlier version made.
    pub(crate) created_at_ms: Option<i64>,
    /// Its tokens are refused since then.
    pub(crate) disabled_at_ms: Option<i64>,
}

fn account(row: &Row) -> Result<Account> {
    Ok(Account {
        id: id(row, "id")?,
        name: row.try_get("name")?,
        created_at_ms: row.try_get("created_at_ms")?,
        disabled_at_ms: row.try_get("disabled_at_ms")?,
    })
}

/// The account `$2`, unless it is `$1`.
const BY_ID: &str = "SELECT * FROM account WHERE id <> $1 AND id = $2";

impl Store {
    /// The name of an account.
    pub(crate) async fn account_name(&self, account: &AccountId) -> Result<Option<String>> {
        let row = query("SELECT name FROM account WHERE id = $1")
            .bind(account.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| Ok(row.try_get("name")?)).transpose()
    }

    /// An account, for operators.
    pub(crate) async fn account(&self, id: &str) -> Result<Option<Account>> {
        let row = query(BY_ID)
            .bind(DELETED)
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(account).transpose()
    }

    /// All accounts, for operators; by exact name where given.
    pub(crate) async fn accounts(&self, name: Option<&str>, window: Window) -> Result<Found<Account>> {
        let rows = query(
            "WITH found AS (SELECT *, rowid AS position FROM account WHERE id <> $1 AND ($2 IS NULL OR name = $2))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found) AS counted
             LEFT JOIN (SELECT * FROM found ORDER BY position LIMIT $3 OFFSET $4) AS page ON TRUE ORDER BY position",
        )
        .bind(DELETED)
        .bind(name)
        .bind(window.limit)
        .bind(window.offset)
        .fetch_all(&self.read)
        .await?;
        found(&rows, account)
    }
}

impl Tx {
    /// An account, as this transaction sees it.
    pub(crate) async fn account(&mut self, id: &str) -> Result<Option<Account>> {
        let row = query(BY_ID)
            .bind(DELETED)
            .bind(id)
            .fetch_optional(&mut self.inner)
            .await?;
        row.as_ref().map(account).transpose()
    }

    /// How many accounts there are.
    pub(crate) async fn count_accounts(&mut self) -> Result<u64> {
        let row = query("SELECT COUNT(*) AS total FROM account WHERE id <> $1")
            .bind(DELETED)
            .fetch_one(&mut self.inner)
            .await?;
        Ok(count(row.try_get("total")?))
    }

    /// Writes a new account, which selects no connection for its audit log.
    pub(crate) async fn insert_account(
        &mut self,
        id: &AccountId,
        name: &str,
        created_at_ms: i64,
    ) -> Result<()> {
        query("INSERT INTO account (id, name, created_at_ms) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(name)
            .bind(created_at_ms)
            .execute(&mut self.inner)
            .await?;
        query("INSERT INTO audit_log_setting (account_id) VALUES ($1)")
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// The accounts in which no run could be started.
    pub(crate) async fn accounts_without_workspace(&mut self) -> Result<Vec<AccountId>> {
        let rows = query(
            "SELECT id FROM account a WHERE id <> $1 AND NOT EXISTS (
               SELECT 1 FROM workspace w JOIN environment e ON e.id = w.environment_id WHERE e.account_id = a.id)",
        )
        .bind(DELETED)
        .fetch_all(&mut self.inner)
        .await?;
        rows.iter().map(|row| id(row, "id")).collect()
    }

    /// Disables an account, or enables it.
    pub(crate) async fn set_disabled(&mut self, id: &AccountId, disabled_at_ms: Option<i64>) -> Result<()> {
        query("UPDATE account SET disabled_at_ms = $1 WHERE id = $2")
            .bind(disabled_at_ms)
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }
}
