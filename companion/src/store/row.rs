//! Rows as values: ids, counts, and pages of a list.

use super::error::{Result, StoreError};
use super::sql::Row;

/// One page of a list, as a query needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// One page, and how many objects there are on all pages.
pub(crate) struct Found<T> {
    pub(crate) items: Vec<T>,
    pub(crate) total: u64,
}

/// The id in a column.
pub(super) fn id<K>(row: &Row, column: &str) -> Result<scalr_api::Id<K>> {
    optional_id(row, column)?.ok_or_else(|| StoreError::Unreadable(format!("no `{column}`")))
}

/// The id in a column that may be null.
pub(super) fn optional_id<K>(row: &Row, column: &str) -> Result<Option<scalr_api::Id<K>>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(scalr_api::Id::new)
        .transpose()
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The ids of these connections. One that cannot be read is logged and left out: it must not stop the others.
pub(super) fn readable_ids<K>(rows: &[Row]) -> Vec<scalr_api::Id<K>> {
    let ids = rows.iter().map(|row| id(row, "id"));
    ids.filter_map(|id| {
        id.inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a connection cannot be read"
            );
        })
        .ok()
    })
    .collect()
}

/// A count of rows.
pub(super) fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// Reads a page whose rows carry the `total` of all pages; a page beyond the last is one row with that alone.
pub(super) fn found<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Found<T>> {
    let total = rows
        .first()
        .map(|row| row.try_get("total"))
        .transpose()?
        .map_or(0, count);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        if row.try_get::<Option<i64>>("position")?.is_some() {
            items.push(read(row)?);
        }
    }
    Ok(Found { items, total })
}
