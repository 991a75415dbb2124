//! Connections to AWS, and the status of each.

use scalr_api::{AccountId, ConnectionId, Status};

use super::database::{Store, Tx};
use super::error::Result;
use super::feed::What;
use super::row::{Found, Window, count, found, id, readable_ids};
use super::source::SourceKey;
use super::sql::{Row, query};

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) account_id: AccountId,
    pub(crate) name: String,
    pub(crate) source: SourceKey,
    pub(crate) source_made: bool,
    pub(crate) status: Status,
    pub(crate) error_message: Option<String>,
    /// Version of the status: it grows with each change of the status, and with each pause.
    pub(crate) status_version: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct NewConnection {
    pub(crate) id: ConnectionId,
    pub(crate) account_id: AccountId,
    pub(crate) name: String,
    pub(crate) source: SourceKey,
    pub(crate) now_ms: i64,
}

fn connection(row: &Row) -> Result<Connection> {
    let status: String = row.try_get("status")?;
    Ok(Connection {
        id: id(row, "id")?,
        account_id: id(row, "account_id")?,
        name: row.try_get("name")?,
        source: SourceKey {
            name: row.try_get("source")?,
            region: row.try_get("region")?,
            aws_account_id: row.try_get("aws_account_id")?,
        },
        source_made: row.try_get("source_made")?,
        status: match status.as_str() {
            "pending" => Status::Pending,
            "active" => Status::Active,
            "disabled" => Status::Disabled,
            "failed" => Status::Failed,
            _ => Status::Other(status),
        },
        error_message: row.try_get("error_message")?,
        status_version: row.try_get("decision")?,
    })
}

/// Of the events of the connection `$1`: while it was not active, AWS was not asked to take them.
pub(super) const FORGET_REFUSALS: &str = "UPDATE outbox SET refused_since_ms = NULL
     WHERE connection_id = $1 AND last_error IS NOT NULL AND refused_since_ms IS NOT NULL";

impl Store {
    /// A connection of an account.
    pub(crate) async fn connection(&self, account: &AccountId, id: &str) -> Result<Option<Connection>> {
        let row = query("SELECT * FROM connection WHERE account_id = $1 AND id = $2")
            .bind(account.as_str())
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(connection).transpose()
    }

    /// A connection by id alone: for the companion's own tasks, which have no caller.
    pub(crate) async fn connection_by_id(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let row = query("SELECT * FROM connection WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(connection).transpose()
    }

    /// Connections of an account, by exact name where given.
    pub(crate) async fn connections(
        &self,
        account: &AccountId,
        [name]: [Option<&str>; 1],
        window: Window,
    ) -> Result<Found<Connection>> {
        let rows = query(
            "WITH found AS (SELECT *, rowid AS position FROM connection WHERE account_id = $1 AND ($2 IS NULL OR name = $2))
             SELECT * FROM (SELECT COUNT(*) AS total FROM found) AS counted
             LEFT JOIN (SELECT * FROM found ORDER BY position LIMIT $3 OFFSET $4) AS page ON TRUE ORDER BY position",
        )
        .bind(account.as_str())
        .bind(name)
        .bind(window.limit)
        .bind(window.offset)
        .fetch_all(&self.read)
        .await?;
        found(&rows, connection)
    }

    /// Connections whose source AWS is not known to have, and which have not failed.
    pub(crate) async fn connections_without_source(&self) -> Result<Vec<ConnectionId>> {
        let rows = query("SELECT id FROM connection WHERE NOT source_made AND status <> 'failed'")
            .fetch_all(&self.read)
            .await?;
        Ok(readable_ids(&rows))
    }
}

impl Tx {
    /// Writes a new connection, pending.
    pub(crate) async fn insert_connection(&mut self, new: &NewConnection) -> Result<()> {
        query(
            "INSERT INTO connection (id, account_id, name, aws_account_id, region, source, status, created_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7)",
        )
        .bind(new.id.as_str())
        .bind(new.account_id.as_str())
        .bind(&new.name)
        .bind(&new.source.aws_account_id)
        .bind(&new.source.region)
        .bind(&new.source.name)
        .bind(new.now_ms)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// A connection of an account, as this transaction sees it.
    pub(crate) async fn connection(&mut self, account: &AccountId, id: &str) -> Result<Option<Connection>> {
        let row = query("SELECT * FROM connection WHERE account_id = $1 AND id = $2")
            .bind(account.as_str())
            .bind(id)
            .fetch_optional(&mut self.inner)
            .await?;
        row.as_ref().map(connection).transpose()
    }

    /// Sets a connection's status with its error, and clears the backoff of its delivery. Where it is active then, the
    /// commit wakes delivery.
    ///
    /// A pause raises the version even where it changes nothing: a resume that was requested before it must not win. So does an answer
    /// that the source is ACTIVE: a look that was made before it must not win.
    pub(crate) async fn set_status(
        &mut self,
        id: &ConnectionId,
        status: &Status,
        error: Option<&str>,
    ) -> Result<()> {
        query(
            "UPDATE connection SET status = $1, error_message = $2,
               decision = decision + CASE WHEN status <> $1 OR $1 = 'disabled' OR ($1 = 'active' AND $2 IS NULL) THEN 1 ELSE 0 END
             WHERE id = $3",
        )
        .bind(status.as_str())
        .bind(error)
        .bind(id.as_str())
        .execute(&mut self.inner)
        .await?;
        query("UPDATE delivery SET failures = 0, retry_at_ms = 0 WHERE connection_id = $1")
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        if matches!(status, Status::Pending | Status::Failed) {
            self.doubt(id).await?;
        }
        if *status == Status::Active {
            query(FORGET_REFUSALS)
                .bind(id.as_str())
                .execute(&mut self.inner)
                .await?;
            self.wake_delivery();
        }
        self.note(id.as_str(), What::Status);
        Ok(())
    }

    /// Moves an active connection to another status: its events cannot arrive. One that was paused meanwhile stays paused, and with
    /// `base`, a version of the status, one whose status was decided on meanwhile stays what it is. What AWS acknowledged since the last
    /// good look at its source is in doubt.
    pub(crate) async fn stop_sending(
        &mut self,
        id: &ConnectionId,
        status: &Status,
        error: Option<&str>,
        base: Option<i64>,
    ) -> Result<()> {
        query(
            "UPDATE connection SET decision = decision + 1, status = $1, error_message = $2
             WHERE id = $3 AND status = 'active' AND ($4 IS NULL OR decision = $4)",
        )
        .bind(status.as_str())
        .bind(error)
        .bind(id.as_str())
        .bind(base)
        .execute(&mut self.inner)
        .await?;
        self.doubt(id).await?;
        self.note(id.as_str(), What::Status);
        Ok(())
    }

    /// Sets a connection's error message without changing its status.
    pub(crate) async fn set_error(&mut self, id: &ConnectionId, error: Option<&str>) -> Result<()> {
        query("UPDATE connection SET error_message = $1 WHERE id = $2")
            .bind(error)
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Records whether AWS has a connection's source. Where it has not, what AWS acknowledged since the last good look is in doubt: a
    /// source that is made again soon has its first good look.
    pub(crate) async fn set_source_made(&mut self, id: &ConnectionId, made: bool) -> Result<()> {
        query("UPDATE connection SET source_made = $1 WHERE id = $2")
            .bind(made)
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        if !made {
            self.doubt(id).await?;
        }
        Ok(())
    }

    /// Deletes a connection with the events it holds; its source is queued for removal.
    pub(crate) async fn delete_connection(&mut self, connection: &Connection) -> Result<()> {
        let source = &connection.source;
        query("INSERT INTO source_removal (source, region, aws_account_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(&source.name)
            .bind(&source.region)
            .bind(&source.aws_account_id)
            .execute(&mut self.inner)
            .await?;
        self.note(connection.id.as_str(), What::Status);
        self.delete_with_events(&connection.id).await
    }

    /// How many connections an account has.
    pub(crate) async fn count_connections(&mut self, account: &AccountId) -> Result<u64> {
        let row = query("SELECT COUNT(*) AS total FROM connection WHERE account_id = $1")
            .bind(account.as_str())
            .fetch_one(&mut self.inner)
            .await?;
        Ok(count(row.try_get("total")?))
    }

    /// Every connection of an account.
    pub(super) async fn connection_ids(&mut self, account: &AccountId) -> Result<Vec<ConnectionId>> {
        let rows = query("SELECT id FROM connection WHERE account_id = $1 ORDER BY rowid")
            .bind(account.as_str())
            .fetch_all(&mut self.inner)
            .await?;
        Ok(readable_ids(&rows))
    }
}
