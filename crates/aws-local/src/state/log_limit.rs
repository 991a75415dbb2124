//! The limit on the bytes of all log events: where there are more, the oldest go first, whatever group they are in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::World;
use super::log_group::LogGroup;
use crate::clock::Millis;

/// The limit is looked at after so much of it was added; where it is exceeded, as much is dropped at once.
const PART: u64 = 16;

impl World {
    /// Drops log events if more than a part of the limit was added since this was last done.
    pub(crate) fn limit_logs(&mut self, bytes_max: u64, now: Millis) {
        if self.log_bytes_added > bytes_max / PART {
            self.trim_logs(bytes_max, now);
        }
    }

    /// Drops what retention no longer keeps, and then the oldest log events until they take less than the limit.
    pub(crate) fn trim_logs(&mut self, bytes_max: u64, now: Millis) {
        self.log_bytes_added = 0;
        let realms = self.realms.values_mut();
        let mut groups: Vec<&mut LogGroup> = realms.flat_map(|realm| realm.log_groups.values_mut()).collect();
        for group in &mut groups {
            group.expire(now);
        }
        let mut bytes: u64 = groups.iter().map(|group| group.memory()).sum();
        if bytes <= bytes_max {
            return;
        }
        let (wanted, mut dropped) = (bytes_max - bytes_max / PART, 0);
        let oldest = groups.iter().enumerate();
        let mut oldest: BinaryHeap<Reverse<(Millis, usize)>> = oldest
            .filter_map(|(at, group)| Some(Reverse((group.oldest()?, at))))
            .collect();
        while bytes > wanted
            && let Some(Reverse((_, at))) = oldest.pop()
        {
            let group = &mut *groups[at];
            let before = group.memory();
            group.drop_oldest();
            dropped += 1;
            bytes -= before - group.memory();
            oldest.extend(group.oldest().map(|time| Reverse((time, at))));
        }
        self.log_events_dropped += dropped;
        tracing::warn!(
            dropped,
            bytes_max,
            "the log events take more than the limit: the oldest are dropped"
        );
    }

    /// What all log events take in memory, estimated.
    pub(crate) fn log_bytes(&self) -> u64 {
        let groups = self.realms.values().flat_map(|realm| realm.log_groups.values());
        groups.map(LogGroup::memory).sum()
    }
}
