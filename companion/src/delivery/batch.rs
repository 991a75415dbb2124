//! Fills calls up to their limits, with each entry's size counted as AWS does.

use crate::event_bus::CallLimits;
use crate::store::Entry;

/// What AWS counts for an entry's time.
const TIME_BYTES: usize = 14;
/// Longest source name and detail type together.
const NAMES_BYTES_MAX: usize = 256 + 128;

/// Longest detail that fits into a call alone, whatever kind of call that is.
pub(crate) const DETAIL_BYTES_MAX: usize = CallLimits::PARTNER.bytes - TIME_BYTES - NAMES_BYTES_MAX;

/// A call that is being filled.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    bytes: usize,
    limits: CallLimits,
}

fn size(entry: &Entry) -> usize {
    TIME_BYTES + entry.source.len() + entry.detail_type.len() + entry.detail.len()
}

impl Batch {
    /// An empty one.
    pub(super) const fn new(limits: CallLimits) -> Self {
        Self {
            entries: Vec::new(),
            bytes: 0,
            limits,
        }
    }

    /// How many entries it has room for.
    pub(super) fn room(&self) -> usize {
        self.limits.entries.saturating_sub(self.entries.len())
    }

    /// Adds the longest prefix of these that fits, at least one entry to an empty call, so that there is progress. Whether all fitted.
    pub(super) fn add(&mut self, entries: Vec<Entry>) -> bool {
        for entry in entries {
            let bytes = self.bytes.saturating_add(size(&entry));
            if !self.entries.is_empty() && (self.room() == 0 || bytes > self.limits.bytes) {
                return false;
            }
            self.bytes = bytes;
            self.entries.push(entry);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    const BYTES_MAX: usize = CallLimits::PARTNER.bytes;
    use super::*;
    use crate::testing::entry;

    #[track_caller]
    fn check(sizes: &[usize], want: usize) {
        let entries = sizes.iter().map(|bytes| Entry {
            source: "source".into(),
            detail_type: "T".into(),
            detail: "x".repeat(*bytes),
            ..entry("a")
        });
        let mut batch = Batch::new(CallLimits::PARTNER);
        let fitted = batch.add(entries.collect());
        assert_eq!(
            (batch.entries.len(), fitted),
            (want, want == sizes.len()),
            "{sizes:?}"
        );
    }

    #[test]
    fn calls_end_at_either_limit() {
        check(&[10], 1);
        check(&[10; 25], 20);
        // 14 for the time, 6 for the source, 1 for the type.
        check(&[BYTES_MAX - 21], 1);
        check(&[BYTES_MAX - 42, 0], 2);
        check(&[BYTES_MAX - 41, 0], 1);
        check(&[BYTES_MAX * 2, 10], 1);
    }

    #[test]
    fn a_call_is_filled_bit_by_bit() {
        let mut batch = Batch::new(CallLimits::PARTNER);
        assert!(batch.add(vec![entry("a"); 15]));
        assert_eq!(batch.room(), 5);
        assert!(!batch.add(vec![entry("b"); 6]));
        assert_eq!(
            (batch.room(), batch.entries[19].connection_id.as_str()),
            (0, "in-b")
        );
    }
}
