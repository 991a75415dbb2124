//! A session of a PostgreSQL server while it is used. Whatever is done in it has a deadline, after which it is closed and not used again:
//! where a network drops packets, a statement would otherwise wait for as long as the kernel sends them again, or for good.

use std::io;
use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use tokio::runtime::Handle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::error::late;

/// Longest wait for the answer to a statement, which a server that works gives within a second.
pub(super) const STATEMENT_WITHIN: Duration = Duration::from_secs(20);
/// The same for the begin of a transaction, which is tried once more in a new session.
const BEGIN_WITHIN: Duration = Duration::from_secs(10);

/// A session, lent by its pool.
pub(super) struct Lent {
    /// None once it was given up.
    session: Option<PoolConnection<Postgres>>,
    /// A transaction may be open in it, which is rolled back where nothing ends it.
    is_open: bool,
}

impl Lent {
    /// A session for a statement of its own.
    pub(super) async fn of(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self {
            session: Some(pool.acquire().await?),
            is_open: false,
        })
    }

    /// A session in which a transaction has begun. Where the caller is gone before the answer, that transaction is rolled back too.
    pub(super) async fn begin(pool: &PgPool) -> sqlx::Result<Self> {
        let mut lent = Self::of(pool).await?;
        lent.is_open = true;
        let begun = timeout(BEGIN_WITHIN, sqlx::raw_sql("BEGIN").execute(lent.session()?)).await;
        lent.ended(begun, BEGIN_WITHIN)?;
        Ok(lent)
    }

    /// Ends the transaction so.
    pub(super) async fn end(mut self, how: &'static str) -> sqlx::Result<()> {
        let ended = timeout(STATEMENT_WITHIN, sqlx::raw_sql(how).execute(self.session()?)).await;
        let ended = self.ended(ended, STATEMENT_WITHIN);
        match &ended {
            // The server has answered, and that ends it.
            Ok(_) | Err(sqlx::Error::Database(_)) => self.is_open = false,
            Err(_) => self.give_up(),
        }
        ended.map(drop)
    }

    /// The session.
    pub(super) fn session(&mut self) -> sqlx::Result<&mut PgConnection> {
        match &mut self.session {
            Some(session) => Ok(&mut *session),
            None => Err(sqlx::Error::Io(io::Error::new(
                io::ErrorKind::NotConnected,
                "the session was closed, since the server did not answer",
            ))),
        }
    }

    /// What a statement came to; one that was not answered ends the session.
    pub(super) fn ended<T>(
        &mut self,
        done: Result<sqlx::Result<T>, Elapsed>,
        within: Duration,
    ) -> sqlx::Result<T> {
        done.unwrap_or_else(|_| {
            self.give_up();
            Err(late("the server has not answered", within))
        })
    }

    /// Closes the session at once: asked to end it, the server might not answer either.
    fn give_up(&mut self) {
        drop(self.session.take().map(PoolConnection::detach));
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else {
            return self.give_up();
        };
        if let Some(session) = self.session.take() {
            runtime.spawn(give_back(session, self.is_open));
        }
    }
}

/// Gives a session back to its pool, which first asks whether it still answers, and by itself would wait for that without end. (sqlx hides
/// `return_to_pool` in its documentation; it is what its own `Drop` spawns.)
async fn give_back(mut session: PoolConnection<Postgres>, is_open: bool) {
    if is_open {
        let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut *session);
        if !matches!(timeout(STATEMENT_WITHIN, rollback).await, Ok(Ok(_))) {
            drop(session.detach());
            return;
        }
    }
    // Given up, it is closed, and the pool makes another.
    drop(timeout(STATEMENT_WITHIN, session.return_to_pool()).await);
}
