//! Where a PostgreSQL database is, and why it cannot be used. Its password is in no text that is made here.

use std::fmt::{self, Debug, Display};
use std::str::FromStr as _;
use std::time::Duration;

use scalr_events::nearest;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::{Result, StoreError};
use crate::error_chain;

/// What a URL of a PostgreSQL database begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// What may follow its `?`: of libpq's parameters those that are used.
const PARAMETERS: [&str; 11] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "options",
];
/// Longest wait for a connection at the start.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared: more than there are.
const PREPARED_MAX: usize = 300;

/// A PostgreSQL database.
#[derive(Clone)]
pub(crate) struct Server {
    pub(super) options: PgConnectOptions,
    shown: String,
}

impl Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown).finish()
    }
}

impl Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Server {
    /// Reads a URL. What it does not say, libpq's variables (`PGPASSWORD`, `PGSSLMODE` and so on) and the password file do.
    pub(crate) fn read(url: &str) -> std::result::Result<Self, String> {
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err("write it as `postgres://USER@HOST:5432/DATABASE`".to_owned());
        }
        let (_, parameters) = url.split_once('?').unwrap_or((url, ""));
        // It may be a part of a password, so it is not repeated.
        let is_name = |parameter: &str| parameter.is_empty() || parameter.contains('=');
        if parameters.contains('@') || !parameters.split('&').all(is_name) {
            return Err("what follows its `?` is no parameter. In a password write `?` as `%3F` and `&` as `%26`, or give it in `PGPASSWORD`".to_owned());
        }
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let (name, _) = parameter.split_once('=').unwrap_or((parameter, ""));
            if !PARAMETERS.contains(&name) {
                let name = name.escape_debug();
                return Err(match nearest(&name.to_string(), PARAMETERS) {
                    Some(near) => format!("there is no parameter `{name}`; did you mean `{near}`?"),
                    None => format!(
                        "there is no parameter `{name}`. There are `{}`",
                        PARAMETERS.join("`, `")
                    ),
                });
            }
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| match error {
            sqlx::Error::Configuration(why) => format!("it cannot be read: {why}"),
            error => format!("it cannot be read: {error}"),
        })?;
        Ok(Self {
            options: options
                .application_name("scalr-eventbridge")
                .statement_cache_capacity(PREPARED_MAX)
                .disable_statement_logging(),
            shown: without_password(url),
        })
    }

    /// A connection outside any pool.
    pub(super) async fn connect(&self) -> Result<PgConnection> {
        match tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect_with(&self.options)).await {
            Ok(connected) => connected.map_err(|error| self.unusable(error)),
            Err(_) => Err(self.error(
                format!("it does not answer within {} seconds", CONNECT_WITHIN.as_secs()),
                "Are its host and port right, and does a firewall let this machine through?",
            )),
        }
    }

    /// That it cannot be used, why, and what to do.
    pub(super) fn error(&self, why: impl Into<String>, next: impl Into<String>) -> StoreError {
        StoreError::Server {
            at: self.shown.clone(),
            why: why.into(),
            next: next.into(),
        }
    }

    /// The same of what the driver or the server said.
    pub(super) fn unusable(&self, error: sqlx::Error) -> StoreError {
        let (why, next) = match &error {
            sqlx::Error::Io(io) => self.unreachable(io),
            sqlx::Error::Tls(why) => (
                format!("TLS with it fails: {why}"),
                "See `sslmode` of its URL (`PGSSLMODE`), and `sslrootcert` (`PGSSLROOTCERT`): the file with the authority of its certificate."
                    .to_owned(),
            ),
            sqlx::Error::Database(said) => match self.refused(said.code().as_deref(), said.message()) {
                Some(found) => found,
                None => return StoreError::Sql(error),
            },
            sqlx::Error::PoolTimedOut => (
                format!("it gives no further session within {} seconds", CONNECT_WITHIN.as_secs()),
                "The service has up to five at a time: see the limits of the role (`CONNECTION LIMIT`) and of the server \
                 (`max_connections`), and this program's log."
                    .to_owned(),
            ),
            sqlx::Error::Configuration(why) => (why.to_string(), "Correct `--database-url`.".to_owned()),
            _ => return StoreError::Sql(error),
        };
        self.error(why, next)
    }

    /// Why its tables were not brought up to date.
    pub(super) fn not_migrated(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Migrate(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                self.unusable(error)
            }
            StoreError::Migrate(MigrateError::VersionMismatch(_)) => self.error(
                "its table `_sqlx_migrations` is of another program",
                "Give the service a database of its own, or a schema that the `search_path` of its role begins with.",
            ),
            StoreError::Sql(error) => self.unusable(error),
            error => error,
        }
    }

    fn unreachable(&self, error: &std::io::Error) -> (String, String) {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        let (host, port) = (self.options.get_host(), self.options.get_port());
        if error.to_string().contains("lookup address") {
            return (
                format!("the host `{host}` has no address ({error})"),
                "Correct the host, or see why names (DNS) are not found.".to_owned(),
            );
        }
        let next = "Is PostgreSQL running there, and are host and port right?".to_owned();
        if matches!(error.kind(), ConnectionRefused | NotFound) {
            return (
                format!("nothing answers at `{host}`, port {port} ({error})"),
                next,
            );
        }
        (error_chain::with_causes(error), next)
    }

    fn refused(&self, code: Option<&str>, message: &str) -> Option<(String, String)> {
        let user = self.options.get_username();
        let database = self.options.get_database().unwrap_or(user);
        let (why, next) = match code? {
            "28P01" => (
                format!("the server refuses the password of the role `{user}`, or there was none"),
                "Set `PGPASSWORD`, or write it into the file that `PGPASSFILE` names (`~/.pgpass` else), which only its owner may read."
                    .to_owned(),
            ),
            "28000" => (
                format!("the server does not let the role `{user}` in: {message}"),
                "See its `pg_hba.conf`, and `sslmode` of the URL.".to_owned(),
            ),
            "3D000" => (
                format!("there is no database `{database}` on the server"),
                format!("Create it: CREATE DATABASE \"{database}\" OWNER \"{user}\"."),
            ),
            "42501" => (
                format!("the role `{user}` lacks a right: {message}"),
                format!(
                    "It must be able to create tables and functions in its schema: make it the owner of the database, or \
                     GRANT USAGE, CREATE ON SCHEMA public TO \"{user}\"."
                ),
            ),
            "53300" => (
                format!("the server takes no more connections: {message}"),
                "Raise `max_connections` there, or end other connections: this service needs six.".to_owned(),
            ),
            "57P03" => (
                format!("the server is not ready: {message}"),
                "Start again once it is.".to_owned(),
            ),
            _ => return None,
        };
        Some((why, next))
    }
}

/// A URL without its password, to be shown; also one that cannot be read.
pub(crate) fn without_password(url: &str) -> String {
    let (url, parameters) = url
        .split_once('?')
        .map_or((url, None), |(url, rest)| (url, Some(rest)));
    let (scheme, rest) = url
        .split_once("://")
        .map_or(("", url), |(scheme, rest)| (scheme, rest));
    let mut shown = if scheme.is_empty() {
        String::new()
    } else {
        format!("{scheme}://")
    };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let (name, has_password) = user
                .split_once(':')
                .map_or((user, false), |(name, _)| (name, true));
            shown.push_str(name);
            shown.push_str(if has_password { ":…@" } else { "@" });
            shown.push_str(host);
        }
        None => shown.push_str(rest),
    }
    if let Some(parameters) = parameters {
        // An `@` here: the `?` was part of a password.
        if parameters.contains('@') {
            return "…".to_owned();
        }
        let parameters = parameters.split('&').map(|one| match one.split_once('=') {
            Some(("password", _)) => "password=…",
            Some(_) => one,
            None => "…",
        });
        shown.push('?');
        shown.push_str(&parameters.collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, want) in [
            ("postgres://h/d", "postgres://h/d"),
            ("postgres://u@h:1/d", "postgres://u@h:1/d"),
            ("postgres://u:hidden@h/d", "postgres://u:…@h/d"),
            ("postgres://u:hid@den@h/d", "postgres://u:…@h/d"),
            ("postgres://u:hid/den@h/d", "postgres://u:…@h/d"),
            ("postgres://u:hid?den@h/d", "…"),
            ("u:hidden@h", "u:…@h"),
            ("postgres://h/d?password=a&hidden", "postgres://h/d?password=…&…"),
            (
                "postgres:///d?host=/run&password=hidden&sslmode=require",
                "postgres:///d?host=/run&password=…&sslmode=require",
            ),
        ] {
            assert_eq!(without_password(url), want, "{url}");
        }
        let server = Server::read("postgres://u:hidden@h/d?password=hidden").unwrap();
        assert!(!format!("{server} {server:?}").contains("hidden"));
    }

    #[track_caller]
    fn refused(url: &str, want: &str) {
        let why = Server::read(url).unwrap_err();
        assert!(why.contains(want) && !why.contains("hidden"), "{url}: {why}");
    }

    #[test]
    fn what_a_url_cannot_mean_is_refused_with_what_would_be_right() {
        refused(
            "mysql://u:hidden@h/d",
            "write it as `postgres://USER@HOST:5432/DATABASE`",
        );
        refused("/var/lib", "write it as");
        refused("postgres://u:hid?hidden@h/d", "write `?` as `%3F`");
        refused("postgres://h/d?password=a&hidden", "write `?` as `%3F`");
        refused(
            "postgres://u:hidden@h/d?ssl_mode=require",
            "did you mean `sslmode`?",
        );
        refused(
            "postgres://h/d?connect_timeout=3",
            "there is no parameter `connect_timeout`",
        );
        refused("postgres://h/d?sslmode=maybe", "maybe");
        refused("postgres://u:hid/hidden@h/d", "it cannot be read");
        refused("postgres://h:port/d", "it cannot be read");
    }
}
