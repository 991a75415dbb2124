//! Without a data directory.

use std::sync::atomic::Ordering;

use super::*;

fn append(
    segments: &mut Segments,
    temporary: &mut Temporary,
    sequence: u64,
    length: usize,
) -> crate::disk::Ticket {
    let bytes = vec![b'x'; length];
    let record = NewRecord {
        sequence,
        time: 1,
        bytes: &bytes,
        text: None,
    };
    let (write, _) = segments.append(LOG, &[record]).unwrap();
    temporary.append(write)
}

#[tokio::test]
async fn the_folder_is_there_from_the_first_record_until_the_last_reader_is_gone() {
    let disk = Flaky::new();
    let (mut segments, mut temporary) = Temporary::open_on(disk, SHORT);
    assert!(segments.folder().is_none(), "without records there is no folder");
    for number in 1..=30 {
        assert!(append(&mut segments, &mut temporary, number, 10).stored().await);
    }
    let folder = segments.folder().unwrap();
    assert!(names(&folder).len() > 3);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(all(&segments, LOG, Start::Sequence(0), 100).unwrap().len(), 30);
    let removal = segments.expire(LOG, 2);
    assert!(temporary.append(removal).stored().await);
    assert!(append(&mut segments, &mut temporary, 31, 10).stored().await);
    assert!(temporary.latest().stored().await);
    let reading = segments.read(LOG, Start::Sequence(0)).unwrap();
    drop((segments, temporary));
    assert_eq!(names(&folder).len(), 2, "a segment and the lock");
    assert_eq!(reading.read(100, usize::MAX).unwrap().len(), 1);
    drop(reading);
    assert!(!folder.exists());
}

#[tokio::test]
async fn after_a_refused_write_nothing_more_is_accepted() {
    let disk = Flaky::new();
    let (mut segments, mut temporary) = Temporary::open_on(disk.clone(), SHORT);
    assert!(append(&mut segments, &mut temporary, 1, 10).stored().await);
    disk.room.store(100, Ordering::SeqCst);
    assert!(!append(&mut segments, &mut temporary, 2, 200).stored().await);
    disk.room.store(usize::MAX, Ordering::SeqCst);
    assert!(!append(&mut segments, &mut temporary, 3, 10).stored().await);
    (segments, temporary) = Temporary::open();
    assert!(append(&mut segments, &mut temporary, 1, 10).stored().await);
}
