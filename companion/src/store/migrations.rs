//! The steps that bring a database's tables up to date, in the order of their versions.
//!
//! A released file is never edited: its checksum is in every database that it was applied to.

use std::ops::Deref;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::error::{Result, StoreError};

/// Versions with their files: a file that is not there does not compile, and the test below finds one that is not listed.
macro_rules! files {
    ($folder:literal: $($version:literal $file:literal),+ $(,)?) => {
        Files(&[$(($version, $file, include_str!(concat!("migrations/", $folder, "/", $file)))),+])
    };
}

/// Versions, their files and what these say.
pub(super) struct Files(&'static [(i64, &'static str, &'static str)]);

/// Those of SQLite.
pub(super) const SQLITE: Files = files!["sqlite":
    1 "0001_start.sql", 2 "0002_waiting.sql", 3 "0003_oldest.sql", 4 "0004_failing_runs.sql",
    5 "0005_accounts_and_tokens.sql", 6 "0006_intake.sql", 7 "0007_settled.sql", 8 "0008_confirmed.sql",
    9 "0009_token_expiry.sql",
];

/// Those of PostgreSQL.
pub(super) const POSTGRES: Files = files!["postgres": 1 "0001_start.sql", 2 "0002_token_expiry.sql"];

impl Files {
    /// Applies the files up to and including this version.
    pub(super) fn up_to(&self, version: i64) -> Migrator {
        let files = self.0.iter().filter(|(of, ..)| *of <= version);
        let migrations = files.map(|(version, file, statements)| {
            let sql = statements.into_sql_str();
            Migration::new(*version, (*file).into(), MigrationType::Simple, sql, false)
        });
        let mut migrator = Migrator::with_migrations(migrations.collect());
        // The process has the database for itself already.
        migrator.set_locking(false);
        migrator
    }

    /// The newest version.
    pub(super) fn newest(&self) -> i64 {
        self.0.last().map_or(0, |(version, ..)| *version)
    }

    /// Applies all of them.
    pub(super) async fn run<'a, A>(&self, on: A) -> Result<()>
    where
        A: sqlx::Acquire<'a>,
        <A::Connection as Deref>::Target: Migrate,
    {
        let migrated = self.up_to(i64::MAX).run(on).await;
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::Newer {
                version,
                known: self.newest(),
            },
            error => StoreError::Migrate(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, POSTGRES, SQLITE};

    #[test]
    fn the_list_is_the_folder() {
        for (Files(listed), folder) in [(SQLITE, "sqlite"), (POSTGRES, "postgres")] {
            let folder = format!("{}/src/store/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
            let files = std::fs::read_dir(folder).unwrap();
            let mut files: Vec<_> = files
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort_unstable();
            let names: Vec<_> = listed.iter().map(|(_, file, _)| *file).collect();
            assert_eq!(names, files);
            for ((version, file, _), at) in listed.iter().zip(1..) {
                assert!(*version == at && file.starts_with(&format!("{at:04}_")), "{file}");
            }
        }
    }
}
