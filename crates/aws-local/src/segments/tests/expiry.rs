//! Which files expiry deletes.

use super::*;

#[test]
fn whole_files_expire() {
    // Seven records a file; their time is their number.
    for (before, first, files) in [
        (0, 1, 3),
        (7, 1, 3),
        (8, 8, 2),
        (14, 8, 2),
        (15, 15, 1),
        (20, 15, 1),
        // The last file is replaced by one that only has the next sequence.
        (21, 21, 1),
        (99, 21, 1),
    ] {
        let dir = TempDir::new().unwrap();
        let mut kept = Kept::new(&dir);
        for number in 1..=20_u32 {
            assert!(kept.append(LOG, number.into(), number.into()));
        }
        assert!(kept.expire(LOG, before));
        for again in [false, true] {
            let expected: Vec<u64> = (first..=20).collect();
            assert_eq!(kept.sequences(LOG), expected, "before {before}, again {again}");
            assert_eq!(kept.from(LOG, Start::Time(0), 30), expected);
            assert_eq!(names(&folder(&dir)).len(), files, "before {before}");
            assert_eq!(kept.segments.next(LOG), Some(21));
            kept = kept.opened_again(&dir);
        }
        assert!(kept.expire(LOG, before), "again it deletes nothing");
        assert!(kept.append(LOG, 21, 100));
        assert_eq!(kept.opened_again(&dir).sequences(LOG).last(), Some(&21));
    }
}

#[test]
fn a_log_is_shortened_by_its_oldest_files() {
    for (over, first, count) in [(0, 1, 0), (1, 8, 7), (301, 15, 14), (u64::MAX, 15, 14)] {
        let dir = TempDir::new().unwrap();
        let mut kept = Kept::new(&dir);
        for number in 1..=20_u32 {
            assert!(kept.append(LOG, number.into(), number.into()));
        }
        let bytes_max = kept.segments.bytes(LOG).saturating_sub(over);
        let (write, dropped) = kept.segments.shorten(LOG, bytes_max);
        assert_eq!(dropped, count, "{over}");
        assert!(kept.commit(write, |_| ()));
        let expected: Vec<u64> = (first..=20).collect();
        assert_eq!(kept.opened_again(&dir).sequences(LOG), expected, "{over}");
    }
}

#[test]
fn one_change_may_expire_and_append() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 1..=20 {
        assert!(kept.append(LOG, number, 1));
    }
    let mut write = kept.segments.expire(LOG, 2);
    let record = NewRecord {
        sequence: 21,
        time: 5,
        bytes: b"later",
        text: None,
    };
    write.then(kept.segments.append(LOG, &[record]).unwrap().0);
    assert!(kept.commit(write, |lasts| {
        lasts.insert(LOG, Some(21));
    }));
    assert_eq!(names(&folder(&dir)).len(), 1);
    assert_eq!(kept.opened_again(&dir).sequences(LOG), [21]);
}

#[test]
fn a_reading_of_a_file_that_is_gone_says_so() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    assert!(kept.append(LOG, 1, 1));
    let reading = kept.segments.read(LOG, Start::Sequence(0)).unwrap();
    assert!(kept.append(LOG, 2, 1));
    let read = reading.read(usize::MAX, usize::MAX).unwrap();
    assert_eq!(read.len(), 1, "what was there when it was looked up");
    assert!(kept.expire(LOG, 2));
    assert!(matches!(
        reading.read(usize::MAX, usize::MAX),
        Err(ReadError::Gone { number: 1, .. })
    ));
    assert!(kept.segments.read(LOG, Start::Sequence(0)).is_none());
    assert!(
        kept.segments.expire(LOG, 2).is_empty(),
        "nothing is left to expire"
    );
    assert!(kept.segments.expire(LogId(99), 2).is_empty());
}
