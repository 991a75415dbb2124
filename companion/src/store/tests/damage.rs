//! A database that was cut or overwritten is refused by name, and so is an unreadable one of another kind.

use std::fs;

use super::super::directory::DATABASE as FILE;
use super::super::{Durability, Place, Store, lock};
use crate::error_chain;
use crate::testing::BOUNDS;

/// What opening says after the database was opened, closed and then changed to this.
async fn check(bytes: Option<&[u8]>, expected: &str) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Directory(lock(dir.path()).unwrap());
    let store = Store::open(&place, Durability::None, BOUNDS).await.unwrap();
    store.close().await;
    let file = dir.path().join(FILE);
    match bytes {
        Some(bytes) => fs::write(&file, bytes).unwrap(),
        None => fs::remove_file(&file).unwrap(),
    }
    let said = match Store::open(&place, Durability::None, BOUNDS).await {
        Ok(_) => "it opens".to_owned(),
        Err(error) => error_chain::with_causes(&error),
    };
    assert!(said.contains(expected), "{said}");
    if expected != "it opens" {
        assert!(
            said.contains(FILE) && said.contains("move the data directory away"),
            "{said}"
        );
        assert_eq!(fs::read(&file).ok().as_deref(), bytes, "it is left as it is");
    }
}

#[tokio::test]
async fn a_database_without_bytes_or_of_other_bytes_is_damage() {
    check(Some(b""), "it has no bytes").await;
    check(Some(&[7; 5000]), "is damaged").await;
    // Whoever removes it wants a new one.
    check(None, "it opens").await;
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Directory(lock(dir.path()).unwrap());
    fs::write(dir.path().join("companion.new"), "half").unwrap();
    let store = Store::open(&place, Durability::None, BOUNDS).await.unwrap();
    store.close().await;
    assert!(!dir.path().join("companion.new").exists());
}
