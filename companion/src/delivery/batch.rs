//! Cuts batches: at most 20 entries and 256 KiB, with each entry's size counted as AWS does.

use crate::store::Entry;

/// Limit of entries in one PutPartnerEvents call.
pub(super) const ENTRIES_MAX: usize = 20;
/// Limit of bytes in one call.
const BYTES_MAX: usize = 256 * 1024;
/// What AWS counts for an entry's time.
const TIME_BYTES: usize = 14;
/// Longest source name and detail type together.
const NAMES_BYTES_MAX: usize = 256 + 128;

/// Longest detail that fits into a call alone.
pub(crate) const DETAIL_BYTES_MAX: usize = BYTES_MAX - TIME_BYTES - NAMES_BYTES_MAX;

fn size(source: &str, entry: &Entry) -> usize {
    TIME_BYTES + source.len() + entry.detail_type.len() + entry.detail.len()
}

/// The longest prefix of `entries` that fits into one call; at least one entry, so that there is progress.
pub(super) fn cut(source: &str, mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut total = 0usize;
    let fits = entries.iter().take(ENTRIES_MAX).take_while(|entry| {
        total = total.saturating_add(size(source, entry));
        total <= BYTES_MAX
    });
    let fitting = fits.count().max(1);
    entries.truncate(fitting);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize) -> Entry {
        Entry {
            seq: 1,
            event_id: "e".into(),
            detail_type: "T".into(),
            detail: "x".repeat(bytes),
            time_ms: 0,
            attempts: 0,
            refused_since_ms: None,
        }
    }

    #[track_caller]
    fn check(sizes: &[usize], want: usize) {
        let entries = sizes.iter().map(|bytes| entry(*bytes)).collect();
        assert_eq!(cut("source", entries).len(), want, "{sizes:?}");
    }

    #[test]
    fn batches_end_at_either_limit() {
        check(&[10], 1);
        check(&[10; 25], 20);
        // 14 for the time, 6 for the source, 1 for the type.
        check(&[BYTES_MAX - 21], 1);
        check(&[BYTES_MAX - 42, 0], 2);
        check(&[BYTES_MAX - 41, 0], 1);
        check(&[BYTES_MAX * 2, 10], 1);
    }
}
