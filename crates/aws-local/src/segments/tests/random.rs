//! Random changes against lists in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Act {
    Append {
        log: u64,
        lengths: Vec<usize>,
        gap: u64,
        later: i64,
    },
    Expire {
        log: u64,
        age: i64,
    },
    Remove {
        log: u64,
    },
    OpenAgain,
    /// Records are on disk, and the journal's entry is not.
    Lose {
        log: u64,
        lengths: Vec<usize>,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let lengths = || prop::collection::vec(prop_oneof![4 => 0..60_usize, 1 => 0..700_usize], 1..8);
    let log = || 0..3_u64;
    prop_oneof![
        6 => (log(), lengths(), 1..2000_u64, 0..5_i64)
            .prop_map(|(log, lengths, gap, later)| Act::Append { log, lengths, gap, later }),
        2 => (log(), 0..12_i64).prop_map(|(log, age)| Act::Expire { log, age }),
        1 => log().prop_map(|log| Act::Remove { log }),
        2 => Just(Act::OpenAgain),
        1 => (log(), lengths()).prop_map(|(log, lengths)| Act::Lose { log, lengths }),
    ]
}

/// What should be there: the records of each log, and how many of the first ones may have expired.
#[derive(Default)]
struct Model {
    logs: BTreeMap<u64, Vec<Record>>,
    /// Of each log, records from before this are not needed.
    before: BTreeMap<u64, Millis>,
    /// How often each log was removed: each has another id then.
    removed: BTreeMap<u64, u64>,
    now: Millis,
}

impl Model {
    fn id(&self, log: u64) -> LogId {
        LogId(log + 3 * self.removed.get(&log).copied().unwrap_or(0))
    }

    fn records(&self, log: u64, lengths: &[usize], gap: u64) -> Vec<Record> {
        let last = self.logs.get(&log).and_then(|log| log.last());
        let first = last.map_or(0, |last| last.sequence);
        let record = |(at, length): (usize, &usize)| Record {
            sequence: first + gap * (at as u64 + 1),
            time: self.now,
            offset: 0,
            bytes: vec![u8::try_from(at).unwrap(); *length],
        };
        lengths.iter().enumerate().map(record).collect()
    }

    fn act(&mut self, act: &Act, kept: &mut Kept) {
        match act {
            Act::Append {
                log,
                lengths,
                gap,
                later,
            } => {
                self.now += later;
                let records = self.records(*log, lengths, *gap);
                self.append(*log, kept, &records, true);
                self.logs.entry(*log).or_default().extend(records);
            }
            Act::Expire { log, age } => {
                assert!(kept.expire(self.id(*log), self.now - age));
                let before = self.before.entry(*log).or_insert(Millis::MIN);
                *before = (*before).max(self.now - age);
            }
            Act::Remove { log } => {
                assert!(kept.remove(self.id(*log)));
                self.logs.remove(log);
                self.before.remove(log);
                *self.removed.entry(*log).or_default() += 1;
            }
            Act::Lose { log, lengths } => {
                let records = self.records(*log, lengths, 1);
                self.append(*log, kept, &records, false);
            }
            Act::OpenAgain => {}
        }
    }

    fn append(&self, log: u64, kept: &mut Kept, records: &[Record], accepted: bool) {
        let new: Vec<NewRecord<'_>> = records
            .iter()
            .map(|record| NewRecord {
                sequence: record.sequence,
                time: record.time,
                bytes: &record.bytes,
                text: None,
            })
            .collect();
        let (write, _) = kept.segments.append(self.id(log), &new).unwrap();
        let last = records.last().map(|record| record.sequence);
        assert!(kept.commit(write, |lasts| {
            if accepted {
                lasts.insert(self.id(log), last);
            }
        }));
    }

    fn check(&self, kept: &Kept, bytes_max: usize, at: usize) {
        for log in 0..3 {
            let empty = Vec::new();
            let expected = self.logs.get(&log).unwrap_or(&empty);
            let there = all(&kept.segments, self.id(log), Start::Sequence(0), bytes_max).unwrap();
            let gone = expected.len() - there.len();
            assert_eq!(there, expected[gone..]);
            let before = self.before.get(&log).copied().unwrap_or(Millis::MIN);
            assert!(expected[..gone].iter().all(|record| record.time < before));
            let Some(some) = there.get(at % there.len().max(1)) else {
                continue;
            };
            for start in [Start::Sequence(some.sequence), Start::Time(some.time)] {
                let first = there.iter().position(|record| match start {
                    Start::Sequence(from) => record.sequence >= from,
                    Start::Time(from) => record.time >= from,
                });
                let read = all(&kept.segments, self.id(log), start, bytes_max).unwrap();
                assert_eq!(read, there[first.unwrap()..]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn logs_are_what_was_appended_and_has_not_expired(
        acts in prop::collection::vec(act(), 1..40),
        bytes_max in 0..1000_usize,
        at in any::<usize>(),
    ) {
        let dir = TempDir::new().unwrap();
        let (mut kept, mut model) = (Kept::new(&dir), Model::default());
        for act in acts {
            model.act(&act, &mut kept);
            if matches!(act, Act::OpenAgain | Act::Lose { .. }) {
                kept = kept.opened_again(&dir);
            }
            model.check(&kept, bytes_max, at);
        }
    }
}
