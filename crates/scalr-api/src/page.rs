//! Pages of a list.

use serde::{Deserialize, Serialize};

/// The largest `page[size]` the server takes.
pub const PAGE_SIZE_MAX: u32 = 100;

/// The `meta` member of a list.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Where this page lies among the others.
    #[serde(default)]
    pub pagination: Pagination,
}

/// Where a page lies among the others. Pages count from 1.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Pagination {
    /// This page.
    #[serde(default)]
    pub current_page: u32,
    /// The page before it; null on the first.
    #[serde(default)]
    pub prev_page: Option<u32>,
    /// The page after it; null on the last.
    #[serde(default)]
    pub next_page: Option<u32>,
    /// How many pages there are.
    #[serde(default)]
    pub total_pages: u32,
    /// How many objects there are on all pages.
    #[serde(default)]
    pub total_count: u64,
}

impl Pagination {
    /// The pagination of page `current` of `total_count` objects in pages of `size`.
    pub fn of(current: u32, size: u32, total_count: u64) -> Self {
        let pages = u32::try_from(total_count.div_ceil(u64::from(size.max(1))))
            .unwrap_or(u32::MAX)
            .max(1);
        Self {
            current_page: current,
            prev_page: (current > 1).then(|| current - 1),
            next_page: (current < pages).then(|| current.saturating_add(1)),
            total_pages: pages,
            total_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(current: u32, size: u32, total: u64, expected: &str) {
        let text = serde_json::to_string(&Pagination::of(current, size, total)).unwrap();
        assert_eq!(text, expected);
    }

    #[test]
    fn pages() {
        check(
            1,
            20,
            0,
            r#"{"current-page":1,"prev-page":null,"next-page":null,"total-pages":1,"total-count":0}"#,
        );
        check(
            1,
            20,
            21,
            r#"{"current-page":1,"prev-page":null,"next-page":2,"total-pages":2,"total-count":21}"#,
        );
        check(
            2,
            20,
            40,
            r#"{"current-page":2,"prev-page":1,"next-page":null,"total-pages":2,"total-count":40}"#,
        );
    }
}
