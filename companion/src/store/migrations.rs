//! The steps that bring a database's tables up to date, in the order of their versions.
//!
//! A released file is never edited: its checksum is in every database that it was applied to.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Versions with their files: a file that is not there does not compile, and the test below finds one that is not listed.
macro_rules! files {
    ($($version:literal $file:literal),+ $(,)?) => {
        &[$(($version, $file, include_str!(concat!("migrations/", $file)))),+]
    };
}

const FILES: &[(i64, &str, &str)] = files![
    1 "0001_start.sql", 2 "0002_waiting.sql", 3 "0003_oldest.sql", 4 "0004_failing_runs.sql",
    5 "0005_accounts_and_tokens.sql", 6 "0006_intake.sql", 7 "0007_settled.sql", 8 "0008_confirmed.sql",
    9 "0009_token_expiry.sql",
];

/// Applies the files up to and including this version.
pub(super) fn up_to(version: i64) -> Migrator {
    let files = FILES.iter().filter(|(of, ..)| *of <= version);
    let migrations = files.map(|(version, file, statements)| {
        let sql = statements.into_sql_str();
        Migration::new(*version, (*file).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// The newest version.
pub(super) fn newest() -> i64 {
    FILES.last().map_or(0, |(version, ..)| *version)
}

/// Applies all of them.
pub(super) fn all() -> Migrator {
    up_to(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/migrations");
        let files = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = files
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort_unstable();
        let listed: Vec<_> = FILES.iter().map(|(_, file, _)| *file).collect();
        assert_eq!(listed, files);
        for ((version, file, _), at) in FILES.iter().zip(1..) {
            assert!(*version == at && file.starts_with(&format!("{at:04}_")), "{file}");
        }
    }
}
