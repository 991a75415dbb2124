//! What is kept in memory of one segment: where every so many bytes a record begins, and the last record.

use super::format::{self, Block, HEADER_BYTES, RECORD_HEAD_BYTES};
use super::log::Start;
use crate::clock::Millis;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    from: u64,
    blocks: Vec<Block>,
    last: Option<(u64, Millis)>,
    end: u64,
}

impl Index {
    /// That of a segment without records; the first one has this sequence or a higher one.
    pub(super) fn begun(from: u64) -> Self {
        Self {
            from,
            blocks: Vec::new(),
            last: None,
            end: HEADER_BYTES as u64,
        }
    }

    /// That of a segment to which nothing is added any more.
    pub(super) fn sealed(from: u64, blocks: Vec<Block>, last: (u64, Millis), end: u64) -> Self {
        Self {
            from,
            blocks,
            last: Some(last),
            end,
        }
    }

    pub(super) fn add(&mut self, sequence: u64, time: Millis, length: usize, block_bytes: u64) {
        let at = self.end;
        if self
            .blocks
            .last()
            .is_none_or(|block| at - block.at >= block_bytes)
        {
            self.blocks.push(Block { sequence, time, at });
        }
        self.last = Some((sequence, time));
        self.end += (RECORD_HEAD_BYTES + length) as u64;
    }

    /// Its form at the end of the file; none of a segment without records.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        self.last.map(|last| format::index(&self.blocks, last, self.end))
    }

    /// Where the records end.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn from(&self) -> u64 {
        self.from
    }

    /// The lowest sequence that a record after these may have.
    pub(super) fn next(&self) -> u64 {
        self.last
            .map_or(self.from, |(sequence, _)| sequence.saturating_add(1))
    }

    /// The sequence and the time of the last record.
    pub(super) fn last(&self) -> Option<(u64, Millis)> {
        self.last
    }

    /// Whether all records are before `start`.
    pub(super) fn is_before(&self, start: Start) -> bool {
        self.last
            .is_some_and(|(sequence, time)| start.is_after(sequence, time))
    }

    /// Where to begin to read: the first record that is not before `start` is at most a block later.
    pub(super) fn offset_of(&self, start: Start) -> u64 {
        // Records of one time may be in several blocks, of one sequence there is one.
        let begins_before = |block: &Block| match start {
            Start::Sequence(first) => block.sequence <= first,
            Start::Time(first) => block.time < first,
        };
        let found = self.blocks.partition_point(begins_before).saturating_sub(1);
        self.blocks.get(found).map_or(self.end, |block| block.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_begins_at_the_block_that_may_have_the_first_record() {
        let mut index = Index::begun(5);
        // Ten records of 124 bytes, two in a block; two have the same time.
        for number in 0..10_u64 {
            index.add(
                5 + number * 10,
                Millis::from(u32::try_from(number / 2).unwrap()),
                100,
                200,
            );
        }
        let blocks: Vec<u64> = index.blocks.iter().map(|block| block.at).collect();
        assert_eq!(blocks, [32, 280, 528, 776, 1024]);
        for (start, at) in [
            (Start::Sequence(0), 32),
            (Start::Sequence(5), 32),
            (Start::Sequence(24), 32),
            (Start::Sequence(25), 280),
            (Start::Sequence(26), 280),
            (Start::Sequence(46), 528),
            (Start::Sequence(1000), 1024),
            (Start::Time(-1), 32),
            (Start::Time(0), 32),
            (Start::Time(1), 32),
            (Start::Time(2), 280),
            (Start::Time(9), 1024),
        ] {
            assert_eq!(index.offset_of(start), at, "{start:?}");
        }
        assert_eq!((index.next(), index.end()), (96, 32 + 1240));
        assert!(index.is_before(Start::Sequence(96)) && !index.is_before(Start::Sequence(95)));
        assert!(index.is_before(Start::Time(5)) && !index.is_before(Start::Time(4)));
        let begun = Index::begun(7);
        assert_eq!((begun.next(), begun.offset_of(Start::Sequence(0))), (7, 32));
        assert!(!begun.is_before(Start::Sequence(100)));
    }
}
