//! Statements, their arguments and their rows, for both databases.
//!
//! A statement is written once, in what SQLite and PostgreSQL both understand: `$1` for an argument, `CAST(… AS BIGINT)` for a number out
//! of JSON, `json_each($1) list` for a list. PostgreSQL has functions `json_each` and `unhex` of ours for that, and a column `rowid` where
//! one is read. Where the two need different texts, these stand side by side in one [`Sql::Each`].

use std::borrow::Cow;

use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query as Prepared;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Postgres, Row as _, Sqlite};
use tokio::time::timeout;

use super::lent::{Lent, STATEMENT_WITHIN};

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sql {
    /// The same text for both.
    Common(&'static str),
    Each {
        sqlite: &'static str,
        postgres: &'static str,
    },
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Common(text)
    }
}

impl Sql {
    pub(super) const fn sqlite(self) -> &'static str {
        match self {
            Self::Common(sqlite) | Self::Each { sqlite, .. } => sqlite,
        }
    }

    pub(super) const fn postgres(self) -> &'static str {
        match self {
            Self::Common(postgres) | Self::Each { postgres, .. } => postgres,
        }
    }
}

/// A statement that inserts rows in the order of its lists. SQLite reads them so by itself, and would sort them once more; PostgreSQL must
/// be given the order.
macro_rules! in_order {
    ($statement:literal, $order:literal) => {
        $crate::store::sql::Sql::Each {
            sqlite: $statement,
            postgres: concat!($statement, " ORDER BY ", $order),
        }
    };
}
pub(super) use in_order;

/// Connections to one database.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    /// Begins a transaction that may write.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        match self {
            Self::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Transaction::sqlite),
            Self::Postgres(pool) => Lent::begin(pool).await.map(Transaction::postgres),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

#[cfg(test)]
impl Pool {
    /// The connections to SQLite, for tests that are of it alone.
    pub(super) fn sqlite(&self) -> &SqlitePool {
        match self {
            Self::Sqlite(pool) => pool,
            Self::Postgres(_) => panic!("the test is of SQLite alone"),
        }
    }

    /// Runs statements that have no arguments.
    pub(super) async fn run(&self, sqlite: &str, postgres: &str) {
        match self {
            Self::Sqlite(pool) => sqlx::raw_sql(sqlx::AssertSqlSafe(sqlite))
                .execute(pool)
                .await
                .map(drop),
            Self::Postgres(pool) => sqlx::raw_sql(sqlx::AssertSqlSafe(postgres))
                .execute(pool)
                .await
                .map(drop),
        }
        .unwrap();
    }
}

/// A transaction of either database.
pub(super) struct Transaction {
    inner: Begun,
    /// A statement of it has failed. PostgreSQL then does nothing more of it, and answers a commit with a rollback, as if all were well.
    has_failed: bool,
}

enum Begun {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(Lent),
}

impl Transaction {
    pub(super) const fn sqlite(inner: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self {
            inner: Begun::Sqlite(inner),
            has_failed: false,
        }
    }

    pub(super) const fn postgres(inner: Lent) -> Self {
        Self {
            inner: Begun::Postgres(inner),
            has_failed: false,
        }
    }

    /// Whether nothing more can be done in it: a statement of it has failed on PostgreSQL.
    pub(super) const fn is_spent(&self) -> bool {
        self.has_failed && matches!(self.inner, Begun::Postgres(_))
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self.inner {
            Begun::Sqlite(inner) => inner.commit().await,
            Begun::Postgres(inner) if self.has_failed => {
                inner.end("ROLLBACK").await?;
                Err(sqlx::Error::Protocol(
                    "a statement of the transaction failed before its commit".to_owned(),
                ))
            }
            Begun::Postgres(inner) => inner.end("COMMIT").await,
        }
    }

    #[cfg(test)]
    pub(super) async fn rollback(self) -> Result<()> {
        match self.inner {
            Begun::Sqlite(inner) => inner.rollback().await,
            Begun::Postgres(inner) => inner.end("ROLLBACK").await,
        }
    }
}

/// What a statement is run on.
pub(super) enum On<'c> {
    Pool(&'c Pool),
    Transaction(&'c mut Transaction),
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        Self::Pool(pool)
    }
}

impl<'c> From<&'c mut Transaction> for On<'c> {
    fn from(transaction: &'c mut Transaction) -> Self {
        Self::Transaction(transaction)
    }
}

/// An argument of a statement.
#[derive(Clone, Debug)]
pub(super) enum Arg<'q> {
    Int(Option<i64>),
    Bool(bool),
    Text(Option<Cow<'q, str>>),
    Bytes(Cow<'q, [u8]>),
    /// A list as JSON.
    List(Cow<'q, str>),
}

/// A list as JSON, which a statement reads with `json_each`.
pub(super) struct List<T>(pub(super) T);

macro_rules! args {
    ($($from:ty: $value:ident => $arg:expr;)+) => {
        $(impl<'q> From<$from> for Arg<'q> {
            fn from($value: $from) -> Self {
                $arg
            }
        })+
    };
}

args! {
    i64: value => Self::Int(Some(value));
    &i64: value => Self::Int(Some(*value));
    Option<i64>: value => Self::Int(value);
    bool: value => Self::Bool(value);
    &'q str: value => Self::Text(Some(value.into()));
    &'q String: value => Self::Text(Some(value.as_str().into()));
    String: value => Self::Text(Some(value.into()));
    Option<&'q str>: value => Self::Text(value.map(Cow::from));
    &'q [u8]: value => Self::Bytes(value.into());
    Vec<u8>: value => Self::Bytes(value.into());
    List<&'q str>: value => Self::List(value.0.into());
    List<String>: value => Self::List(value.0.into());
}

/// A statement with arguments.
pub(super) struct Query<'q> {
    sql: Sql,
    args: Vec<Arg<'q>>,
}

/// A statement, to be given arguments and run.
pub(super) fn query<'q>(sql: impl Into<Sql>) -> Query<'q> {
    Query {
        sql: sql.into(),
        args: Vec::new(),
    }
}

/// What a statement has changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done(u64);

impl Done {
    pub(super) const fn rows_affected(self) -> u64 {
        self.0
    }
}

/// Runs the query in a session that is lent, within its deadline.
macro_rules! run_lent {
    ($query:ident . $call:ident on $lent:ident, $row:ident => $postgres:expr) => {
        match $lent.session() {
            Ok(session) => {
                let done = timeout(STATEMENT_WITHIN, $query.postgres().$call(session)).await;
                $lent.ended(done, STATEMENT_WITHIN).map(|$row| $postgres)
            }
            Err(error) => Err(error),
        }
    };
}

/// Runs the query on either database, and notes in its transaction where it failed.
macro_rules! run {
    ($query:ident . $call:ident on $on:expr, $row:ident $(. $done:ident)? => $sqlite:expr, $postgres:expr) => {
        match $on.into() {
            On::Pool(Pool::Sqlite(pool)) => $query.sqlite().$call(pool).await.map(|$row| $sqlite),
            On::Pool(Pool::Postgres(pool)) => {
                let mut lent = Lent::of(pool).await?;
                run_lent!($query . $call on lent, $row => $postgres)
            }
            On::Transaction(transaction) => {
                let result = match &mut transaction.inner {
                    Begun::Sqlite(inner) => $query.sqlite().$call(&mut **inner).await.map(|$row| $sqlite),
                    Begun::Postgres(lent) => run_lent!($query . $call on lent, $row => $postgres),
                };
                transaction.has_failed |= result.is_err();
                result
            }
        }
    };
}

impl<'q> Query<'q> {
    /// Gives the next argument.
    pub(super) fn bind(mut self, arg: impl Into<Arg<'q>>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) async fn execute(self, on: impl Into<On<'_>>) -> Result<Done> {
        run!(self.execute on on, done => Done(done.rows_affected()), Done(done.rows_affected()))
    }

    pub(super) async fn fetch_all(self, on: impl Into<On<'_>>) -> Result<Vec<Row>> {
        run!(self.fetch_all on on, rows => rows.into_iter().map(Row::Sqlite).collect(), rows.into_iter().map(Row::Postgres).collect())
    }

    pub(super) async fn fetch_optional(self, on: impl Into<On<'_>>) -> Result<Option<Row>> {
        run!(self.fetch_optional on on, row => row.map(Row::Sqlite), row.map(Row::Postgres))
    }

    pub(super) async fn fetch_one(self, on: impl Into<On<'_>>) -> Result<Row> {
        run!(self.fetch_one on on, row => Row::Sqlite(row), Row::Postgres(row))
    }

    fn sqlite(self) -> Prepared<'q, Sqlite, SqliteArguments> {
        let query = sqlx::query(self.sql.sqlite());
        self.args.into_iter().fold(query, |query, arg| match arg {
            Arg::Int(value) => query.bind(value),
            Arg::Bool(value) => query.bind(value),
            Arg::Text(value) => query.bind(value),
            Arg::Bytes(value) => query.bind(value),
            Arg::List(value) => query.bind(value),
        })
    }

    fn postgres(self) -> Prepared<'q, Postgres, PgArguments> {
        let query = sqlx::query(self.sql.postgres());
        self.args.into_iter().fold(query, |query, arg| match arg {
            Arg::Int(value) => query.bind(value),
            Arg::Bool(value) => query.bind(value),
            Arg::Text(value) => query.bind(value.map(escaped)),
            Arg::Bytes(value) => query.bind(value),
            Arg::List(value) => query.bind(escaped_in_json(value)),
        })
    }
}

/// PostgreSQL's texts hold no NUL, which a sender may have in an id: there it is this character and `0`, and the character itself is the
/// same and `1`. It is one of those that Unicode gives no meaning.
const ESCAPE: char = '\u{e000}';

/// A text as PostgreSQL stores it.
fn escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\0') && !text.contains(ESCAPE) {
        return text;
    }
    text.replace(ESCAPE, "\u{e000}1")
        .replace('\0', "\u{e000}0")
        .into()
}

/// The same of the texts in JSON, where a NUL is written `\u0000`. Of `\\u0000` the first is the escape of the second, and the rest is text.
fn escaped_in_json(json: Cow<'_, str>) -> Cow<'_, str> {
    const NUL: &str = r"\u0000";
    if !json.contains(NUL) && !json.contains(ESCAPE) {
        return json;
    }
    let json = json.replace(ESCAPE, "\u{e000}1");
    let mut out = String::with_capacity(json.len());
    let mut rest = &*json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (taken, written) = if escape.starts_with(NUL) {
            (NUL.len(), "\u{e000}0")
        } else {
            // The escaped character: one byte, since JSON escapes none but those of ASCII.
            let taken = escape.len().min(2);
            (taken, escape.get(..taken).unwrap_or_default())
        };
        out.push_str(written);
        rest = escape.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out.into()
}

/// A text that PostgreSQL has stored.
fn unescaped(text: String) -> String {
    if !text.contains(ESCAPE) {
        return text;
    }
    text.replace("\u{e000}0", "\0").replace("\u{e000}1", "\u{e000}")
}

/// A row of either database.
#[derive(Debug)]
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column.
    pub(super) fn try_get<T: Column>(&self, name: &str) -> Result<T> {
        T::of(self, name)
    }
}

/// What a column is read as.
pub(super) trait Column: Sized {
    fn of(row: &Row, name: &str) -> Result<Self>;
}

macro_rules! columns {
    ($($column:ty),+) => {
        $(impl Column for $column {
            fn of(row: &Row, name: &str) -> Result<Self> {
                match row {
                    Row::Sqlite(row) => row.try_get(name),
                    Row::Postgres(row) => row.try_get(name),
                }
            }
        })+
    };
}

columns!(i64, Option<i64>, bool, Vec<u8>);

impl Column for Option<String> {
    fn of(row: &Row, name: &str) -> Result<Self> {
        match row {
            Row::Sqlite(row) => row.try_get(name),
            Row::Postgres(row) => Ok(row.try_get::<Self, _>(name)?.map(unescaped)),
        }
    }
}

impl Column for String {
    fn of(row: &Row, name: &str) -> Result<Self> {
        match row {
            Row::Sqlite(row) => row.try_get(name),
            Row::Postgres(row) => row.try_get(name).map(unescaped),
        }
    }
}

/// Numbers that are never negative and small.
impl Column for u32 {
    fn of(row: &Row, name: &str) -> Result<Self> {
        let number: i64 = row.try_get(name)?;
        Self::try_from(number).map_err(|error| sqlx::Error::ColumnDecode {
            index: name.to_owned(),
            source: error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_postgresql_cannot_hold_is_read_as_it_was() {
        for text in [
            "",
            "a",
            "\0",
            "a\0b",
            "\\u0000",
            "\\\0",
            "\\\\u0000\0x",
            "é\0\"\\",
            "\\",
            "\u{e000}",
            "\u{e000}0",
            "\u{e000}1\0",
        ] {
            let stored = escaped(text.into()).into_owned();
            assert!(!stored.contains('\0'), "{text:?}");
            let json = serde_json::to_string(&[text]).unwrap();
            let list: Vec<String> = serde_json::from_str(&escaped_in_json(json.into())).unwrap();
            assert_eq!(list, std::slice::from_ref(&stored), "{text:?}");
            assert_eq!(unescaped(stored), text);
        }
    }
}
